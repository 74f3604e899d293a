// Faults of whole data directories: emptied, or put back as they were some time ago.
import { type FaultContext, type FaultEffect, running } from './fault.ts'
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
export function wipe(context: FaultContext): FaultEffect | null {
  const machine = pickUndamaged(context)
  if (machine === null) return null
  const { world, cluster, random } = context
  const { name } = machine
  cluster.crashNode(name, { powerLoss: random.chance(0.5) })
  machine.wipe()
  const backMs = random.between(50, 2_000)
  world.process.schedule(backMs, 'restart', () => cluster.restartNode(name))
  return {
    target: name,
    durationMs: backMs + random.between(500, 3_000),
    heal: () => cluster.restartNode(name),
    bit: () => true,
  }
}

/**
 * A copy of the directory is made while the node is down; later the node runs from it again. What it acknowledged in
 * between it does not know, so it must halt before it is believed. Peers know by what they remember of it: they all run and
 * have met its newest life, as the product asks for.
 */
export function restoreOldCopy(context: FaultContext): FaultEffect | null {
  const machine = pickUndamaged(context)
  if (machine === null) return null
  const { world, cluster, random } = context
  const { name } = machine
  cluster.crashNode(name, { powerLoss: random.chance(0.5) })
  const copy = machine.copyDirectory()
  let lives = 1 + random.below(LIVES_MAX)
  let healed = false
  let putBack = false
  const live = (): void => {
    lives -= 1
    cluster.restartNode(name)
    world.process.schedule(random.between(500, 1_500), 'crash', last)
  }
  const last = (): void => {
    if (healed || !machine.running) return
    // Somebody may have restarted and forgotten: then nobody could tell.
    if (!world.weather.calm || !cluster.machines.every((other) => other === machine || other.hears(name)))
      return void world.process.schedule(SETTLE_POLL_MS, 'crash', last)
    cluster.crashNode(name, { powerLoss: random.chance(0.5) })
    if (lives > 0) return void world.process.schedule(random.between(20, 200), 'restart', live)
    machine.restoreDirectory(copy)
    putBack = true
    world.note(name, 'starts from an old copy of its directory')
    cluster.restartNode(name)
    expectRefusal(context, machine, 0)
  }
  world.process.schedule(random.between(20, 200), 'restart', live)
  return {
    target: name,
    durationMs: random.between(8_000, 12_000),
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

/** Somebody that runs, if no machine of the run is damaged yet; from now on it is. */
function pickUndamaged(context: FaultContext): SimulatedMachine | null {
  const { cluster, random } = context
  if (cluster.machines.some(({ damaged }) => damaged)) return null
  const [name] = random.shuffle(running(context))
  if (name === undefined) return null
  const machine = cluster.machine(name)
  machine.damaged = true
  return machine
}
