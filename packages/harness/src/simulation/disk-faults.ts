// Faults of the disk under a node that runs: slow, failing, full. And bit rot while it does not run.
import { DiskError, type DiskOperation } from '@quorate/runtime'
import { type FaultContext, type FaultEffect, pickRunning } from './fault.ts'

/** A failing disk fails at one of so many next operations. */
const OPERATIONS_MAX = 40
/** An injected error must have ended its process by then. */
const HALT_BUDGET_MS = 1_000
const LATENCY_MS_MAX = 3_000
/** Free bytes on a full disk: none, or room for a few more batches. */
const FREE_BYTES_MAX = 262_144
const SPACE_POLL_MS = 100
const FLIPS_MAX = 3

/** Every sync and every batch of the store takes up to three seconds. */
export function slowDisk(context: FaultContext): FaultEffect | null {
  const [name] = pickRunning(context, 1)
  if (name === undefined) return null
  const { cluster, random } = context
  const machine = cluster.machine(name)
  const maxMs = 10 * (LATENCY_MS_MAX / 10) ** random.next()
  machine.setDiskLatency(maxMs / 4, maxMs)
  const syncsBefore = machine.syncs
  return {
    target: `${name} up to ${maxMs.toFixed(0)} ms`,
    durationMs: random.between(500, 6_000),
    heal: () => machine.setDiskLatency(),
    bit: () => machine.syncs > syncsBefore,
  }
}

/** The next write or sync but a few fails with EIO: the process must end and may come back. */
export function failDisk(context: FaultContext): FaultEffect | null {
  const [name] = pickRunning(context, 1)
  if (name === undefined) return null
  const { world, cluster, random } = context
  const machine = cluster.machine(name)
  const { process } = machine
  const operation: DiskOperation = random.pick(['write', 'sync', 'syncDirectory'] as const)
  const inStore = random.chance(0.3)
  let left = 1 + random.below(OPERATIONS_MAX)
  let failed = false
  const hook = (happening: DiskOperation, path: string): void => {
    if (happening !== operation || failed || machine.process !== process) return
    left -= 1
    if (left > 0) return
    failed = true
    world.note(name, `EIO at ${operation} ${path}`)
    world.process.schedule(HALT_BUDGET_MS, 'must-have-halted', () => {
      if (process.alive && !process.paused) world.fail(`${name} goes on after EIO at ${operation} ${path}`)
    })
    throw new DiskError('EIO', `${operation} ${path}: injected EIO`)
  }
  if (inStore) machine.failStoreWrite(left)
  else machine.hooks.add(hook)
  return {
    target: `${name} ${inStore ? 'state store' : operation}`,
    durationMs: random.between(2_000, 5_000),
    heal: () => {
      machine.hooks.delete(hook)
      machine.failStoreWrite(0)
    },
    bit: () => !process.alive && machine.haltsByDisk.has(process),
  }
}

/** No room, or nearly none: writes are refused or led elsewhere, and what needs room all the same halts. */
export function fillDisk(context: FaultContext): FaultEffect | null {
  const [name] = pickRunning(context, 1)
  if (name === undefined) return null
  const { world, cluster, random } = context
  const machine = cluster.machine(name)
  const { process, disk } = machine
  disk.capacityBytes = disk.usedBytes + (random.chance(0.3) ? 0 : random.below(FREE_BYTES_MAX))
  let healed = false
  let seen = false
  const look = (): void => {
    if (healed) return
    seen ||= machine.status()?.lowOnSpace === true || machine.haltsByDisk.has(process)
    world.process.schedule(SPACE_POLL_MS, 'space', look)
  }
  look()
  return {
    target: name,
    durationMs: random.between(2_000, 6_000),
    heal: () => {
      healed = true
      disk.capacityBytes = Number.MAX_SAFE_INTEGER
    },
    bit: () => seen,
  }
}

/**
 * Bits flip in log or state store while the node is down. At most one machine of a run is damaged, so that a majority of every
 * group stays whole. What is damaged must be found, by a refused start or a condemned replica, and is never served.
 */
export function rotBits(context: FaultContext): FaultEffect | null {
  const { world, cluster, random } = context
  const damaged = cluster.machines.find((machine) => machine.damaged)
  const [name] = damaged === undefined ? pickRunning(context, 1) : [damaged.name]
  if (name === undefined || !cluster.machine(name).running) return null
  const machine = cluster.machine(name)
  cluster.crashNode(name, { powerLoss: random.chance(0.5) })
  machine.damaged = true
  const flips = 1 + random.below(FLIPS_MAX)
  const inStore = random.chance(0.5)
  for (let flip = 0; flip < flips; flip++)
    world.note(name, inStore ? machine.rotStore() : machine.rotLog(random))
  const backMs = random.between(50, 1_000)
  world.process.schedule(backMs, 'restart', () => cluster.restartNode(name))
  return {
    target: `${name} ${inStore ? 'state store' : 'log'}`,
    durationMs: backMs + random.between(1_000, 4_000),
    heal: () => {
      if (!machine.refused) cluster.restartNode(name)
    },
    bit: () =>
      machine.refused || machine.status()?.shards.some(({ state }) => state === 'condemned') === true,
  }
}
