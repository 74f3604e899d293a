// Faults of processes and their clocks: stalls, clocks that run wrong or jump, leaderships that move, clients that die.
import { asRate } from '../schedule/argument.ts'
import type { FaultArguments } from '../schedule/fault-shapes.ts'
import { busiestLeader, type Fault, type FaultContext, type FaultEffect, pickRunning } from './fault.ts'

const STALL_MS_MIN = 100
/** Longer than every timeout of elections, reads and clients. */
const STALL_MS_MAX = 10_000
const HOUR_MS = 3_600_000

/** Stands still, then gets at once what has come meanwhile; often the leader. */
export const pause: Fault<FaultArguments['pause']> = {
  draw: (context) => {
    const { random } = context
    const node = (random.chance(0.5) ? busiestLeader(context) : null) ?? pickRunning(context, 1)[0]
    if (node === undefined) return null
    return { node, for: Math.round(STALL_MS_MIN * (STALL_MS_MAX / STALL_MS_MIN) ** random.next()) }
  },
  inject: ({ cluster }, { node }) => {
    const { process } = cluster.machine(node)
    if (!process.alive) return null
    process.pause()
    return { heal: () => process.resume(), bit: () => process.deferredSinceStart > 0 }
  },
}

export const skewClock: Fault<FaultArguments['clock']> = {
  draw: (context) => {
    const { random } = context
    const [node] = pickRunning(context, 1)
    if (node === undefined) return null
    const wall = random.chance(0.3) ? HOUR_MS : random.wholeBetween(-5_000, 5_000)
    return { node, rate: asRate(random.between(0.5, 2)), wall, for: random.wholeBetween(500, 5_000) }
  },
  inject: (context, { node, rate, wall }) => skew(context, node, rate, wall),
}

/** The wall clock of the busiest leader is an hour ahead (rarely an hour behind) for about a second. */
export const skewLeader: Fault<FaultArguments['leader-clock']> = {
  draw: (context) => {
    const { random } = context
    const node = busiestLeader(context)
    if (node === null) return null
    const wall = random.chance(0.8) ? HOUR_MS : -HOUR_MS
    return { node, wall, for: random.wholeBetween(500, 1_500) }
  },
  inject: (context, { node, wall }) => skew(context, node, 1, wall),
}

function skew(
  { cluster }: FaultContext,
  node: string,
  rate: number,
  wallOffsetMs: number,
): FaultEffect | null {
  const { process } = cluster.machine(node)
  // Time cannot pass at no speed.
  if (!process.alive || rate === 0) return null
  process.skew({ rate, wallOffsetMs })
  return { heal: () => process.skew({ rate: 1, wallOffsetMs: 0 }), bit: () => true }
}

/** One led group, or all that a node leads, go to other voters. */
export const transferLeadership: Fault<FaultArguments['transfer']> = {
  draw: (context) => {
    const { random } = context
    const led = ledGroups(context)
    if (led.length === 0) return null
    const one = random.pick(led)
    const moved = random.chance(0.3) ? led.filter(({ node }) => node === one.node) : [one]
    return {
      node: one.node,
      groups: moved.map(({ group }) => group),
      for: random.wholeBetween(200, 1_500),
    }
  },
  inject: (context, { node, groups }) => {
    const { cluster } = context
    const moved = ledGroups(context).filter((one) => one.node === node && groups.includes(one.group))
    if (moved.length === 0) return null
    cluster.machine(node).transferLeadership(groups)
    return {
      heal: () => {},
      bit: () =>
        ledGroups(context).some(
          (now) =>
            now.node !== node && moved.some(({ group, term }) => group === now.group && term < now.term),
        ),
    }
  },
}

function ledGroups({
  cluster,
}: FaultContext): { readonly node: string; readonly group: number; readonly term: number }[] {
  return cluster
    .statuses()
    .flatMap(({ id, shards }) =>
      shards.filter(({ role }) => role === 'leader').map(({ group, term }) => ({ node: id, group, term })),
    )
}

/** A client dies with its operation under way; another takes its place. */
export const crashClient: Fault<FaultArguments['client-crash']> = {
  draw: ({ clients, random }) => {
    const client = clients.pickVictim(random)
    return client === null ? null : { client, for: random.wholeBetween(50, 1_000) }
  },
  inject: ({ clients }, { client }) => {
    const crashed = clients.crash(client)
    return crashed === null ? null : { heal: () => clients.startOne(), bit: () => crashed.hadWork }
  },
}
