// Faults of processes and their clocks: stalls, clocks that run wrong or jump, leaderships that move, clients that die.
import { busiestLeader, type FaultContext, type FaultEffect, pickRunning } from './fault.ts'

const STALL_MS_MIN = 100
/** Longer than every timeout of elections, reads and clients. */
const STALL_MS_MAX = 10_000
const HOUR_MS = 3_600_000

/** Stands still, then gets at once what has come meanwhile; often the leader. */
export function pause(context: FaultContext): FaultEffect | null {
  const { cluster, random } = context
  const name = (random.chance(0.5) ? busiestLeader(context) : null) ?? pickRunning(context, 1)[0]
  if (name === undefined) return null
  const { process } = cluster.machine(name)
  process.pause()
  const durationMs = STALL_MS_MIN * (STALL_MS_MAX / STALL_MS_MIN) ** random.next()
  return {
    target: `${name} ${durationMs.toFixed(0)} ms`,
    durationMs,
    heal: () => process.resume(),
    bit: () => process.deferredSinceStart > 0,
  }
}

export function skewClock(context: FaultContext): FaultEffect | null {
  const [name] = pickRunning(context, 1)
  if (name === undefined) return null
  const { random, cluster } = context
  const { process } = cluster.machine(name)
  const wallOffsetMs = random.chance(0.3) ? HOUR_MS : random.between(-5_000, 5_000)
  process.skew({ rate: random.between(0.5, 2), wallOffsetMs })
  return {
    target: name,
    durationMs: random.between(500, 5_000),
    heal: () => process.skew({ rate: 1, wallOffsetMs: 0 }),
    bit: () => true,
  }
}

/** The wall clock of the busiest leader is an hour ahead (rarely an hour behind) for about a second. */
export function skewLeader(context: FaultContext): FaultEffect | null {
  const name = busiestLeader(context)
  if (name === null) return null
  const { random, cluster } = context
  const { process } = cluster.machine(name)
  process.skew({ rate: 1, wallOffsetMs: random.chance(0.8) ? HOUR_MS : -HOUR_MS })
  return {
    target: name,
    durationMs: random.between(500, 1_500),
    heal: () => process.skew({ rate: 1, wallOffsetMs: 0 }),
    bit: () => true,
  }
}

/** One led group, or all that a node leads, go to other voters. */
export function transferLeadership(context: FaultContext): FaultEffect | null {
  const { cluster, random } = context
  const led = cluster
    .statuses()
    .flatMap(({ id, shards }) =>
      shards.filter(({ role }) => role === 'leader').map(({ group, term }) => ({ id, group, term })),
    )
  if (led.length === 0) return null
  const one = random.pick(led)
  const moved = random.chance(0.3) ? led.filter(({ id }) => id === one.id) : [one]
  cluster.machine(one.id).transferLeadership(moved.map(({ group }) => group))
  return {
    target: `${moved.length} groups of ${one.id}`,
    durationMs: random.between(200, 1_500),
    heal: () => {},
    bit: () =>
      cluster
        .statuses()
        .filter(({ id }) => id !== one.id)
        .some(({ shards }) =>
          shards.some(
            (shard) =>
              shard.role === 'leader' &&
              moved.some(({ group, term }) => group === shard.group && term < shard.term),
          ),
        ),
  }
}

/** A client dies with its operation under way; another takes its place. */
export function crashClient({ clients, random }: FaultContext): FaultEffect | null {
  const crashed = clients.crashOne(random)
  if (crashed === null) return null
  return {
    target: crashed.name,
    durationMs: random.between(50, 1_000),
    heal: () => clients.startOne(),
    bit: () => crashed.hadWork,
  }
}
