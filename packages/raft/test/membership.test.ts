// Membership as tables: what each request leads to or why it is refused; and sequences of changes whose leaders crash.
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { Configuration, Effects } from '../src/index.ts'
import { enterConfiguration, leaveConfiguration } from '../src/configuration-change.ts'
import { sorted } from '../src/membership.ts'
import { isQuorum } from '../src/quorum.ts'
import { Lone } from './support/lone.ts'
import { chance, numRuns, runsTimeoutMs } from './support/scenario.ts'
import { World, configurationOf } from './support/world.ts'

vi.setConfig({ testTimeout: runsTimeoutMs })

interface Request {
  readonly voters: readonly number[]
  readonly learners: readonly number[]
}

/** `1 2 3; 4`: voters, learners. `1 2 4; 3 | 1 2 3; 3`: voters, learners | outgoing, learners next. */
function parse(text: string): Configuration {
  const lists = text
    .split('|')
    .flatMap((half) => half.split(';'))
    .map((list) => list.trim().split(/\s+/).filter(Boolean).map(Number))
  const [voters = [], learners = [], outgoing = [], learnersNext = []] = lists
  return { voters, learners, outgoing, learnersNext }
}

/** Leads what `text` says; everybody has everything and is heard. */
function leaderOf(text: string, past: ConstructorParameters<typeof Lone>[0] = {}): Lone {
  const configuration = parse(text)
  const lone = new Lone({ term: 1, configuration, ...past })
  lone.lead()
  for (const peer of [...configuration.voters, ...configuration.learners]) {
    if (peer !== 1) lone.accepted(peer, lone.raft.lastIndex)
  }
  return lone
}

const ask = (lone: Lone, { voters, learners }: Request): Effects =>
  lone.step({ type: 'proposeConfiguration', voters, learners })

describe('what a request leads to (4.3)', () => {
  // From, asked for, entered, and left to where that is not the same.
  test.each([
    ['nothing changes', '1 2 3;', '1 2 3;', '1 2 3;', null],
    ['a learner comes', '1 2 3;', '1 2 3; 4', '1 2 3; 4', null],
    ['learners come to a group of one', '1;', '1; 2 3', '1; 2 3', null],
    ['a learner goes', '1 2 3; 4 5', '1 2 3; 5', '1 2 3; 5', null],
    ['one learner for another', '1 2 3; 4', '1 2 3; 5', '1 2 3; 5', null],
    ['a learner is promoted', '1 2 3; 4', '1 2 3 4;', '1 2 3 4; | 1 2 3;', '1 2 3 4;'],
    ['the second voter', '1; 2', '1 2;', '1 2; | 1;', '1 2;'],
    ['a voter goes', '1 2 3;', '1 2;', '1 2; | 1 2 3;', '1 2;'],
    ['all but the leader go', '1 2 3;', '1;', '1; | 1 2 3;', '1;'],
    ['a voter is demoted', '1 2 3;', '1 2; 3', '1 2; | 1 2 3; 3', '1 2; 3'],
    ['two voters are demoted', '1 2 3;', '1; 2 3', '1; | 1 2 3; 2 3', '1; 2 3'],
    ['a voter for a learner', '1 2 3; 4', '1 2 4;', '1 2 4; | 1 2 3;', '1 2 4;'],
    ['promoted for demoted', '1 2 3; 4', '1 2 4; 3', '1 2 4; | 1 2 3; 3', '1 2 4; 3'],
    ['two for two', '1 2 3; 4 5', '1 4 5;', '1 4 5; | 1 2 3;', '1 4 5;'],
    ['all for all', '1 2 3; 4 5 6', '4 5 6;', '4 5 6; | 1 2 3;', '4 5 6;'],
    ['the leader goes', '1 2 3;', '2 3;', '2 3; | 1 2 3;', '2 3;'],
    ['the leader is demoted', '1 2 3;', '2 3; 1', '2 3; | 1 2 3; 1', '2 3; 1'],
    ['a voter goes, a learner comes', '1 2 3;', '1 2; 9', '1 2; 9 | 1 2 3;', '1 2; 9'],
    ['demoted, promoted, come and go', '1 2 3; 4 5', '1 2 4; 3 9', '1 2 4; 9 | 1 2 3; 3', '1 2 4; 3 9'],
    ['asked for in any order', '1 2 3; 4', '4 2 1; 9 3', '1 2 4; 9 | 1 2 3; 3', '1 2 4; 3 9'],
  ])('%s: from (%s) by (%s) to (%s) and (%s)', (_, from, asked, entered, left) => {
    const lone = leaderOf(from)
    const effects = ask(lone, parse(asked))
    expect([effects.dropped, effects.appended[0]?.configuration]).toEqual([null, parse(entered)])
    // Where nothing is left, nothing was joint: leaving changes nothing.
    expect(leaveConfiguration(parse(entered))).toEqual(parse(left ?? entered))
    expect(lone.raft.configuration.outgoing.length > 0).toBe(left !== null)
  })
})

