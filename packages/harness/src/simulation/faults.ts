// What each kind of fault does to a simulated cluster: injected, it returns how to heal it and whether it bit.
import type { BoundaryHook } from '@quorate/runtime'
import { restoreOldCopy, wipe } from './directory-faults.ts'
import { failDisk, fillDisk, rotBits, slowDisk } from './disk-faults.ts'
import {
  type FaultContext,
  type FaultEffect,
  type InjectedFault,
  type Injector,
  names,
  pickRunning,
  running,
} from './fault.ts'
import { blackHole, swizzle } from './link-faults.ts'
import { changeMembers } from './membership-faults.ts'
import { crashClient, pause, skewClock, skewLeader, transferLeadership } from './process-faults.ts'
import type { FaultKind } from './swarm.ts'
import { fairClimate } from './weather.ts'

/** A crash at a boundary happens at one of so many next ones. */
const BOUNDARIES_MAX = 40

/** Null where the fault has nobody to hit at this moment. */
export function injectFault(kind: FaultKind, context: FaultContext): InjectedFault | null {
  const injected = injectors[kind](context)
  return injected === null ? null : { kind, ...injected }
}

const injectors: Record<FaultKind, Injector> = {
  crash: (context) => crash(context, pickRunning(context, 1), { powerLoss: false }),
  'crash-all': (context) => crash(context, running(context), { powerLoss: false }),
  'power-loss': (context) => crash(context, pickRunning(context, 1), { powerLoss: true }),
  'power-loss-all': (context) => crash(context, running(context), { powerLoss: true }),
  'crash-at-boundary': crashAtBoundary,
  'crash-then-power-loss': crashThenPowerLoss,
  pause,
  'partition-one': (context) => partition(context, isolate(context.random.pick(names(context)))),
  'partition-halves': (context) => {
    const shuffled = context.random.shuffle(names(context))
    const half = new Set(shuffled.slice(0, Math.ceil(shuffled.length / 2)))
    return partition(context, (from, to) => half.has(from) !== half.has(to))
  },
  'partition-bridge': bridge,
  'partition-one-way': (context) => {
    const mute = context.random.pick(names(context))
    return partition(context, (from) => from === mute)
  },
  cut: (context) => {
    const [left, right] = context.random.shuffle(names(context))
    const same = (from: string, to: string): boolean => from === left && to === right
    context.world.hub.cut((from, to) => same(from, to) || same(to, from))
    return { target: `${left}-${right}`, durationMs: 0, heal: () => {}, bit: () => true }
  },
  'slow-link': slowLink,
  'black-hole': blackHole,
  swizzle,
  clock: skewClock,
  'leader-clock': skewLeader,
  transfer: transferLeadership,
  members: changeMembers,
  'client-crash': crashClient,
  'disk-slow': slowDisk,
  'disk-error': failDisk,
  'disk-full': fillDisk,
  'bit-rot': rotBits,
  wipe,
  'old-copy': restoreOldCopy,
  storm: (context) => {
    const { world, random } = context
    const before = world.weather.climate
    const countBefore = world.weather.counts.lost + world.weather.counts.duplicated
    world.weather.climate = {
      ...fairClimate,
      delayMsMean: random.between(1, 15),
      loss: random.between(0.02, 0.3),
      duplication: random.between(0, 0.5),
      overtakingMs: random.between(0, 60),
    }
    return {
      target: 'all links',
      durationMs: random.between(500, 4_000),
      heal: () => {
        world.weather.climate = before
      },
      bit: () => world.weather.counts.lost + world.weather.counts.duplicated > countBefore,
    }
  },
}

function crash(
  { world, cluster, random }: FaultContext,
  victims: readonly string[],
  how: { readonly powerLoss: boolean },
): FaultEffect | null {
  if (victims.length === 0) return null
  for (const name of victims) cluster.crashNode(name, how)
  return {
    target: victims.join(' '),
    durationMs: random.between(50, 3_000),
    heal: () => {
      // Not all in one instant: who comes first may elect without the rest.
      for (const name of victims)
        world.process.schedule(random.between(0, 300), 'restart', () => cluster.restartNode(name))
    },
    bit: () => true,
  }
}

