// Quorums as tables, and against counting by hand over every case of up to seven voters.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Configuration } from '../src/index.ts'
import { isQuorum, majority, quorumValue, voteOutcome } from '../src/quorum.ts'
import { configurationOf } from './support/world.ts'

const SIZES = [1, 2, 3, 4, 5, 6, 7]

const idsUpTo = (size: number): number[] => Array.from({ length: size }, (_, place) => place + 1)

const jointOf = (voters: readonly number[], outgoing: readonly number[]): Configuration => ({
  voters,
  outgoing,
  learners: [],
  learnersNext: [],
})

/** The outcome of an election by counting: nothing of the code under test. */
function counted(voters: readonly number[], votes: ReadonlyMap<number, boolean>): string {
  const granted = voters.filter((voter) => votes.get(voter) === true).length
  const refused = voters.filter((voter) => votes.get(voter) === false).length
  if (granted * 2 > voters.length) return 'won'
  return (voters.length - refused) * 2 > voters.length ? 'pending' : 'lost'
}

/** Every way in which `ids` can have voted: yes, no, not yet. */
function* everyVote(ids: readonly number[]): Generator<Map<number, boolean>> {
  for (let code = 0; code < 3 ** ids.length; code++) {
    const votes = new Map<number, boolean>()
    for (const [place, id] of ids.entries()) {
      const vote = Math.floor(code / 3 ** place) % 3
      if (vote > 0) votes.set(id, vote === 1)
    }
    yield votes
  }
}

function* everySubset(ids: readonly number[]): Generator<number[]> {
  for (let bits = 0; bits < 2 ** ids.length; bits++) {
    yield ids.filter((_, place) => ((bits >> place) & 1) === 1)
  }
}

describe('D11: a majority', () => {
  // Voters, needed, and how many may be missing.
  test.each([
    [1, 1, 0],
    [2, 2, 0],
    [3, 2, 1],
    [4, 3, 1],
    [5, 3, 2],
    [6, 4, 2],
    [7, 4, 3],
  ])('of %i voters is %i: %i may be missing', (voters, needed, missing) => {
    const configuration = configurationOf(idsUpTo(voters))
    expect([majority(voters), voters - majority(voters)]).toEqual([needed, missing])
    expect(isQuorum(configuration, (voter) => voter <= needed)).toBe(true)
    expect(isQuorum(configuration, (voter) => voter < needed)).toBe(false)
    expect(isQuorum(configuration, (voter) => voter > missing)).toBe(true)
    expect(isQuorum(configuration, (voter) => voter > missing + 1)).toBe(false)
  })

  test('any two quorums share a voter, also across the halves of a joint configuration', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 })
    const subset = fc.uniqueArray(fc.integer({ min: 1, max: 7 }))
    fc.assert(
      fc.property(ids, ids, subset, subset, (voters, outgoing, one, other) => {
        const joint = jointOf(voters, outgoing)
        fc.pre(isQuorum(joint, (voter) => one.includes(voter)))
        for (const configuration of [joint, configurationOf(outgoing), configurationOf(voters)]) {
          const meets = one.some((voter) => other.includes(voter))
          expect(meets || !isQuorum(configuration, (voter) => other.includes(voter))).toBe(true)
        }
      }),
    )
  })
})

describe('elections', () => {
  test.each(SIZES)('of %i voters: every combination of votes, as counted', (size) => {
    const ids = idsUpTo(size)
    const outcomes = new Set<string>()
    const wrong: unknown[] = []
    for (const votes of everyVote(ids)) {
      const outcome = voteOutcome(configurationOf(ids), votes)
      if (outcome !== counted(ids, votes)) wrong.push([outcome, ...votes])
      outcomes.add(outcome)
    }
    expect(wrong).toEqual([])
    expect([...outcomes].toSorted()).toEqual(['lost', 'pending', 'won'])
  })

  test('of every joint configuration of five: won by both halves, lost by either, else pending', () => {
    const ids = idsUpTo(5)
    const wrong: unknown[] = []
    let checked = 0
    for (const voters of everySubset(ids)) {
      for (const outgoing of everySubset(ids)) {
        if (voters.length === 0 || outgoing.length === 0) continue
        for (const votes of everyVote(ids)) {
          const halves = [counted(voters, votes), counted(outgoing, votes)]
          const expected = halves.includes('lost') ? 'lost' : halves.includes('pending') ? 'pending' : 'won'
          const outcome = voteOutcome(jointOf(voters, outgoing), votes)
          if (outcome !== expected) wrong.push([voters, outgoing, outcome, ...votes])
          checked++
        }
      }
    }
    expect(wrong).toEqual([])
    expect(checked).toBe(31 * 31 * 3 ** 5)
  })

  const joint = { voters: [1, 2, 3], outgoing: [3, 4, 5], learners: [6], learnersNext: [] }
  test.each([
    [[1, 2], [], 'pending'],
    [[1, 2, 3, 4], [], 'won'],
    [[1, 2, 4, 5], [], 'won'],
    [[1, 2, 3], [4, 5], 'lost'],
    [[3, 4, 5], [1, 2], 'lost'],
    [[6], [], 'pending'],
    [[1, 2, 6], [5], 'pending'],
  ])(
    'granted by %j and refused by %j, (1 2 3; outgoing 3 4 5; learner 6) is %s',
    (granted, refused, outcome) => {
      const votes = new Map([
        ...granted.map((id) => [id, true] as const),
        ...refused.map((id) => [id, false] as const),
      ])
      expect(voteOutcome(joint, votes)).toBe(outcome)
    },
  )

  test('nobody wins a configuration without voters', () => {
    expect(voteOutcome(configurationOf([]), new Map([[1, true]]))).toBe('lost')
  })
})