describe('what is refused, and why', () => {
  test.each([
    ['nobody votes', '1 2 3;', ';', 'unsafeChange'],
    ['only learners are left', '1 2 3;', '; 1 2 3', 'unsafeChange'],
    ['a stranger votes at once', '1 2 3;', '1 2 3 4;', 'unsafeChange'],
    ['a stranger replaces a voter', '1 2 3;', '1 2 4;', 'unsafeChange'],
    ['a voter twice', '1 2 3;', '1 2 2;', 'unsafeChange'],
    ['a learner twice', '1 2 3;', '1 2 3; 4 4', 'unsafeChange'],
    ['voter and learner at once', '1 2 3;', '1 2 3; 3', 'unsafeChange'],
    ['zero is no replica', '1 2 3;', '1 2 3; 0', 'unsafeChange'],
    ['a negative id', '1 2 3;', '1 2 3; -4', 'unsafeChange'],
    ['a fraction', '1 2 3;', '1 2 3; 4.5', 'unsafeChange'],
    ['an id that no integer holds', '1 2 3;', '1 2 3; 9007199254740993', 'unsafeChange'],
  ])('%s: from (%s) by (%s): %s', (_, from, asked, reason) => {
    const lone = leaderOf(from)
    const effects = ask(lone, parse(asked))
    expect([effects.dropped, effects.appended, effects.persist]).toEqual([reason, [], null])
  })

  // What the leader has heard of its peers since 700 ms, and the request.
  test.each([
    [[2, 3], '1 2 3;', '1 2;', null],
    [[2], '1 2 3;', '1 2;', null],
    [[2], '1 2 3;', '1 3;', 'unsafeChange'],
    [[3], '1 2 3;', '1 2;', 'unsafeChange'],
    [[], '1 2 3;', '1;', null],
    [[], '1 2 3;', '2 3;', 'unsafeChange'],
    [[2], '1 2 3;', '2 3;', 'unsafeChange'],
    [[2, 4], '1 2 3; 4', '1 2 4;', null],
    [[2], '1 2 3; 4', '1 2 4;', 'unsafeChange'],
    [[4], '1 2 3; 4', '1 2 3 4;', 'unsafeChange'],
    [[2, 4], '1 2 3; 4', '1 2 3 4;', null],
    [[2], '1 2 3; 4', '1 2 3;', null],
  ] as const)('rule 9, F3: with %j heard lately, from (%s) by (%s): %s', (heard, from, asked, reason) => {
    const lone = leaderOf(from)
    lone.now += 700
    for (const peer of heard) {
      lone.step({ type: 'confirmed', from: peer, term: 2, round: 1, sentAt: lone.now })
    }
    expect(ask(lone, parse(asked)).dropped).toBe(reason)
  })

  test.each([
    ['a follower', 'notLeader', (): Lone => new Lone({ term: 1 })],
    [
      'a leader without a committed entry of its term (F1)',
      'changeInFlight',
      (): Lone => {
        const lone = new Lone({ term: 1 })
        lone.lead()
        return lone
      },
    ],
    [
      'a leader with an uncommitted change of learners',
      'changeInFlight',
      (): Lone => {
        const lone = leaderOf('1 2 3;')
        ask(lone, parse('1 2 3; 4'))
        return lone
      },
    ],
    [
      'a leader in a joint configuration, also a committed one',
      'changeInFlight',
      (): Lone => {
        const lone = leaderOf('1 2 3;')
        lone.persist(ask(lone, parse('1 2;')))
        lone.accepted(2, 2)
        expect(lone.raft.configuration).toEqual(parse('1 2;'))
        return lone
      },
    ],
    [
      'a leader that found a joint configuration and has committed nothing yet (F2)',
      'changeInFlight',
      (): Lone => {
        const configurations = [
          { index: 0, configuration: parse('1 2 3;') },
          { index: 1, configuration: parse('1 2; | 1 2 3;') },
        ]
        const lone = new Lone({ term: 1, terms: [1], configurations, commitIndex: 1 })
        lone.lead()
        return lone
      },
    ],
    [
      'a leader that hands over',
      'transferring',
      (): Lone => {
        const lone = leaderOf('1 2 3;')
        lone.step({ type: 'transferLeadership', to: 2 })
        return lone
      },
    ],
  ] as const)('%s answers %s', (_, reason, make) => {
    const lone = make()
    expect(ask(lone, parse('1 2 3; 9')).dropped).toBe(reason)
  })

  // Entries of 80 bytes; the window is 100.
  test.each([
    [0, 'unsafeChange'],
    [1, 'unsafeChange'],
    [2, null],
    [3, null],
  ])('4.2.1: a learner that has %i of three entries is promoted: %s', (has, reason) => {
    const lone = leaderOf('1 2 3; 4', { limits: { inflightBytes: 100 } })
    for (let count = 0; count < 3; count++) {
      lone.persist(lone.step({ type: 'propose', bytes: 80 }))
      lone.accepted(2, lone.raft.lastIndex)
    }
    for (let index = 2; index < 2 + has; index++) lone.accepted(4, index)
    expect(ask(lone, parse('1 2 3 4;')).dropped).toBe(reason)
  })
})

