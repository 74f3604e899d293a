// `main-pause`: the node that leads the most groups is stopped (SIGSTOP) for 2 s and for 10 s under load, then goes on with what
// it believed. The others must serve meanwhile; nothing may be lost, doubled, unknown or read stale.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { compareStates } from './process/compare-states.ts'
import { leaderHeavyNode } from './process/leader-heavy.ts'
import { LoadRun } from './process/load-run.ts'
import { ProcessCluster } from './process/process-cluster.ts'
import { printLine, printVerdict, progress, runMain, unknownOutcomes } from './process/report.ts'
import { StallMeter, summariseStalls } from './process/stall-meter.ts'
import { makeWorkDirectory, removeWorkDirectory } from './process/work-directory.ts'
import { mixedShape } from './workload/plan.ts'

const SERVED_TIMEOUT_MS = 30_000
const CALM_MS = 1_500
/** Longer than the election timeout, and longer than every timeout there is. */
const PAUSES_MS = [2_000, 10_000] as const

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    shards: { type: 'string', default: '4' },
    clients: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '2' },
  },
})

async function main(): Promise<number> {
  const directory = makeWorkDirectory('pause')
  const cluster = await ProcessCluster.plan({
    nodes: Number(values.nodes),
    shards: Number(values.shards),
    directory,
  })
  cluster.startAll()
  await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
  const meter = new StallMeter(() => performance.now())
  const load = new LoadRun({
    endpoints: cluster.endpoints,
    clients: Number(values.clients),
    shape: mixedShape,
    meter,
  })
  await load.start()
  const stalls: number[] = []
  for (let round = 0; round < Number(values.rounds); round++)
    for (const pauseMs of PAUSES_MS) stalls.push(...(await pauseLeader(cluster, load, meter, pauseMs)))
  await load.stop()
  const verdict = await load.verify()
  const states = await compareStates(cluster, SERVED_TIMEOUT_MS)
  await cluster.stopAll()
  const { count, medianMs, p95Ms, maxMs } = summariseStalls(stalls)
  printLine(
    `stalls of a shard around a pause: ${count} measured, median ${medianMs.toFixed(0)} ms, ` +
      `p95 ${p95Ms.toFixed(0)} ms, max ${maxMs.toFixed(0)} ms`,
  )
  const violations = [...verdict.violations, ...states.violations, ...unknownOutcomes(load.history)]
  printVerdict({ ...verdict, violations })
  if (violations.length === 0) removeWorkDirectory(directory)
  else progress(`kept ${directory}`)
  return violations.length === 0 ? 0 : 1
}

/** The longest stall of each shard. Throws if the pause did not bite, or if the others did not serve meanwhile. */
async function pauseLeader(
  cluster: ProcessCluster,
  load: LoadRun,
  meter: StallMeter,
  pauseMs: number,
): Promise<number[]> {
  await sleep(CALM_MS)
  const { node, led } = await leaderHeavyNode(cluster)
  const { name } = node.plan
  meter.take()
  const completed = load.completed
  node.signal('SIGSTOP')
  const until = performance.now() + pauseMs
  try {
    const answered = await cluster.statuses()
    if (answered.some(({ id }) => id === name)) throw new Error(`${name} answers although it is stopped`)
    await sleep(Math.max(0, until - performance.now()))
  } finally {
    node.signal('SIGCONT')
  }
  const served = load.completed - completed
  if (served === 0) throw new Error(`nothing was served while ${name} was stopped`)
  await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
  await sleep(CALM_MS)
  const longest = meter.take()
  progress(
    `${name}, leader of ${led} groups, stopped for ${pauseMs} ms: ${served} operations meanwhile, ` +
      `longest stall ${Math.max(...longest).toFixed(0)} ms`,
  )
  return longest
}

await runMain(main)
