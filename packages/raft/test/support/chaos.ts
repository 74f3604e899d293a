// Random operations over a world: what a fault schedule of the core's environment can do.
import type { World } from './world.ts'

/** `a` and `b` choose among what exists when the operation runs. */
export interface Operation {
  readonly kind: keyof typeof operations
  readonly a: number
  readonly b: number
}

type Run = (world: World, a: number, b: number) => void

/** Founders and joiners. */
const HOSTS_MAX = 7

const pick = <Item>(items: readonly Item[], choice: number): Item | undefined => items[choice % items.length]

const ids = (world: World): number[] => [...world.hosts.keys()]

const someone = (world: World, choice: number): number => pick(ids(world), choice) ?? 0

/** Mostly a leader: elsewhere the operation would just be refused. */
const leaderOrSomeone = (world: World, choice: number): number =>
  choice % 8 === 0 ? someone(world, choice) : (pick(world.leaders, choice)?.id ?? someone(world, choice))

const byBits = (world: World, bits: number): number[] =>
  ids(world).filter((_, place) => ((bits >> place) & 1) === 1)

const operations = {
  deliver: (world, a) => {
    if (world.packets.length > 0) world.deliver(a % world.packets.length)
  },
  deliverOldest: (world) => world.deliver(0),
  duplicate: (world, a) => {
    if (world.packets.length > 0) world.deliver(a % world.packets.length, true)
  },
  drop: (world, a) => {
    if (world.packets.length > 0) world.drop(a % world.packets.length)
  },
  isolate: (world, a) => {
    const lonely = someone(world, a)
    for (let position = world.packets.length - 1; position >= 0; position--) {
      const packet = world.packets[position]
      if (packet?.from === lonely || packet?.to === lonely) world.drop(position)
    }
  },
  advance: (world, a) => world.advance(a % 120),
  advanceOne: (world, a, b) => {
    world.now += b % 40
    world.tick(someone(world, a))
  },
  heartbeat: (world, a) => world.heartbeat(leaderOrSomeone(world, a)),
  sync: (world, a, b) => world.sync(someone(world, a), 1 + (b % 3)),
  propose: (world, a, b) => void world.propose(leaderOrSomeone(world, a), b % 300),
  read: (world, a) => void world.read(leaderOrSomeone(world, a)),
  crash: (world, a, b) => world.crash(someone(world, a), b % 3),
  restart: (world, a) => {
    const down = pick(
      [...world.hosts.values()].filter(({ raft }) => raft === null),
      a,
    )
    if (down !== undefined) world.restart(down.id)
  },
  compact: (world, a, b) => world.compact(someone(world, a), b % 3 === 0 ? b % 7 : 0),
  transfer: (world, a, b) => {
    const from = leaderOrSomeone(world, a)
    const voters = world.host(from).raft?.configuration.voters.filter((id) => id !== from) ?? []
    world.step(from, { type: 'transferLeadership', to: pick(voters, b) ?? someone(world, b) })
  },
  stepDown: (world, a) => void world.step(someone(world, a), { type: 'stepDown' }),
  leaderLost: (world, a) => {
    const leader = world.host(someone(world, a)).raft?.leader ?? null
    if (leader !== null) world.step(someone(world, a), { type: 'leaderLost', from: leader })
  },
  change: (world, a, b) => {
    const voters = byBits(world, b)
    const learners = byBits(world, b >> 5).filter((id) => !voters.includes(id))
    world.step(leaderOrSomeone(world, a), { type: 'proposeConfiguration', voters, learners })
  },
  /** A change that can succeed: everyone who is not a voter becomes a learner, or a learner a voter. */
  addLearners: (world, a) => {
    const [leader] = world.leaders
    if (leader?.raft === null || leader === undefined) return
    const { voters, learners } = leader.raft.configuration
    const promoted = a % 2 === 0 ? [] : learners
    world.step(leader.id, {
      type: 'proposeConfiguration',
      voters: [...voters, ...promoted],
      learners: ids(world).filter((id) => !voters.includes(id) && !promoted.includes(id)),
    })
  },
  /** One voter for one learner that can have caught up. */
  replace: (world, a, b) => {
    const [leader] = world.leaders
    if (leader?.raft === null || leader === undefined) return
    const { voters, learners } = leader.raft.configuration
    const leaving = pick(voters, a)
    const coming = pick(learners, b)
    if (coming === undefined) return
    world.step(leader.id, {
      type: 'proposeConfiguration',
      voters: [...voters.filter((id) => id !== leaving), coming],
      learners: learners.filter((id) => id !== coming),
    })
  },
  removeLeader: (world, a) => {
    const [leader] = world.leaders
    if (leader?.raft === null || leader === undefined) return
    const { voters, learners } = leader.raft.configuration
    world.step(leader.id, {
      type: 'proposeConfiguration',
      voters: voters.filter((id) => id !== leader.id),
      learners: a % 2 === 0 ? learners : [...learners, leader.id],
    })
  },
  /** A new replica: it knows nobody until a leader adds it. */
  join: (world) => {
    if (world.hosts.size < HOSTS_MAX) world.addHost(world.hosts.size + 1)
  },
  /** Power loss everywhere; `b` decides what each disk still got. */
  blackout: (world, a, b) => {
    for (const id of ids(world)) world.crash(id, (b >> id) % 3)
    world.now += a % 500
    for (const id of ids(world)) world.restart(id)
  },
  unavailable: (world, a, b) =>
    void world.step(leaderOrSomeone(world, a), { type: 'unavailable', peer: someone(world, b) }),
  lateSnapshot: (world, a) => world.installAgain(a),
  /** A round of heartbeats that everybody answers at once: what leases live from. */
  round: (world, a) => {
    world.heartbeat(leaderOrSomeone(world, a))
    for (const kind of ['heartbeat', 'confirmed'] as const) {
      for (const packet of world.packets.filter(({ parcel }) => parcel.kind === kind)) {
        world.deliver(world.packets.indexOf(packet))
      }
    }
  },
  calm: (world, a) => world.settle(a % 700),
} satisfies Record<string, Run>

export const weights: Readonly<Record<keyof typeof operations, number>> = {
  deliver: 30,
  deliverOldest: 30,
  duplicate: 6,
  drop: 5,
  isolate: 2,
  advance: 10,
  advanceOne: 5,
  heartbeat: 8,
  sync: 24,
  propose: 16,
  read: 5,
  crash: 2,
  restart: 5,
  compact: 6,
  transfer: 4,
  stepDown: 1,
  leaderLost: 1,
  change: 3,
  addLearners: 5,
  replace: 4,
  removeLeader: 1,
  join: 1,
  blackout: 1,
  unavailable: 1,
  lateSnapshot: 1,
  round: 5,
  calm: 6,
}

export function perform(world: World, { kind, a, b }: Operation): void {
  operations[kind](world, a, b)
}

/** Heals everything and waits. */
export function heal(world: World): void {
  for (const id of world.hosts.keys()) world.restart(id)
  world.packets = world.packets.filter(({ parcel }) => parcel.kind === 'snapshot')
  world.settle(6_000)
}