describe('neighbouring configurations', () => {
  const members = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 })

  test('any quorum before a change, while it is joint and after it shares a voter with any quorum of the neighbour (4.3)', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
        members,
        members,
        members,
        (old, voters, learners, one, other) => {
          const before = configurationOf(sorted(old))
          const target = {
            voters: sorted(voters),
            learners: sorted(learners.filter((id) => !voters.includes(id))),
          }
          const joint = enterConfiguration(before, target)
          const after = joint.outgoing.length === 0 ? joint : leaveConfiguration(joint)
          expect([after.voters, after.learners]).toEqual([target.voters, sorted(target.learners)])
          for (const [left, right] of [
            [before, joint],
            [joint, after],
            [before, before],
          ] as const) {
            const both =
              isQuorum(left, (id) => one.includes(id)) && isQuorum(right, (id) => other.includes(id))
            expect(!both || one.some((id) => other.includes(id))).toBe(true)
          }
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

describe('sequences of changes whose leader crashes at any moment (F5, F6)', () => {
  const change = fc.record({
    voters: fc.integer({ min: 1, max: 63 }),
    learners: fc.nat(63),
    delivered: fc.oneof(fc.nat(3), fc.nat(14)),
    synced: fc.nat(63),
    crashed: fc.nat(63),
    survivors: fc.nat(3),
    compacted: fc.boolean(),
  })

  const byBits = (bits: number): number[] => [1, 2, 3, 4, 5, 6].filter((id) => ((bits >> (id - 1)) & 1) === 1)

  const settled = (world: World): Configuration => {
    for (const id of world.hosts.keys()) world.restart(id)
    // Split votes take several timeouts, and a joiner its snapshot.
    for (let round = 0; round < 60 && world.leaders.length !== 1; round++) world.settle(300)
    world.settle(500)
    const [leader, ...others] = world.leaders
    expect(others).toEqual([])
    return leader?.raft?.configuration ?? expect.fail('nobody leads')
  }

  test('each ends whole, as it was asked for, or not at all; nobody is left in a joint configuration', () => {
    // Each change takes two elections: dear.
    const runs = Math.ceil(numRuns / 2)
    const floor = { whole: 0, none: 0, refused: 0 }
    fc.assert(
      fc.property(fc.nat(), fc.array(change, { minLength: 2, maxLength: 6 }), (seed, changes) => {
        const world = new World({ voters: [1, 2, 3], learners: [4, 5, 6], draw: chance(seed) })
        let current = settled(world)
        for (const { voters, learners, delivered, synced, crashed, survivors, compacted } of changes) {
          const [leader] = world.leaders
          if (leader?.raft === undefined || leader.raft === null) return
          const target = { voters: byBits(voters), learners: byBits(learners & ~voters) }
          const dropped = world.step(leader.id, { type: 'proposeConfiguration', ...target })?.dropped
          for (let count = 0; count < delivered; count++) {
            world.deliver(0)
            for (const id of byBits(synced)) world.sync(id)
          }
          if (compacted) for (const id of world.hosts.keys()) world.compact(id)
          for (const id of byBits(crashed)) world.crash(id, survivors)
          world.crash(leader.id, survivors)
          world.settle(300)
          const found = settled(world)
          expect(found.outgoing).toEqual([])
          const asked = { voters: sorted(target.voters), learners: sorted(target.learners) }
          const isWhole =
            found.voters.join() === asked.voters.join() && found.learners.join() === asked.learners.join()
          const isDone = dropped === null && isWhole
          expect(found).toEqual(isDone ? { ...asked, outgoing: [], learnersNext: [] } : current)
          floor[isDone ? 'whole' : dropped === null ? 'none' : 'refused']++
          for (const member of [...found.voters, ...found.learners]) {
            expect(world.host(member).raft?.configuration, `${member}`).toEqual(found)
          }
          current = found
        }
      }),
      { numRuns: runs },
    )
    expect(floor.whole).toBeGreaterThan(runs / 4)
    expect(floor.none).toBeGreaterThan(runs / 20)
    expect(floor.refused).toBeGreaterThan(runs / 4)
  })
})
