// `main-kill`: SIGKILL of random nodes under load. Every acknowledged write must be there, counters must be exact, the
// history linearizable, nothing unknown; says how long shards stood still.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { compareStates } from './process/compare-states.ts'
import { LoadRun } from './process/load-run.ts'
import { ProcessCluster } from './process/process-cluster.ts'
import { printLine, printVerdict, progress, runMain, unknownOutcomes } from './process/report.ts'
import { StallMeter, summariseStalls } from './process/stall-meter.ts'
import { makeWorkDirectory, removeWorkDirectory } from './process/work-directory.ts'
import { mixedShape } from './workload/plan.ts'

const SERVED_TIMEOUT_MS = 30_000
/** A killed node stays down for up to this long. */
const DOWN_MS_MAX = 1_000
/** Load on the whole cluster between two kills, at least. */
const CALM_MS_MIN = 200

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    shards: { type: 'string', default: '4' },
    clients: { type: 'string', default: '32' },
    kills: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '180' },
    all: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  const directory = makeWorkDirectory('kill')
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
  const stalls = await killNodes(cluster, meter)
  await load.stop()
  const verdict = await load.verify()
  const violations = [...verdict.violations, ...(await compareStates(cluster, SERVED_TIMEOUT_MS)).violations]
  await cluster.stopAll()
  const { count, medianMs, p95Ms, maxMs } = summariseStalls(stalls)
  printLine(
    `stalls of a shard around a kill: ${count} measured, median ${medianMs.toFixed(0)} ms, ` +
      `p95 ${p95Ms.toFixed(0)} ms, max ${maxMs.toFixed(0)} ms`,
  )
  // While all nodes are down a deadline may pass; while one is down, none may.
  if (!values.all) violations.push(...unknownOutcomes(load.history))
  printVerdict({ ...verdict, violations })
  if (violations.length === 0) removeWorkDirectory(directory)
  else progress(`kept ${directory}`)
  return violations.length === 0 ? 0 : 1
}

/** The longest stall of each shard for each kill. */
async function killNodes(cluster: ProcessCluster, meter: StallMeter): Promise<number[]> {
  const kills = Number(values.kills)
  const paceMs = (Number(values.seconds) * 1000) / kills
  const stalls: number[] = []
  for (let kill = 1; kill <= kills; kill++) {
    const startedMs = performance.now()
    await sleep(CALM_MS_MIN)
    meter.take()
    const victims = values.all ? cluster.nodes : [pick(cluster.nodes)]
    const killed = await Promise.all(victims.map((node) => node.kill()))
    if (killed.includes(false))
      throw new Error(`a node had ended by itself:\n${victims.map((node) => node.lastLog()).join('\n')}`)
    await sleep(Math.random() * Math.min(DOWN_MS_MAX, paceMs / 3))
    for (const node of victims) node.start()
    await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
    const names = victims.map(({ plan }) => plan.name).join(' ')
    await sleep(Math.max(0, paceMs - (performance.now() - startedMs)))
    const longest = meter.take()
    stalls.push(...longest)
    progress(`kill ${kill}/${kills} ${names}: stalls ${longest.map((ms) => ms.toFixed(0)).join(' ')} ms`)
  }
  return stalls
}

function pick<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

await runMain(main)
