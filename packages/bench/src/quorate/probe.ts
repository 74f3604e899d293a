// Loaded into a server before its own code (`node --import`): answers its parent with what only the process itself knows of
// its event loop, its memory and its garbage collector. The server's code knows nothing of it.
import { PerformanceObserver, performance } from 'node:perf_hooks'
import process from 'node:process'
import { recordProfile } from '../profile/recorder.ts'

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

/** What a parent may ask; each is answered once, `sample` with a sample and the others with `done`. */
export type ProbeOrder =
  | { readonly type: 'sample' }
  | { readonly type: 'beginProfile'; readonly file: string }
  | { readonly type: 'endProfile' }

let endProfile: () => Promise<void> = async () => {}

function sample(): ProbeSample {
  const { user, system } = process.cpuUsage()
  const { active } = performance.eventLoopUtilization()
  const residentBytes = process.memoryUsage.rss()
  const answer = { atMs: performance.now(), cpuMs: (user + system) / 1_000, loopActiveMs: active }
  const longestMs = gcMaxMs
  gcMaxMs = 0
  return { ...answer, gcMs, gcMaxMs: longestMs, residentBytes }
}

async function obey(order: ProbeOrder): Promise<ProbeSample | 'done'> {
  switch (order.type) {
    case 'sample':
      return sample()
    case 'beginProfile':
      endProfile = await recordProfile(order.file)
      return 'done'
    case 'endProfile':
      await endProfile()
      return 'done'
  }
}

process.on('message', (order: ProbeOrder) => {
  // Whoever asked waits for an answer with a deadline: a failure shows there and in the log.
  obey(order).then(
    (answer) => process.send?.(answer),
    (error: unknown) => process.stderr.write(`the probe failed: ${String(error)}\n`),
  )
})
// The channel must not keep a server alive that has ended.
process.channel?.unref()
