// Reads on a lease (dissertation 6.4.1): when there is one, and that nobody else can commit while it lasts.
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { Configuration } from '../src/index.ts'
import { perform } from './support/chaos.ts'
import type { Operation } from './support/chaos.ts'
import { Lone } from './support/lone.ts'
import { chance, numRuns, runsTimeoutMs } from './support/scenario.ts'
import { World, configurationOf } from './support/world.ts'

vi.setConfig({ testTimeout: runsTimeoutMs })

/** A quarter of the shortest election timeout. */
const LEASE_MS = 75

/** A leader of term 2 whose no-op is committed; nobody has confirmed anything. */
function leader(configuration: Configuration = configurationOf([1, 2, 3])): Lone {
  const lone = new Lone({ term: 1, configuration })
  lone.lead()
  for (const peer of configuration.voters) if (peer !== 1) lone.accepted(peer, 1)
  return lone
}

const confirm = (lone: Lone, from: number, sentAt: number, term = 2): void =>
  void lone.step({ type: 'confirmed', from, term, round: 1, sentAt })

/** When the lease began, null without one. */
function began(lone: Lone): number | null {
  const until = lone.raft.leaseUntil(lone.now)
  return until === 0 ? null : until - LEASE_MS
}

describe('a lease', () => {
  test('counts from the send of the heartbeat that a quorum has answered, not from the answers (rule 7)', () => {
    const lone = leader()
    const sentAt = lone.now
    expect([lone.raft.confirmedSentAt(lone.now), lone.raft.leaseUntil(lone.now)]).toEqual([null, 0])
    lone.now += 40
    confirm(lone, 3, sentAt)
    expect(lone.raft.confirmedSentAt(lone.now)).toBe(sentAt)
    expect(lone.raft.leaseUntil(lone.now)).toBe(sentAt + LEASE_MS)
  })

  test('D12: answers that overtake one another neither shorten nor lengthen it', () => {
    const lone = leader()
    const first = lone.now
    lone.now += 50
    const second = lone.now
    confirm(lone, 2, second)
    expect(began(lone)).toBe(second)
    confirm(lone, 2, first)
    confirm(lone, 3, first)
    expect(began(lone)).toBe(second)
    confirm(lone, 3, lone.now + 9_999)
    expect(began(lone)).toBe(lone.now)
  })

  test.each([
    [
      [1, 2, 3],
      [{ 2: 10 }, 10],
    ],
    [
      [1, 2, 3, 4],
      [{ 2: 10, 3: 20 }, 10],
    ],
    [
      [1, 2, 3, 4, 5],
      [{ 2: 10, 3: 20, 4: 30 }, 20],
    ],
    [
      [1, 2, 3, 4, 5],
      [{ 2: 10 }, null],
    ],
    [
      [1, 2],
      [{}, null],
    ],
  ] as const)(
    'of %j with %j: the newest send that a majority, the leader included, has answered',
    (voters, [sent, expected]) => {
      const lone = leader(configurationOf(voters))
      const base = lone.now
      lone.now += 50
      for (const [peer, after] of Object.entries(sent)) confirm(lone, Number(peer), base + after)
      expect(began(lone)).toBe(expected === null ? null : base + expected)
    },
  )

  test('a sole voter always has one: there is nobody else to be elected', () => {
    const lone = leader(configurationOf([1], [2]))
    lone.persist(lone.step({ type: 'propose', bytes: 1 }))
    lone.now += 5_000
    expect(began(lone)).toBe(lone.now)
  })

  test('both halves of a joint configuration have to answer, and learners count for nothing', () => {
    const lone = leader(configurationOf([1, 2, 3], [4, 5]))
    for (const peer of [2, 4, 5]) confirm(lone, peer, lone.now)
    for (const peer of [4, 5]) lone.accepted(peer, 1)
    lone.now += 30
    lone.step({ type: 'proposeConfiguration', voters: [1, 4, 5], learners: [] })
    expect(lone.raft.configuration.outgoing).toEqual([1, 2, 3])
    const sentAt = lone.now
    confirm(lone, 4, sentAt)
    expect(began(lone)).toBe(sentAt - 30)
    confirm(lone, 3, sentAt)
    expect(began(lone)).toBe(sentAt)
  })

  test('D1: there is none before an entry of the term is committed, nor an age for stale reads', () => {
    const lone = new Lone({ term: 1, terms: [1] })
    lone.lead()
    for (const peer of [2, 3]) confirm(lone, peer, lone.now)
    expect([began(lone), lone.raft.confirmedSentAt(lone.now)]).toEqual([null, null])
    lone.accepted(2, 2)
    expect(began(lone)).toBe(lone.now)
  })

  test('D2: a confirmation of another term brings none', () => {
    const lone = leader()
    confirm(lone, 2, lone.now, 1)
    confirm(lone, 3, lone.now, 3)
    expect(began(lone)).toBe(null)
  })

  test('D5: it is void as soon as a transfer begins, and for the rest of the term, whatever becomes of the transfer', () => {
    const lone = leader()
    confirm(lone, 2, lone.now)
    lone.step({ type: 'transferLeadership', to: 3 })
    expect(began(lone)).toBe(null)
    lone.now += 650
    for (const peer of [2, 3]) confirm(lone, peer, lone.now)
    lone.step({ type: 'tick' })
    expect(lone.step({ type: 'propose', bytes: 1 }).dropped).toBe(null)
    expect(began(lone)).toBe(null)
    // The age of stale reads does not depend on what may come: at that moment it did lead.
    expect(lone.raft.confirmedSentAt(lone.now)).toBe(lone.now)
  })

  test('a transfer that is refused voids nothing', () => {
    const lone = leader(configurationOf([1, 2, 3], [4]))
    confirm(lone, 2, lone.now)
    for (const to of [1, 4, 9]) lone.step({ type: 'transferLeadership', to })
    expect(began(lone)).toBe(lone.now)
  })

  test('it ends with leadership', () => {
    const lone = leader()
    confirm(lone, 2, lone.now)
    lone.step({ type: 'stepDown' })
    expect([lone.raft.leaseUntil(lone.now), lone.raft.confirmedSentAt(lone.now)]).toEqual([0, null])
  })

  test('a leader that is no voter has none: the last voter, restarted, waits for nobody', () => {
    const lone = leader(configurationOf([1, 2]))
    confirm(lone, 2, lone.now)
    lone.persist(lone.step({ type: 'proposeConfiguration', voters: [2], learners: [] }))
    expect(began(lone)).toBe(lone.now)
    lone.accepted(2, 2)
    expect([lone.raft.role, lone.raft.configuration]).toEqual(['leader', configurationOf([2])])
    confirm(lone, 2, lone.now)
    expect(began(lone)).toBe(null)
  })
})

