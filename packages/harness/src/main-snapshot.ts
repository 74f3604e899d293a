// `main-snapshot`: a node stays down while the others write so much that the log it needs is gone. It must come back by a
// snapshot, under load, and reach the same state as the others.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { compareStates } from './process/compare-states.ts'
import { LoadRun } from './process/load-run.ts'
import { ProcessCluster } from './process/process-cluster.ts'
import { printLine, printVerdict, progress, runMain } from './process/report.ts'
import { makeWorkDirectory, removeWorkDirectory } from './process/work-directory.ts'
import type { WorkloadShape } from './workload/plan.ts'

const SERVED_TIMEOUT_MS = 30_000
const CATCH_UP_TIMEOUT_MS = 60_000
const COMPACTION_TIMEOUT_MS = 120_000
const SERVE_FLAGS = {
  'segment-bytes': 65_536,
  'retain-bytes': 131_072,
  'checkpoint-log-bytes': 65_536,
  'checkpoint-ms-min': 200,
  'checkpoint-ms-max': 1_000,
  'snapshot-chunk-bytes': 4_096,
}

const shape: WorkloadShape = {
  registerKeys: 400,
  counterKeys: 8,
  thinkMsMean: 1,
  weights: { get: 1, set: 10, cas: 1, incr: 3, del: 1 },
}

const { values } = parseArgs({
  options: {
    shards: { type: 'string', default: '2' },
    clients: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '3' },
  },
})

async function main(): Promise<number> {
  const directory = makeWorkDirectory('snapshot')
  const cluster = await ProcessCluster.plan({
    nodes: 3,
    shards: Number(values.shards),
    directory,
    serveFlags: SERVE_FLAGS,
  })
  cluster.startAll()
  await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
  const load = new LoadRun({ endpoints: cluster.endpoints, clients: Number(values.clients), shape })
  await load.start()
  let installed = 0
  for (let round = 0; round < Number(values.rounds); round++) {
    await sleep(500)
    installed += await missAndReturn(cluster, round)
  }
  await load.stop()
  const hashes = await compareStates(cluster, CATCH_UP_TIMEOUT_MS)
  const verdict = await load.verify()
  await cluster.stopAll()
  const violations = [...verdict.violations, ...hashes.violations]
  printLine(`snapshots installed ${installed}, state hashes compared ${hashes.compared}`)
  printVerdict({ ...verdict, violations })
  if (violations.length > 0) {
    progress(`kept ${directory}`)
    return 1
  }
  removeWorkDirectory(directory)
  return 0
}

/** One node misses so much that its log is gone; how many snapshots it then installed (at least one per shard). */
async function missAndReturn(cluster: ProcessCluster, round: number): Promise<number> {
  const node = cluster.nodes[round % cluster.nodes.length]
  if (node === undefined) throw new Error('no node')
  const { name } = node.plan
  const before = (await cluster.statuses()).find(({ id }) => id === name)
  await node.kill()
  await cluster.waitFor(`the others have compacted what ${name} needs`, COMPACTION_TIMEOUT_MS, (statuses) =>
    (before?.shards ?? [])
      .filter(({ group }) => group > 0)
      .every(({ group, lastIndex }) =>
        statuses
          .flatMap(({ shards }) => shards)
          .filter((shard) => shard.group === group)
          .every(({ firstIndex }) => firstIndex > lastIndex + 1),
      ),
  )
  node.start()
  const statuses = await cluster.waitFor(
    `${name} has installed snapshots and caught up under load`,
    CATCH_UP_TIMEOUT_MS,
    (answers) => {
      const own = answers.find(({ id }) => id === name)?.shards.filter(({ group }) => group > 0) ?? []
      return (
        own.length === Number(values.shards) && own.every(({ snapshotsInstalled }) => snapshotsInstalled > 0)
      )
    },
  )
  const own = statuses.find(({ id }) => id === name)?.shards ?? []
  const installed = own.reduce((sum, shard) => sum + shard.snapshotsInstalled, 0)
  progress(`round ${round + 1}: ${name} installed ${installed} snapshots`)
  return installed
}

await runMain(main)
