// Each reason for which a leader does not answer by its lease, and a replica not from what it has.
import type { Answer, ErrorCode } from '@quorate/protocol'
import type { ReadStep } from '@quorate/state-machine'
import { describe, expect, it } from 'vitest'
import type { ReplicaHost } from '../src/replica/host.ts'
import type { QueuedRead } from '../src/replica/read-queue.ts'
import type { Replica } from '../src/replica/replica.ts'
import { Shard } from '../src/replica/shard.ts'
import type { StateHashes } from '../src/replica/state-hashes.ts'

const NOW = 10_000
const LEADER_TIME = 900

/** One shard whose replica, state and host are what the test says. */
class World {
  now = NOW
  isLeader = true
  condition = 'live'
  commitIndex = 7
  appliedIndex = 7
  clock = 500
  /** The newest heartbeat that a quorum confirmed left then. */
  confirmedSentAt: number | null = NOW - 10
  leaseUntil = NOW + 65
  voidedAt = NOW - 1_000
  age: number | null = 30
  hasCaughtUp = true
  /** What catching up with missed confirmations changes. */
  missed: () => void = () => {}
  /** Rows have to be fetched; what happens meanwhile. */
  fetching: (() => void) | null = null
  readonly evaluated: { readonly t: number; readonly appliedIndex: number }[] = []
  /** A round was asked for. */
  rounds = 0
  readonly shard: Shard = shardOf(this)

  evaluate(t: number): ReadStep {
    this.evaluated.push({ t, appliedIndex: this.appliedIndex })
    return { type: 'answers', answers: [] }
  }
}

function shardOf(world: World): Shard {
  const state = {
    get appliedIndex() {
      return world.appliedIndex
    },
    get clock() {
      return world.clock
    },
    earliestDeadline: null,
    beginRead: (_: unknown, t: number): ReadStep =>
      world.fetching === null ? world.evaluate(t) : { type: 'fetch', ticket: {} as never, rows: [] },
    completeRead: (): ReadStep => world.evaluate(world.clock),
  }
  const replica = {
    group: 1,
    generation: 1,
    state,
    get condition() {
      return world.condition
    },
    get isLeader() {
      return world.isLeader
    },
    leaderTime: () => LEADER_TIME,
    catchUp: () => world.missed(),
    raft: {
      get commitIndex() {
        return world.commitIndex
      },
      confirmedSentAt: () => world.confirmedSentAt,
      leaseUntil: () => world.leaseUntil,
    },
    step: () => {},
  }
  const host = {
    now: () => world.now,
    leaseVoidedAt: () => world.voidedAt,
    staleAge: () => world.age,
    hasCaughtUp: () => world.hasCaughtUp,
    nextReadRound: () => 1,
    readsWait: () => {},
    turn: {
      at: () => {
        world.rounds += 1
      },
    },
    shardBytesMax: () => 0,
    store: {
      getMany: () => {
        world.fetching?.()
        return Promise.resolve([])
      },
    },
  }
  return new Shard(
    host as unknown as ReplicaHost,
    replica as unknown as Replica,
    {} as unknown as StateHashes,
  )
}

interface Heard extends QueuedRead {
  readonly heard: (ErrorCode | { readonly age: number | null | undefined })[]
}

function read(): Heard {
  const heard: Heard['heard'] = []
  return {
    keys: [new Uint8Array([1])],
    heard,
    answers: (_: readonly Answer[], age) => void heard.push({ age }),
    refused: (code) => void heard.push(code),
  }
}

