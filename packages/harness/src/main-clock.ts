// `main-clock`: a node whose wall clock is an hour ahead comes to lead, under load. The time of the log must not follow it:
// nothing may be lost or doubled, no session end early, and keys with a time to live neither go early, nor stay, nor come back.
// (A node at a time restarts, so that a deadline may pass.)
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { checkLifetimes } from './check/lifetime.ts'
import type { Violation } from './check/violation.ts'
import { compareStates } from './process/compare-states.ts'
import { LoadRun } from './process/load-run.ts'
import type { NodeProcess } from './process/node-process.ts'
import { fakeTime, findLibrary } from './process/preload-library.ts'
import { ProcessCluster } from './process/process-cluster.ts'
import { printVerdict, progress, runMain, skip } from './process/report.ts'
import { makeWorkDirectory, removeWorkDirectory } from './process/work-directory.ts'
import type { Operation } from './workload/history.ts'
import { mixedShape } from './workload/plan.ts'

const SERVED_TIMEOUT_MS = 30_000
const CALM_MS = 1_000
const LED_MS = 3_000
const HOUR_S = 3_600
/** The log may run a little ahead of the agreed time; an hour is not a little. */
const TOLERANCE_MS = 60_000
const SHOWN_MAX = 5
/** Of the shards several, so that they expire in shards which are led by whoever is wrong. */
const BRIEF_KEYS = 48

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    shards: { type: 'string', default: '4' },
    clients: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '2' },
    system: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  const library = findLibrary(fakeTime, values.system || process.env['CI'] === 'true')
  if (library === null) return skip('libfaketime is not installed (give --system to install it)')
  const wrong = {
    LD_PRELOAD: library,
    FAKETIME: `+${HOUR_S}s`,
    // Only the wall clock: no kernel lets the monotonic one jump.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  const aheadS = measureAhead(wrong)
  if (Math.abs(aheadS - HOUR_S) > 60) throw new Error(`the wall clock is ${aheadS} s ahead, not ${HOUR_S} s`)
  const directory = makeWorkDirectory('clock')
  const cluster = await ProcessCluster.plan({
    nodes: Number(values.nodes),
    shards: Number(values.shards),
    directory,
  })
  cluster.startAll()
  await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
  const load = new LoadRun({
    endpoints: cluster.endpoints,
    clients: Number(values.clients),
    shape: { ...mixedShape, briefKeys: BRIEF_KEYS },
  })
  await load.start()
  for (let round = 0; round < Number(values.rounds); round++) {
    const node = cluster.nodes[round % cluster.nodes.length]
    if (node === undefined) throw new Error('no node')
    await sleep(CALM_MS)
    await restart(cluster, node, wrong)
    await leadFrom(cluster, node)
    await sleep(LED_MS)
    await restart(cluster, node, {})
  }
  await load.stop()
  const verdict = await load.verify()
  const states = await compareStates(cluster, SERVED_TIMEOUT_MS)
  await cluster.stopAll()
  const violations = [
    ...verdict.violations,
    ...states.violations,
    ...timeAhead(load.history),
    ...checkLifetimes(load.history),
  ]
  printVerdict({ ...verdict, violations })
  if (violations.length === 0) removeWorkDirectory(directory)
  else progress(`kept ${directory}`)
  return violations.length === 0 ? 0 : 1
}

/** Every answer says at what time of the log it was given: sessions and deadlines are judged by it. */
function timeAhead(history: readonly Operation[]): Violation[] {
  const nowMs = Date.now()
  const ahead = history.filter(({ position }) => (position?.t ?? 0) > nowMs + TOLERANCE_MS)
  if (ahead.length === 0) return []
  const message = `${ahead.length} answers were given at a time that is not there yet`
  return [{ checker: 'clock', message, operations: ahead.slice(0, SHOWN_MAX) }]
}

/** How far ahead a process with this environment believes to be, s. */
function measureAhead(environment: Readonly<Record<string, string>>): number {
  const { stdout } = spawnSync(process.execPath, ['-p', 'Date.now()'], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  })
  return Math.round((Number(stdout) - Date.now()) / 1000)
}

async function restart(
  cluster: ProcessCluster,
  node: NodeProcess,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  await node.stop()
  node.useEnvironment(environment)
  node.start()
  await cluster.waitUntilServed(SERVED_TIMEOUT_MS)
}

/** Restarts the others one by one: what they lead they hand over when they stop. Throws if this node then leads nothing. */
async function leadFrom(cluster: ProcessCluster, node: NodeProcess): Promise<void> {
  for (const other of cluster.nodes) if (other !== node) await restart(cluster, other, {})
  const statuses = await cluster.statuses()
  const own = statuses.find(({ id }) => id === node.plan.name)
  const led = own?.shards.filter(({ role, group }) => role === 'leader' && group > 0).length ?? 0
  if (led === 0) throw new Error(`${node.plan.name} leads nothing: the fault did not bite`)
  progress(`${node.plan.name}, an hour ahead, leads ${led} shards`)
}

await runMain(main)