/** A calm time in which somebody leads, then a few steps that may end it while its lease lasts. */
type Trial = readonly Step[]

interface Step {
  readonly kind: keyof typeof ownSteps | Operation['kind']
  readonly a: number
  readonly b: number
}

/** All but a leader, all but one, or any: the first two are what leases are lost to. */
function someOf(world: World, choice: number): Set<number> {
  const ids = [...world.hosts.keys()]
  const bits = Math.floor(choice / 3)
  if (choice % 3 === 0) return new Set(ids.filter((id) => world.host(id).raft?.role !== 'leader'))
  if (choice % 3 === 1) return new Set(ids.filter((id) => id !== ids[bits % ids.length]))
  return new Set(ids.filter((id) => ((bits >> id) & 1) === 1))
}

function meet(world: World, ids: ReadonlySet<number>, ms: number): void {
  world.now += ms
  for (const id of ids) world.tick(id)
  for (const id of ids) world.heartbeat(id)
  world.among(ids)
}

const ownSteps = {
  /** All that is under way to one of them arrives, from wherever; the disk has what it was given. */
  hear: (world, a, b) => {
    const to = 1 + (a % world.hosts.size)
    world.now += b % 10
    for (const packet of world.packets.filter((each) => each.to === to)) {
      world.deliver(world.packets.indexOf(packet))
    }
    world.sync(to)
  },
  /** Some hear one another, and whoever leads them then has something committed; the others stand still. */
  meet: (world, a, b) => {
    const ids = someOf(world, a)
    meet(world, ids, b % 40)
    for (const id of ids) world.propose(id)
    world.among(ids)
  },
  /** The same for longer than an election timeout: the others have heard nobody. */
  apart: (world, a, b) => {
    const ids = someOf(world, a)
    for (let round = 0; round < 10 + (b % 6); round++) meet(world, ids, 50)
  },
  /** A moment in which those who were apart notice how long it was. */
  wake: (world, a) => {
    for (const id of someOf(world, a)) world.tick(id)
  },
  /** Crashed and back at once, with or without what the disk had not told yet. */
  restart: (world, a, b) => {
    for (const id of someOf(world, a)) {
      world.crash(id, b % 3)
      world.restart(id)
      world.tick(id)
    }
  },
} satisfies Record<string, (world: World, a: number, b: number) => void>

const step = (kind: Step['kind'], weight: number): { weight: number; arbitrary: fc.Arbitrary<Step> } => ({
  weight,
  arbitrary: fc.record({ kind: fc.constant(kind), a: fc.nat(0xffff), b: fc.nat(0xffff) }),
})

const trial: fc.Arbitrary<Trial> = fc.array(
  fc.oneof(
    step('hear', 12),
    step('meet', 10),
    step('apart', 4),
    step('wake', 2),
    step('restart', 3),
    step('round', 3),
    step('transfer', 3),
    step('read', 4),
    step('removeLeader', 3),
    step('replace', 2),
    step('addLearners', 2),
    step('change', 2),
  ),
  { minLength: 2, maxLength: 12 },
)

function play(world: World, { kind, a, b }: Step): void {
  if (kind in ownSteps) ownSteps[kind as keyof typeof ownSteps](world, a, b)
  else perform(world, { kind: kind as Operation['kind'], a, b })
}

test('while a lease lasts nobody else has one, nor commits, and no read is stale: also with transfers, restarts and joint configurations (6.4, 6.4.1; D2, D5, D12)', () => {
  const floor = { leases: 0, contestedLeases: 0, changes: 0, transfers: 0 }
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 2, max: 5 }),
      fc.array(trial, { minLength: 5, maxLength: 15, size: 'max' }),
      (seed, voters, trials) => {
        const world = new World({ voters: [1, 2, 3, 4, 5].slice(0, voters), draw: chance(seed) })
        world.addHost(voters + 1)
        // Leases are asked for after every step of every core (support/world.ts).
        for (const each of trials) {
          world.settle(700)
          for (const one of each) play(world, one)
        }
        floor.leases += world.seen.leases
        floor.contestedLeases += world.seen.contestedLeases
        floor.changes += world.seen.changes
        floor.transfers += world.seen.transfers
      },
    ),
    { numRuns },
  )
  expect(floor.leases).toBeGreaterThan(numRuns * 50)
  expect(floor.contestedLeases).toBeGreaterThan(numRuns * 2)
  expect(floor.changes).toBeGreaterThan(numRuns)
  expect(floor.transfers).toBeGreaterThan(numRuns)
})