/** Dies in the middle of its own turn, just before one of its next writes, syncs or renames takes effect. */
function crashAtBoundary(context: FaultContext): FaultEffect | null {
  const { world, cluster, random } = context
  const [name] = pickRunning(context, 1)
  if (name === undefined) return null
  const machine = cluster.machine(name)
  const { process } = machine
  const powerLoss = random.chance(0.5)
  let left = 1 + random.below(BOUNDARIES_MAX)
  const hook: BoundaryHook = (operation, path) => {
    left -= 1
    if (left > 0) return
    machine.hooks.delete(hook)
    world.note(name, `dies at ${operation} ${path}`)
    cluster.crashNode(name, { powerLoss })
  }
  machine.hooks.add(hook)
  return {
    target: name,
    durationMs: random.between(200, 3_000),
    heal: () => {
      machine.hooks.delete(hook)
      cluster.restartNode(name)
    },
    bit: () => !process.alive,
  }
}

/** The page cache survives the first crash: what recovery read back may still be lost. */
function crashThenPowerLoss(context: FaultContext): FaultEffect | null {
  const { world, cluster, random } = context
  const victims = random.chance(0.5) ? running(context) : pickRunning(context, 1)
  if (victims.length === 0) return null
  for (const name of victims) cluster.crashNode(name, { powerLoss: false })
  const backMs = random.between(20, 500)
  const darkMs = backMs + random.between(0, 400)
  let healed = false
  world.process.schedule(backMs, 'restart', () => victims.forEach((name) => cluster.restartNode(name)))
  world.process.schedule(darkMs, 'power-loss', () => {
    if (healed) return
    for (const name of victims)
      if (cluster.machine(name).running) cluster.crashNode(name, { powerLoss: true })
  })
  return {
    target: victims.join(' '),
    durationMs: darkMs + random.between(50, 1_000),
    heal: () => {
      healed = true
      victims.forEach((name) => cluster.restartNode(name))
    },
    bit: () => true,
  }
}

function partition(
  { world, cluster, random }: FaultContext,
  severed: (from: string, to: string) => boolean,
): FaultEffect {
  const hosts = cluster.machines.map(({ name }) => name)
  const severedBefore = world.weather.counts.severed
  const cutLinks: string[] = []
  for (const from of hosts)
    for (const to of hosts)
      if (from !== to && severed(from, to)) {
        world.weather.sever(from, to)
        cutLinks.push(`${from}>${to}`)
      }
  world.applyWeather()
  return {
    target: cutLinks.join(' '),
    durationMs: random.between(200, 5_000),
    heal: () => {
      // On a link that loses frames nothing is sent again: like TCP after a long silence, the connection breaks.
      world.hub.cut((from, to) => world.weather.isBroken(from, to))
      world.weather.clear()
      world.applyWeather()
    },
    bit: () => world.weather.counts.severed > severedBefore,
  }
}

/** Two halves that only one node can see both of. */
function bridge(context: FaultContext): FaultEffect {
  const [middle, ...others] = context.random.shuffle(names(context))
  const left = new Set(others.slice(0, Math.floor(others.length / 2)))
  return partition(context, (from, to) => from !== middle && to !== middle && left.has(from) !== left.has(to))
}

function slowLink({ world, cluster, random }: FaultContext): FaultEffect {
  const [left = '', right = ''] = random.shuffle(cluster.machines.map(({ name }) => name))
  world.weather.slow(left, right, random.between(20, 800))
  return {
    target: `${left}>${right}`,
    durationMs: random.between(500, 4_000),
    heal: () => world.weather.slow(left, right, 0),
    bit: () => true,
  }
}

function isolate(name: string): (from: string, to: string) => boolean {
  return (from, to) => (from === name) !== (to === name)
}
