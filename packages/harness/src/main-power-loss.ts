// `main-power-loss`: every node on its own ext4 image; power is cut under load for one node, for all at once, and after a
// kill whose page cache recovery had read back. With `--lying-sync` syncs do nothing, and the test must find losses.
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { LoadRun, type LoadVerdict } from './process/load-run.ts'
import { LoopImage, loopMountObstacle } from './process/loop-image.ts'
import { findLibrary, lyingSync } from './process/preload-library.ts'
import type { NodeProcess } from './process/node-process.ts'
import { ProcessCluster } from './process/process-cluster.ts'
import { printLine, printVerdict, progress, runMain, skip } from './process/report.ts'
import { makeWorkDirectory, removeWorkDirectory } from './process/work-directory.ts'
import type { WorkloadShape } from './workload/plan.ts'

const SERVED_TIMEOUT_MS = 30_000
const LOAD_MS = 1_500
/** Small, so that segments and checkpoints turn over within a round. */
const SERVE_FLAGS = { 'segment-bytes': 1_048_576, 'retain-bytes': 2_097_152, 'checkpoint-log-bytes': 524_288 }

const shape: WorkloadShape = {
  registerKeys: 64,
  counterKeys: 8,
  thinkMsMean: 2,
  weights: { get: 2, set: 6, cas: 1, incr: 4, del: 1 },
}

const roundKinds = ['one', 'all', 'kill-then-power-loss'] as const
type RoundKind = (typeof roundKinds)[number]

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    shards: { type: 'string', default: '2' },
    clients: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '20' },
    'lying-sync': { type: 'boolean', default: false },
    system: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  const obstacle = loopMountObstacle()
  if (obstacle !== null) return skip(obstacle)
  const library = values['lying-sync'] ? lyingSyncLibrary() : null
  if (values['lying-sync'] && library === null)
    return skip('libeatmydata is not installed (give --system to install it)')
  const directory = makeWorkDirectory('power-loss')
  const images = new Map<string, LoopImage>()
  const imageOf = (name: string): LoopImage => {
    const known = images.get(name)
    if (known !== undefined) return known
    const image = new LoopImage(path.join(directory, name))
    images.set(name, image)
    return image
  }
  const cluster = await ProcessCluster.plan({
    nodes: Number(values.nodes),
    shards: Number(values.shards),
    directory,
    dataDirectoryOf: (name) => path.join(imageOf(name).directory, 'data'),
    serveFlags: SERVE_FLAGS,
    environment: library === null ? {} : { LD_PRELOAD: library },
  })
  let keep = true
  try {
    const found = await runRounds(cluster, (node) => imageOf(node.plan.name).losePower())
    const code = library === null ? judge(found) : judgeControl(found)
    if (code !== 0) progress(`kept the logs in ${directory}`)
    keep = code !== 0
    return code
  } finally {
    await cluster.killAll()
    for (const image of images.values()) image.dispose()
    if (!keep) removeWorkDirectory(directory)
  }
}

/** What the rounds found: the verdict, or why the cluster did not come back. */
type Found = LoadVerdict | { readonly broken: string }

async function runRounds(cluster: ProcessCluster, losePower: (node: NodeProcess) => void): Promise<Found> {
  cluster.startAll()
  await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
  const load = new LoadRun({ endpoints: cluster.endpoints, clients: Number(values.clients), shape })
  await load.start()
  try {
    for (let round = 0; round < Number(values.rounds); round++) {
      // The control cuts all nodes off: a majority that keeps its page cache would hide what one node lost.
      const kind = values['lying-sync'] ? 'all' : (roundKinds[round % roundKinds.length] ?? 'all')
      await sleep(LOAD_MS)
      const completed = load.completed
      await cutPower(cluster, kind, losePower)
      cluster.startAll()
      await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
      progress(`round ${round + 1}/${values.rounds} ${kind}: ${completed} operations so far`)
    }
    await sleep(LOAD_MS)
  } catch (error) {
    return { broken: error instanceof Error ? error.message : String(error) }
  } finally {
    await load.stop()
  }
  return load.verify()
}

async function cutPower(
  cluster: ProcessCluster,
  kind: RoundKind,
  losePower: (node: NodeProcess) => void,
): Promise<void> {
  const all = [...cluster.nodes]
  const one = all.slice(Math.floor(Math.random() * all.length)).slice(0, 1)
  const victims = kind === 'one' ? one : all
  await killEvery(victims)
  if (kind === 'kill-then-power-loss') {
    // What recovery reads now may be in the page cache only: it must not be believed before it is synced again.
    cluster.startAll()
    await sleep(Math.random() * 1_500)
    await killEvery(victims)
  }
  for (const node of victims) losePower(node)
}

async function killEvery(nodes: readonly NodeProcess[]): Promise<void> {
  const killed = await Promise.all(nodes.map((node) => node.kill()))
  const ended = nodes.find((_, index) => killed[index] === false)
  if (ended !== undefined) throw new Error(`${ended.plan.name} had ended by itself:\n${ended.lastLog()}`)
}

function judge(found: Found): number {
  if ('broken' in found) {
    printLine(`FAILED ${found.broken}`)
    return 1
  }
  printVerdict(found)
  return found.violations.length === 0 ? 0 : 1
}

/** The control is good only if something was lost. */
function judgeControl(found: Found): number {
  // A cluster that stays down has shown nothing: the control wants acknowledged values by name.
  if ('broken' in found) return judge(found)
  const losses = found.violations.map(({ message }) => message)
  for (const loss of losses.slice(0, 5)) printLine(`found under lying syncs: ${loss}`)
  printLine(losses.length > 0 ? 'verdict: ok, the test can see losses' : 'verdict: blind, nothing was lost')
  return losses.length > 0 ? 0 : 1
}

function lyingSyncLibrary(): string | null {
  return findLibrary(lyingSync, values.system || process.env['CI'] === 'true')
}

await runMain(main)
