// Faults of whole data directories: emptied, or put back as they were some time ago.
import type { FaultArguments } from '../schedule/fault-shapes.ts'
import { type DrawContext, type Fault, type FaultContext, type FaultEffect, pickRunning } from './fault.ts'
import { CHANCE_MAX, SeededRandom } from './seeded-random.ts'
import type { SimulatedMachine } from './simulated-machine.ts'

/** A peer that knows better must have made an old copy halt by then: several redials, greetings and heartbeats. */
const REFUSAL_BUDGET_MS = 4_000
const SETTLE_POLL_MS = 50
/** Lives between the copy and its return. */
const LIVES_MAX = 2

/**
 * The directory is gone, the node comes back under the same flags: as a blank node, which is somebody else. At most one
 * machine of a run is damaged, so that a majority of every group stays whole.
 */
export const wipe: Fault<FaultArguments['wipe']> = {
  draw: (context) => {
    const { random } = context
    const node = pickUndamaged(context)
    if (node === null) return null
    const power = random.chance(0.5)
    const back = random.wholeBetween(50, 2_000)
    return { node, power, back, for: back + random.wholeBetween(500, 3_000) }
  },
  inject: (context, { node, power, back }) => {
    const machine = takeUndamaged(context, node)
    if (machine === null) return null
    const { world, cluster } = context
    cluster.crashNode(node, { powerLoss: power })
    machine.wipe()
    world.process.schedule(back, 'restart', () => cluster.restartNode(node))
    return { heal: () => cluster.restartNode(node), bit: () => true }
  },
}

/**
 * A copy of the directory is made while the node is down; later the node runs from it again. What it acknowledged in
 * between it does not know, so it must halt before it is believed. Peers know by what they remember of it: they all run and
 * have met its newest life, as the product asks for.
 */
export const restoreOldCopy: Fault<FaultArguments['old-copy']> = {
  draw: (context) => {
    const { random } = context
    const node = pickUndamaged(context)
    if (node === null) return null
    const lives = 1 + random.below(LIVES_MAX)
    return { node, lives, chance: random.below(CHANCE_MAX), for: random.wholeBetween(8_000, 12_000) }
  },
  inject: (context, { node, lives, chance }) => {
    const machine = takeUndamaged(context, node)
    return machine === null ? null : liveOn(context, machine, lives, new SeededRandom(chance, 'lives'))
  },
}

function liveOn(
  context: FaultContext,
  machine: SimulatedMachine,
  lives: number,
  random: SeededRandom,
): FaultEffect {
  const { world, cluster } = context
  const { name } = machine
  cluster.crashNode(name, { powerLoss: random.chance(0.5) })
  const copy = machine.copyDirectory()
  let left = lives
  let healed = false
  let putBack = false
  const live = (): void => {
    left -= 1
    cluster.restartNode(name)
    world.process.schedule(random.between(500, 1_500), 'crash', last)
  }
  const last = (): void => {
    if (healed || !machine.running) return
    // Somebody may have restarted and forgotten: then nobody could tell.
    if (!world.weather.calm || !cluster.machines.every((other) => other === machine || other.hears(name)))
      return void world.process.schedule(SETTLE_POLL_MS, 'crash', last)
    cluster.crashNode(name, { powerLoss: random.chance(0.5) })
    if (left > 0) return void world.process.schedule(random.between(20, 200), 'restart', live)
    machine.restoreDirectory(copy)
    putBack = true
    world.note(name, 'starts from an old copy of its directory')
    cluster.restartNode(name)
    expectRefusal(context, machine, 0)
  }
  world.process.schedule(random.between(20, 200), 'restart', live)
  return {
    heal: () => {
      healed = true
      if (!machine.refused) cluster.restartNode(name)
    },
    bit: () => putBack && machine.refused,
  }
}

/** Counts the time in which it ran and could reach everybody. */
function expectRefusal(context: FaultContext, machine: SimulatedMachine, seenMs: number): void {
  const { world, cluster } = context
  world.process.schedule(SETTLE_POLL_MS, 'must-refuse', () => {
    if (machine.refused) return
    if (seenMs > REFUSAL_BUDGET_MS)
      return world.fail(`${machine.name} runs from an old copy of its directory`)
    const reachable = world.weather.calm && cluster.machines.every((other) => other.status() !== null)
    expectRefusal(context, machine, reachable ? seenMs + SETTLE_POLL_MS : 0)
  })
}

/** Somebody that runs, if no machine of the run is damaged yet. */
function pickUndamaged(context: DrawContext): string | null {
  if (context.cluster.machines.some(({ damaged }) => damaged)) return null
  return pickRunning(context, 1)[0] ?? null
}

/** From now on it is the damaged one of the run. */
function takeUndamaged({ cluster }: FaultContext, name: string): SimulatedMachine | null {
  const machine = cluster.machine(name)
  if (!machine.running || cluster.machines.some(({ damaged }) => damaged)) return null
  machine.damaged = true
  return machine
}