describe('a lease read', () => {
  const lease = (world: World): Heard => {
    const one = read()
    world.shard.relaxedRead(one, { consistency: 'lease' })
    return one
  }

  it('is answered at once while the lease holds, at L, and asks nobody', () => {
    const world = new World()
    expect(lease(world).heard).toEqual([{ age: undefined }])
    expect(world.evaluated).toEqual([{ t: LEADER_TIME, appliedIndex: 7 }])
    expect(world.rounds).toBe(0)
  })

  it.each<[string, (world: World) => void]>([
    ['is over', (world) => (world.leaseUntil = world.now)],
    ['never was (D1: nothing of the term is committed)', (world) => (world.confirmedSentAt = null)],
    ['ended with a transfer (D5)', (world) => (world.leaseUntil = 0)],
    [
      'rests on a heartbeat from before a stall (D6)',
      (world) => (world.voidedAt = world.confirmedSentAt ?? 0),
    ],
    ['ran out while the process stood still (D6)', (world) => (world.now = world.leaseUntil + 10_000)],
  ])('waits for a round of confirmations where the lease %s', (_, change) => {
    const world = new World()
    change(world)
    expect(lease(world).heard).toEqual([])
    expect(world.evaluated).toEqual([])
    expect(world.rounds).toBe(1)
  })

  it('counts the confirmations that a quiet leader was not stepped with, also when they depose it', () => {
    const quiet = new World()
    quiet.confirmedSentAt = null
    quiet.missed = () => (quiet.confirmedSentAt = NOW - 5)
    expect(lease(quiet).heard).toEqual([{ age: undefined }])
    const deposed = new World()
    deposed.missed = () => (deposed.isLeader = false)
    expect(lease(deposed).heard).toEqual(['NOT_LEADER'])
    expect(deposed.evaluated).toEqual([])
  })

  it('waits until what was committed at its arrival is applied, and shows that at the time of its arrival', () => {
    const world = new World()
    world.commitIndex = 9
    const one = lease(world)
    // Later the lease is over and others may lead: what it read by it was settled when it came.
    world.leaseUntil = 0
    world.appliedIndex = 8
    world.shard.appliedUpTo()
    expect(one.heard).toEqual([])
    world.appliedIndex = 9
    world.shard.appliedUpTo()
    world.shard.appliedUpTo()
    expect(one.heard).toEqual([{ age: undefined }])
    expect(world.evaluated).toEqual([{ t: LEADER_TIME, appliedIndex: 9 }])
  })

  it('that waits is refused when leadership ends, and one that finds none at once', () => {
    const world = new World()
    world.commitIndex = 9
    const one = lease(world)
    world.isLeader = false
    world.shard.roleChanged()
    world.appliedIndex = 9
    world.shard.appliedUpTo()
    expect(one.heard).toEqual(['NOT_LEADER'])
    expect(lease(world).heard).toEqual(['NOT_LEADER'])
    world.condition = 'stopped'
    expect(lease(world).heard).toEqual(['REPLICA_STOPPED'])
    expect(world.evaluated).toEqual([])
  })

  it('is refused where too many wait', () => {
    const world = new World()
    world.commitIndex = 9
    for (let count = 0; count < 4_096; count += 1) expect(lease(world).heard).toEqual([])
    expect(lease(world).heard).toEqual(['OVERLOADED'])
  })
})

describe('a stale read', () => {
  const stale = (world: World, maxAge: number | null): Heard => {
    const one = read()
    world.shard.relaxedRead(one, { consistency: 'stale', maxAge })
    return one
  }
  const follower = (): World => {
    const world = new World()
    world.isLeader = false
    return world
  }

  it('is answered by any replica with the age of what it shows, evaluated at the log clock', () => {
    const world = follower()
    expect(stale(world, null).heard).toEqual([{ age: 30 }])
    expect(stale(world, 30).heard).toEqual([{ age: 30 }])
    expect(world.evaluated).toEqual([
      { t: 500, appliedIndex: 7 },
      { t: 500, appliedIndex: 7 },
    ])
  })

  it.each<[string, number | null, (world: World) => void]>([
    ['is too old', 29.9, () => {}],
    ['cannot be dated', 1e9, (world) => (world.age = null)],
    [
      'has not caught up since the start, in spite of its age (D8, D9)',
      1_000,
      (world) => (world.hasCaughtUp = false),
    ],
    [
      'has not caught up since the start, whatever may be shown (D8, D9)',
      null,
      (world) => (world.hasCaughtUp = false),
    ],
  ])('is refused where the data %s', (_, maxAge, change) => {
    const world = follower()
    change(world)
    expect(stale(world, maxAge).heard).toEqual(['TOO_OLD'])
    expect(world.evaluated).toEqual([])
  })

  it('without a limit shows also what cannot be dated, and says so', () => {
    const world = follower()
    world.age = null
    expect(stale(world, null).heard).toEqual([{ age: null }])
  })

  it('is judged as of the moment that it shows: rows take their time', async () => {
    const world = follower()
    world.fetching = () => (world.age = 5_000)
    const [limited, unlimited] = [stale(world, 30), stale(world, null)]
    await new Promise((resolve) => setImmediate(resolve))
    // The first was within its limit when it began.
    expect(limited.heard).toEqual(['TOO_OLD'])
    expect(unlimited.heard).toEqual([{ age: 5_000 }])
  })

  it('that its leader would have to refuse becomes a linearizable one there', () => {
    const world = new World()
    expect(stale(world, 1).heard).toEqual([])
    expect(world.rounds).toBe(1)
    world.hasCaughtUp = false
    expect(stale(world, null).heard).toEqual([])
    expect(world.rounds).toBe(2)
  })

  it('is refused by a replica that is no longer fit to answer, before and while it looks', async () => {
    const stopped = follower()
    stopped.condition = 'stopped'
    expect(stale(stopped, null).heard).toEqual(['REPLICA_STOPPED'])
    const dying = follower()
    dying.fetching = () => (dying.condition = 'condemned')
    const one = stale(dying, null)
    await new Promise((resolve) => setImmediate(resolve))
    expect(one.heard).toEqual(['REPLICA_STOPPED'])
    expect(dying.evaluated).toEqual([])
  })
})
