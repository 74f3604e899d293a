// Loaded into a server before its own code (`node --import`): answers its parent with what only the process itself knows of
// its event loop, its memory and its garbage collector. The server's code knows nothing of it.
import { PerformanceObserver, performance } from 'node:perf_hooks'
import process from 'node:process'

/** Sums since the start of the process, except `gcMaxMs`: since the last sample. */
export interface ProbeSample {
  readonly atMs: number
  readonly cpuMs: number
  readonly loopActiveMs: number
  readonly gcMs: number
  readonly gcMaxMs: number
  readonly residentBytes: number
}

let gcMs = 0
let gcMaxMs = 0

new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) {
    gcMs += duration
    gcMaxMs = Math.max(gcMaxMs, duration)
  }
}).observe({ entryTypes: ['gc'] })

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  const sample: ProbeSample = {
    atMs: performance.now(),
    cpuMs: (user + system) / 1_000,
    loopActiveMs: performance.eventLoopUtilization().active,
    gcMs,
    gcMaxMs,
    residentBytes: process.memoryUsage.rss(),
  }
  gcMaxMs = 0
  process.send?.(sample)
})
// The channel must not keep a server alive that has ended.
process.channel?.unref()
