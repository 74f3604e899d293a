// Faults of the disk under a node that runs: slow, failing, full. And bit rot while it does not run.
import { DiskError, type DiskOperation } from '@quorate/runtime'
import type { FaultArguments } from '../schedule/fault-shapes.ts'
import { type Fault, pickRunning } from './fault.ts'
import { CHANCE_MAX, SeededRandom } from './seeded-random.ts'

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
export const slowDisk: Fault<FaultArguments['disk-slow']> = {
  draw: (context) => {
    const { random } = context
    const [node] = pickRunning(context, 1)
    if (node === undefined) return null
    const upTo = Math.round(10 * (LATENCY_MS_MAX / 10) ** random.next())
    return { node, 'up-to': upTo, for: random.wholeBetween(500, 6_000) }
  },
  inject: ({ cluster }, { node, 'up-to': maxMs }) => {
    const machine = cluster.machine(node)
    machine.setDiskLatency(maxMs / 4, maxMs)
    const syncsBefore = machine.syncs
    return { heal: () => machine.setDiskLatency(), bit: () => machine.syncs > syncsBefore }
  },
}

/** The next write or sync but a few fails with EIO: the process must end and may come back. */
export const failDisk: Fault<FaultArguments['disk-error']> = {
  draw: (context) => {
    const { random } = context
    const [node] = pickRunning(context, 1)
    if (node === undefined) return null
    const operation = random.pick(['write', 'sync', 'syncDirectory'] as const)
    const store = random.chance(0.3)
    const nth = 1 + random.below(OPERATIONS_MAX)
    return { node, operation, store, nth, for: random.wholeBetween(2_000, 5_000) }
  },
  inject: ({ world, cluster }, { node, operation, store, nth }) => {
    const machine = cluster.machine(node)
    const { process } = machine
    if (!process.alive) return null
    let left = nth
    let failed = false
    const hook = (happening: DiskOperation, path: string): void => {
      if (happening !== operation || failed || machine.process !== process) return
      left -= 1
      if (left > 0) return
      failed = true
      world.note(node, `EIO at ${operation} ${path}`)
      world.process.schedule(HALT_BUDGET_MS, 'must-have-halted', () => {
        if (process.alive && !process.paused) world.fail(`${node} goes on after EIO at ${operation} ${path}`)
      })
      throw new DiskError('EIO', `${operation} ${path}: injected EIO`)
    }
    if (store) machine.failStoreWrite(nth)
    else machine.hooks.add(hook)
    return {
      heal: () => {
        machine.hooks.delete(hook)
        machine.failStoreWrite(0)
      },
      bit: () => !process.alive && machine.haltsByDisk.has(process),
    }
  },
}

/** No room, or nearly none: writes are refused or led elsewhere, and what needs room all the same halts. */
export const fillDisk: Fault<FaultArguments['disk-full']> = {
  draw: (context) => {
    const { random } = context
    const [node] = pickRunning(context, 1)
    if (node === undefined) return null
    const free = random.chance(0.3) ? 0 : random.below(FREE_BYTES_MAX)
    return { node, free, for: random.wholeBetween(2_000, 6_000) }
  },
  inject: ({ world, cluster }, { node, free }) => {
    const machine = cluster.machine(node)
    const { process, disk } = machine
    disk.capacityBytes = disk.usedBytes + free
    let healed = false
    let seen = false
    const look = (): void => {
      if (healed) return
      seen ||= machine.status()?.lowOnSpace === true || machine.haltsByDisk.has(process)
      world.process.schedule(SPACE_POLL_MS, 'space', look)
    }
    look()
    return {
      heal: () => {
        healed = true
        disk.capacityBytes = Number.MAX_SAFE_INTEGER
      },
      bit: () => seen,
    }
  },
}

/**
 * Bits flip in log or state store while the node is down. At most one machine of a run is damaged, so that a majority of every
 * group stays whole. What is damaged must be found, by a refused start or a condemned replica, and is never served.
 */
export const rotBits: Fault<FaultArguments['bit-rot']> = {
  draw: (context) => {
    const { cluster, random } = context
    const damaged = cluster.machines.find((machine) => machine.damaged)
    const [node] = damaged === undefined ? pickRunning(context, 1) : [damaged.name]
    if (node === undefined || !cluster.machine(node).running) return null
    const power = random.chance(0.5)
    const flips = 1 + random.below(FLIPS_MAX)
    const store = random.chance(0.5)
    const back = random.wholeBetween(50, 1_000)
    const chance = random.below(CHANCE_MAX)
    return { node, power, store, flips, chance, back, for: back + random.wholeBetween(1_000, 4_000) }
  },
  inject: ({ world, cluster }, { node, power, store, flips, chance, back }) => {
    const machine = cluster.machine(node)
    if (!machine.running || cluster.machines.some((other) => other.damaged && other !== machine)) return null
    cluster.crashNode(node, { powerLoss: power })
    machine.damaged = true
    const random = new SeededRandom(chance, 'flips')
    for (let flip = 0; flip < flips; flip++)
      world.note(node, store ? machine.rotStore() : machine.rotLog(random))
    world.process.schedule(back, 'restart', () => cluster.restartNode(node))
    return {
      heal: () => {
        if (!machine.refused) cluster.restartNode(node)
      },
      bit: () =>
        machine.refused || machine.status()?.shards.some(({ state }) => state === 'condemned') === true,
    }
  },
}
