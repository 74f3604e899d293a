// A host ticks only replicas that ask for it: what they do not ask for would have changed nothing.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Effects, Raft } from '../src/index.ts'
import { perform, weights } from './support/chaos.ts'
import type { Operation } from './support/chaos.ts'
import { Lone } from './support/lone.ts'
import { World } from './support/world.ts'

const kinds = Object.keys(weights) as Operation['kind'][]

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(...kinds.map((kind) => ({ weight: weights[kind], arbitrary: fc.constant(kind) }))),
  a: fc.nat(0xffff),
  b: fc.nat(0xffff),
})

const scenario = fc.record({
  seed: fc.nat(),
  voters: fc.integer({ min: 1, max: 5 }),
  operations: fc.array(operation, { minLength: 100, maxLength: 400, size: 'max' }),
})

const facts = ({
  role,
  currentTerm,
  leader,
  commitIndex,
  lastIndex,
  nextTickAt,
  silentAt,
}: Raft): unknown => [[role, currentTerm, leader, commitIndex, lastIndex], nextTickAt, silentAt]

const nothing: Effects = {
  send: [],
  persist: null,
  sendAfterPersist: [],
  appended: [],
  dropped: null,
  commitIndex: null,
  reads: [],
  readsDropped: [],
  snapshotWanted: [],
  status: null,
}

/** Holds every tick that nobody asked for against what it did. */
class Watched extends World {
  idle = 0

  override tick(id: number): void {
    const { raft } = this.host(id)
    if (raft === null || this.now >= Math.min(raft.nextTickAt, raft.silentAt)) return super.tick(id)
    const { role, currentTerm, leader, commitIndex, lastIndex } = raft
    const effects = this.step(id, { type: 'tick' })
    this.idle += 1
    expect(effects).toEqual(nothing)
    expect([raft.role, raft.currentTerm, raft.leader]).toEqual([role, currentTerm, leader])
    expect([raft.commitIndex, raft.lastIndex]).toEqual([commitIndex, lastIndex])
  }
}

function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('a tick', () => {
  test('before the moment that the replica names changes nothing, in any state that chaos leads to', () => {
    let idle = 0
    fc.assert(
      fc.property(scenario, ({ seed, voters, operations }) => {
        const world = new Watched({ voters: [1, 2, 3, 4, 5].slice(0, voters), draw: chance(seed) })
        world.settle(1_000)
        for (const each of operations) perform(world, each)
        idle += world.idle
      }),
      { numRuns: 60 },
    )
    expect(idle).toBeGreaterThan(1_000)
  })

  test('is not needed by a follower that hears its leader, and then at its election deadline', () => {
    const lone = new Lone({ term: 1 })
    lone.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 0 })
    expect([lone.raft.nextTickAt, lone.raft.silentAt]).toEqual([Infinity, lone.now + 300])
  })

  test('is needed by a leader for what is unanswered, and else when it loses contact', () => {
    const lone = new Lone()
    lone.lead()
    // Nobody has answered in this term yet: they are asked again, but not in a hurry.
    expect(lone.raft.nextTickAt).toBe(lone.now + 600)
    lone.step({ type: 'confirmed', from: 2, term: lone.raft.currentTerm, round: 1, sentAt: lone.now })
    expect(lone.raft.nextTickAt).toBe(lone.now + 100)
    lone.accepted(2, 1)
    lone.accepted(3, 1)
    expect([lone.raft.nextTickAt, lone.raft.silentAt]).toEqual([Infinity, lone.now + 600])
  })

  test('a heartbeat stepped late, at the moment it was heard, leaves the replica as one stepped in time', () => {
    const [prompt, late] = [new Lone({ term: 1 }), new Lone({ term: 1 })]
    for (const at of [0, 50, 100, 150]) {
      prompt.raft.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 0, now: 10_000 + at, draw: 0.5 })
    }
    for (const at of [0, 150]) {
      late.raft.step({ type: 'heartbeat', from: 2, term: 1, commitIndex: 0, now: 10_000 + at, draw: 0.5 })
    }
    expect(facts(late.raft)).toEqual(facts(prompt.raft))
  })
})
