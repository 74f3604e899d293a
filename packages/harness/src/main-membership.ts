// `main-membership`: under load, two nodes join three, the shards move to them one by one until the first two nodes host
// nothing, these are removed, and another node joins in their place. Nothing acknowledged may be lost on the way.
import type { NodeStatus } from '@quorate/node'
import type { AdminRequest } from '@quorate/protocol'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { StateHashes } from './check/state-hashes.ts'
import type { Violation } from './check/violation.ts'
import { askForChange } from './process/admin.ts'
import { LoadRun } from './process/load-run.ts'
import { ProcessCluster } from './process/process-cluster.ts'
import { printLine, printVerdict, progress, runMain } from './process/report.ts'
import { StallMeter, summariseStalls } from './process/stall-meter.ts'
import { makeWorkDirectory, removeWorkDirectory } from './process/work-directory.ts'
import type { WorkloadShape } from './workload/plan.ts'

const SERVED_TIMEOUT_MS = 30_000
const CHANGE_TIMEOUT_MS = 60_000
const ASK_AGAIN_MS = 100
/** Load between two changes, at least. */
const CALM_MS = 300
const FIRST = ['n1', 'n2', 'n3']
const SECOND = ['n3', 'n4', 'n5']
const LAST = ['n4', 'n5', 'n6']

const shape: WorkloadShape = {
  registerKeys: 64,
  counterKeys: 16,
  thinkMsMean: 4,
  weights: { get: 5, set: 4, cas: 2, incr: 4, del: 1 },
}

const { values } = parseArgs({
  options: {
    shards: { type: 'string', default: '4' },
    clients: { type: 'string', default: '16' },
  },
})
const shards = Number(values.shards)

async function main(): Promise<number> {
  const directory = makeWorkDirectory('membership')
  const cluster = await ProcessCluster.plan({
    nodes: FIRST.length,
    joiners: 3,
    shards,
    directory,
    serveFlags: { 'allow-test-admin': true },
  })
  cluster.startAll()
  await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
  const meter = new StallMeter(() => performance.now())
  const load = new LoadRun({ endpoints: cluster.endpoints, clients: Number(values.clients), shape, meter })
  await load.start()
  const stalls: number[] = []
  await join(cluster, ['n4', 'n5'], 5)
  await moveAll(cluster, SECOND, meter, stalls)
  await remove(cluster, ['n1', 'n2'], 3)
  await join(cluster, ['n6'], 4)
  await moveAll(cluster, LAST, meter, stalls)
  await remove(cluster, ['n3'], 3)
  await sleep(CALM_MS)
  await load.stop()
  const verdict = await load.verify()
  const violations = [...verdict.violations, ...(await compareHashes(cluster))]
  await cluster.stopAll()
  if (verdict.counts.info > 0)
    violations.push({
      checker: 'outcome',
      message: `${verdict.counts.info} operations have an unknown outcome, expected none`,
      operations: load.history.filter(({ type }) => type === 'info').slice(0, 5),
    })
  const { count, medianMs, p95Ms, maxMs } = summariseStalls(stalls)
  printLine(
    `stalls of a shard around a change: ${count} measured, median ${medianMs.toFixed(0)} ms, ` +
      `p95 ${p95Ms.toFixed(0)} ms, max ${maxMs.toFixed(0)} ms`,
  )
  printVerdict({ ...verdict, violations })
  if (violations.length === 0) removeWorkDirectory(directory)
  else progress(`kept ${directory}`)
  return violations.length === 0 ? 0 : 1
}

/** Asks whoever leads the meta group, until it accepts. A repeated request is refused: then it was accepted before. */
async function ask(cluster: ProcessCluster, request: AdminRequest): Promise<void> {
  const deadlineMs = performance.now() + CHANGE_TIMEOUT_MS
  let asked = 0
  for (;;) {
    const statuses = await cluster.statuses()
    const leader = statuses.find(({ shards: hosted }) =>
      hosted.some(({ group, role, servesReads }) => group === 0 && role === 'leader' && servesReads),
    )
    if (leader !== undefined) {
      const answer = await askForChange(leader.clientAddress, request).catch(() => null)
      asked += 1
      if (answer !== null && answer.change !== null) return
      const repeated = answer?.reason === 'NOTHING_TO_DO' || answer?.reason === 'CHANGE_OPEN'
      if (asked > 1 && repeated) return
      if (
        answer !== null &&
        !['NOT_LEADER', 'UNKNOWN', 'NO_LIVE_QUORUM', 'OVERLOADED'].includes(answer.reason)
      )
        throw new Error(`${JSON.stringify(request)} was refused: ${answer.reason}`)
    }
    if (performance.now() > deadlineMs) throw new Error(`nobody accepted ${JSON.stringify(request)}`)
    await sleep(ASK_AGAIN_MS)
  }
}

