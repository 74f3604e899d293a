// The checker against the definition: what it says of small histories is what trying everything says.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { problemOf } from '../src/engines/problem.ts'
import { subjectOf } from '../src/history/subject.ts'
import { checkHistory, models } from '../src/index.ts'
import { randomHistory } from '../src/proof/random-history.ts'
import { checkWrongRead, compareWithBruteForce, namedModel } from '../src/proof/measurements.ts'
import { bruteForce } from '../src/verdict/brute-force.ts'
import { isLinearizableByDefinition } from './support/naive.ts'

const names = models.map(({ name }) => name)

describe.each(names)('%s', (name) => {
  test('the engines agree with brute force on 600 histories, of which some are illegal', () => {
    const { illegal, differing } = compareWithBruteForce(namedModel(name), 600)
    expect(differing).toEqual([])
    expect(illegal).toBeGreaterThan(20)
  })

  test('brute force agrees with the definition', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const made = randomHistory(namedModel(name), seed, 5)
        if (made === null) return
        const { history } = made
        const [rows = new Int32Array()] = history.rowsByKey()
        expect(bruteForce(problemOf(subjectOf(history, rows)))).toBe(
          isLinearizableByDefinition(history) ? 'ok' : 'illegal',
        )
      }),
      { numRuns: 150 },
    )
  })

  test('what is said to be illegal stays illegal without positions, and its minimised part is confirmed', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const made = randomHistory(namedModel(name), seed, 8)
        if (made === null) return
        const { verdict, keys } = checkHistory(made.history)
        expect(checkHistory(made.history, { witness: false }).verdict).toBe(verdict)
        const [key] = keys
        if (key?.verdict !== 'illegal') return
        expect(key.evidence.confirmed).toBe(true)
        expect(key.evidence.parts.length).toBeGreaterThan(0)
      }),
      { numRuns: 150 },
    )
  })
})

test.each(['register', 'cas-register'])(
  'a wrong read among 2,000 operations on a %s is found and blamed alone',
  (name) => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { verdict, pointsAtIt, confirmed } = checkWrongRead(namedModel(name), seed)
      expect({ seed, verdict, pointsAtIt, confirmed }).toEqual({
        seed,
        verdict: 'illegal',
        pointsAtIt: true,
        confirmed: true,
      })
    }
  },
)