describe('the value that a quorum has reached: committed index, confirmed round, start of a lease', () => {
  test.each([
    [[1], [], { 1: 7 }, 7],
    [[1, 2], [], { 1: 7, 2: 5 }, 5],
    [[1, 2, 3], [], { 1: 7, 2: 5, 3: 1 }, 5],
    [[1, 2, 3, 4], [], { 1: 7, 2: 5, 3: 1, 4: 9 }, 5],
    [[1, 2, 3, 4, 5], [], { 1: 7, 2: 5, 3: 1, 4: 9, 5: 2 }, 5],
    [[1, 2, 3, 4, 5, 6], [], { 1: 7, 2: 5, 3: 1, 4: 9, 5: 2, 6: 6 }, 5],
    [[1, 2, 3, 4, 5, 6, 7], [], { 1: 7, 2: 5, 3: 1, 4: 9, 5: 2, 6: 6, 7: 3 }, 5],
    [[1, 2, 3], [], { 1: 7 }, 0],
    [[1, 2, 3], [], { 1: 7, 9: 8 }, 0],
    [[1, 2, 3], [3, 4, 5], { 1: 9, 2: 9, 3: 0, 4: 4, 5: 2 }, 2],
    [[1, 2, 3], [1, 2, 3, 4], { 1: 9, 2: 9, 3: 0, 4: 4 }, 4],
    [[1, 2], [1, 2, 3], { 1: 9, 2: 3, 3: 9 }, 3],
    [[1], [1, 2, 3], { 1: 9, 2: 3, 3: 4 }, 4],
    [[2, 3], [1, 2, 3], { 1: 9, 2: 3, 3: 4 }, 3],
    [[4, 5, 6], [1, 2, 3], { 1: 9, 2: 9, 3: 9, 4: 1 }, 0],
    [[1], [2], { 1: 9, 2: 3 }, 3],
    [[], [], {}, -Infinity],
  ])('of %j with outgoing %j and %j is %d', (voters, outgoing, values, expected) => {
    const known = new Map(Object.entries(values))
    expect(quorumValue(jointOf(voters, outgoing), (voter) => known.get(String(voter)) ?? 0)).toBe(expected)
  })

  test.each(SIZES)(
    'of %i voters: the largest that more than half have, for values in every order',
    (size) => {
      const ids = idsUpTo(size)
      // Values 0..2 in every combination: all orders and ties.
      const wrong: unknown[] = []
      for (let code = 0; code < 3 ** size; code++) {
        const values = ids.map((_, place) => Math.floor(code / 3 ** place) % 3)
        const expected = Math.max(
          ...values.filter((value) => values.filter((other) => other >= value).length * 2 > size),
        )
        const reached = quorumValue(configurationOf(ids), (voter) => values[voter - 1] ?? 0)
        if (reached !== expected) wrong.push([values, reached])
      }
      expect(wrong).toEqual([])
    },
  )

  test('of a joint configuration: the lesser of its halves', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 })
    fc.assert(
      fc.property(
        ids,
        ids,
        fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }),
        (voters, outgoing, values) => {
          const valueOf = (voter: number): number => values[voter - 1] ?? 0
          expect(quorumValue(jointOf(voters, outgoing), valueOf)).toBe(
            Math.min(
              quorumValue(configurationOf(voters), valueOf),
              quorumValue(configurationOf(outgoing), valueOf),
            ),
          )
        },
      ),
    )
  })
})
