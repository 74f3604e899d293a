// Quorums as a table and against counting by hand.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isQuorum, majority, quorumValue, voteOutcome } from '../src/quorum.ts'
import { configurationOf } from './support/world.ts'

describe('D11: a majority of n voters', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])('of %i is %i, and one less is no quorum', (voters, needed) => {
    const ids = Array.from({ length: voters }, (_, place) => place + 1)
    const configuration = configurationOf(ids)
    expect(majority(voters)).toBe(needed)
    expect(isQuorum(configuration, (voter) => voter <= needed)).toBe(true)
    expect(isQuorum(configuration, (voter) => voter < needed)).toBe(false)
  })

  test('any two quorums share a voter, also across the halves of a joint configuration', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 7 })
    const subset = fc.uniqueArray(fc.integer({ min: 1, max: 7 }))
    fc.assert(
      fc.property(ids, ids, subset, subset, (voters, outgoing, one, other) => {
        const joint = { voters, outgoing, learners: [], learnersNext: [] }
        const old = configurationOf(outgoing)
        fc.pre(isQuorum(joint, (voter) => one.includes(voter)))
        for (const configuration of [joint, old, configurationOf(voters)]) {
          const meets = one.some((voter) => other.includes(voter))
          expect(meets || !isQuorum(configuration, (voter) => other.includes(voter))).toBe(true)
        }
      }),
    )
  })
})

describe('the value that a quorum has reached', () => {
  test.each([
    [[1], [], { 1: 7 }, 7],
    [[1, 2], [], { 1: 7, 2: 5 }, 5],
    [[1, 2, 3], [], { 1: 7, 2: 5, 3: 1 }, 5],
    [[1, 2, 3, 4], [], { 1: 7, 2: 5, 3: 1, 4: 9 }, 5],
    [[1, 2, 3, 4, 5], [], { 1: 7, 2: 5, 3: 1, 4: 9, 5: 2 }, 5],
    [[1, 2, 3], [3, 4, 5], { 1: 9, 2: 9, 3: 0, 4: 4, 5: 2 }, 2],
    [[1], [2], { 1: 9, 2: 3 }, 3],
    [[], [], {}, -Infinity],
  ])('of %j with outgoing %j and %j is %d', (voters, outgoing, values, expected) => {
    const configuration = { voters, outgoing, learners: [], learnersNext: [] }
    const known = new Map(Object.entries(values))
    expect(quorumValue(configuration, (voter) => known.get(String(voter)) ?? 0)).toBe(expected)
  })

  test('equals the largest value that more than half have, by counting', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 7 }), (values) => {
        const ids = values.map((_, place) => place + 1)
        const counted = Math.max(
          ...values.filter((value) => values.filter((other) => other >= value).length * 2 > values.length),
        )
        expect(quorumValue(configurationOf(ids), (voter) => values[voter - 1] ?? 0)).toBe(counted)
      }),
    )
  })
})

describe('votes', () => {
  const joint = { voters: [1, 2, 3], outgoing: [3, 4, 5], learners: [6], learnersNext: [] }
  test.each([
    [[1, 2], [], 'pending'],
    [[1, 2, 3, 4], [], 'won'],
    [[1, 2, 4, 5], [], 'won'],
    [[1, 2, 3], [4, 5], 'lost'],
    [[3, 4, 5], [1, 2], 'lost'],
    [[6], [], 'pending'],
  ])('granted by %j and refused by %j in a joint configuration are %s', (granted, refused, outcome) => {
    const votes = new Map([
      ...granted.map((id) => [id, true] as const),
      ...refused.map((id) => [id, false] as const),
    ])
    expect(voteOutcome(joint, votes)).toBe(outcome)
  })

  test('nobody wins a configuration without voters', () => {
    expect(voteOutcome(configurationOf([]), new Map([[1, true]]))).toBe('lost')
  })
})