/** They join blank, host no shard, and the meta group grows by them. */
async function join(cluster: ProcessCluster, names: readonly string[], metaMembers: number): Promise<void> {
  for (const name of names) cluster.node(name).start()
  const statuses = await cluster.waitFor(`${names.join(' ')} joined`, CHANGE_TIMEOUT_MS, (answers) =>
    hasMembers(answers, 0, metaMembers),
  )
  for (const { id, shards: hosted } of statuses)
    if (names.includes(id) && hosted.some(({ group }) => group > 0))
      throw new Error(`${id} hosts a shard that nobody gave it`)
  progress(`${names.join(' ')} joined; the meta group has ${metaMembers} members`)
}

async function moveAll(
  cluster: ProcessCluster,
  nodes: readonly string[],
  meter: StallMeter,
  stalls: number[],
): Promise<void> {
  for (let group = 1; group <= shards; group++) {
    await sleep(CALM_MS)
    meter.take()
    const startedMs = performance.now()
    await ask(cluster, { action: 'assign', group, nodes })
    await cluster.waitFor(`shard ${group} is on ${nodes.join(' ')}`, CHANGE_TIMEOUT_MS, (statuses) =>
      isOn(statuses, group, nodes),
    )
    const longest = meter.take()
    stalls.push(...longest)
    const tookMs = performance.now() - startedMs
    progress(
      `shard ${group} moved to ${nodes.join(' ')} in ${tookMs.toFixed(0)} ms; ` +
        `stalls ${longest.map((ms) => ms.toFixed(0)).join(' ')} ms`,
    )
  }
}

/** They leave the meta group, are told that they are out, and end by themselves. */
async function remove(cluster: ProcessCluster, names: readonly string[], left: number): Promise<void> {
  for (const name of names) await ask(cluster, { action: 'remove', node: name })
  await cluster.waitFor(`${names.join(' ')} are removed`, CHANGE_TIMEOUT_MS, (statuses) => {
    const remaining = statuses.filter(({ id }) => !names.includes(id))
    return (
      names.every((name) => !cluster.node(name).running) &&
      hasMembers(remaining, 0, left) &&
      remaining.every(({ nodes }) => nodes.length === left)
    )
  })
  progress(`${names.join(' ')} removed`)
}

function hasMembers(statuses: readonly NodeStatus[], group: number, count: number): boolean {
  if (statuses.some(({ changes }) => changes.some((change) => change.group === group))) return false
  const hosted = statuses.flatMap(({ shards: own }) => own.filter((shard) => shard.group === group))
  const leader = hosted.find(({ role, servesReads }) => role === 'leader' && servesReads)
  return leader?.voters.length === count && hosted.length === count
}

function isOn(statuses: readonly NodeStatus[], group: number, nodes: readonly string[]): boolean {
  const hosts = statuses.filter(({ shards: own }) => own.some((shard) => shard.group === group))
  return (
    hasMembers(statuses, group, nodes.length) &&
    hosts
      .map(({ id }) => id)
      .toSorted()
      .join() === nodes.toSorted().join()
  )
}

async function compareHashes(cluster: ProcessCluster): Promise<readonly Violation[]> {
  const hashes = new StateHashes()
  await cluster.waitFor('all replicas are at the same index', SERVED_TIMEOUT_MS, (statuses) => {
    for (const status of statuses) hashes.observe(status)
    const indexes = new Map<number, Set<number>>()
    for (const { group, appliedIndex } of statuses.flatMap(({ shards: own }) => own))
      indexes.set(group, (indexes.get(group) ?? new Set()).add(appliedIndex))
    return statuses.length === LAST.length && [...indexes.values()].every(({ size }) => size === 1)
  })
  return hashes.violations
}

await runMain(main)
