// `main-load`: a load process. Its parent tells it over the channel of `fork` what to do, one order at a time.
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectCeiling } from './load/ceiling-target.ts'
import { Histogram } from './load/histogram.ts'
import { eachOnce, everyKeyOnce, randomKeys } from './load/keys.ts'
import type { LoadOrder, LoadReport, LoadTask } from './load/messages.ts'
import { connectQuorate } from './load/quorate-target.ts'
import { recordProfile } from './profile/recorder.ts'
import type { Target } from './load/target.ts'

const FILL_OUTSTANDING = 512
/** On a crowded machine leaders change, and a deadline passes. */
const FILL_ATTEMPTS_MAX = 10
const POLL_MS = 20

const [system, ...endpoints] = process.argv.slice(2)
const histogram = new Histogram()
let failures = 0
let begin: () => void = () => {}

function report(message: LoadReport): void {
  process.send?.(message)
}

async function fill(target: Target, keys: number, valueBytes: number): Promise<void> {
  let nextKey = everyKeyOnce(keys)
  for (let attempt = 1; ; attempt++) {
    const missed: string[] = []
    let last: unknown = null
    const failedKey = (error: unknown, key: string): void => {
      last = error
      missed.push(key)
    }
    const outstanding = FILL_OUTSTANDING
    await target.run({
      kind: 'write',
      outstanding,
      valueBytes,
      nextKey,
      completed: () => {},
      failed: failedKey,
    }).ended
    if (missed.length === 0) return
    // What was not written would make reads cheaper than they are.
    if (attempt === FILL_ATTEMPTS_MAX)
      throw new Error(`${missed.length} keys could not be written: ${String(last)}`)
    nextKey = eachOnce(missed)
  }
}

async function load(target: Target, task: LoadTask): Promise<void> {
  failures = 0
  let succeeded = 0
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const { ended, stop } = target.run({
    ...task,
    nextKey: randomKeys(task.keys, task.seed),
    completed: (ms) => {
      succeeded += 1
      histogram.record(ms)
    },
    failed: () => {
      failures += 1
    },
  })
  await sleep(task.warmMs)
  report({ type: 'warm' })
  await begun
  const endProfile = task.profile === null ? null : await recordProfile(task.profile)
  histogram.clear()
  failures = 0
  const [beginMs, cpu, loop] = [performance.now(), process.cpuUsage(), performance.eventLoopUtilization()]
  await sleep(task.measuredMs)
  // Without a single operation there would be a rate but no latency: the time goes on until one has ended.
  while (histogram.count + failures === 0) await sleep(POLL_MS)
  const elapsedMs = performance.now() - beginMs
  const { user, system: kernel } = process.cpuUsage(cpu)
  await endProfile?.()
  report({
    type: 'measured',
    result: {
      perSecond: Math.round((histogram.count * 1_000) / elapsedMs),
      p50Ms: histogram.quantileMs(0.5),
      p99Ms: histogram.quantileMs(0.99),
      maxMs: histogram.maxMs,
      failed: failures,
    },
    client: {
      cpu: (user + kernel) / 1_000 / elapsedMs,
      eventLoopUtilization: performance.eventLoopUtilization(loop).utilization,
    },
  })
  stop()
  await ended
  report({ type: 'drained', succeeded })
}

async function obey(target: Target, order: LoadOrder): Promise<void> {
  switch (order.type) {
    case 'fill':
      await fill(target, order.keys, order.valueBytes)
      return report({ type: 'filled' })
    case 'load':
      return load(target, order.task)
    case 'begin':
      return begin()
    case 'close':
      await target.close()
      process.disconnect()
      // A profile is written at the end of the process.
      return process.exit(0)
  }
}

const target = system === 'quorate' ? await connectQuorate(endpoints) : connectCeiling(endpoints)
process.on('disconnect', () => process.exit(1))
process.on('message', (order: LoadOrder) => {
  obey(target, order).catch((error: unknown) => report({ type: 'failed', message: String(error) }))
})
report({ type: 'ready' })
