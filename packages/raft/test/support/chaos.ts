// Random operations over a world: what a fault schedule of the core's environment can do.
import type { World } from './world.ts'

/** `a` and `b` choose among what exists when the operation runs. */
export interface Operation {
  readonly kind: keyof typeof operations
  readonly a: number
  readonly b: number
}

type Run = (world: World, a: number, b: number) => void

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
  restart: (world, a) => world.restart(someone(world, a)),
  compact: (world, a) => world.compact(someone(world, a)),
  transfer: (world, a, b) =>
    void world.step(leaderOrSomeone(world, a), { type: 'transferLeadership', to: someone(world, b) }),
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
  propose: 12,
  read: 5,
  crash: 2,
  restart: 5,
  compact: 3,
  transfer: 2,
  stepDown: 1,
  leaderLost: 1,
  change: 3,
  addLearners: 3,
  calm: 3,
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
