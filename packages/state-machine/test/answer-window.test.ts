// A session's stored answers against a map of objects.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnswerWindow } from '../src/answer-window.ts'
import { addHash, emptySum } from '../src/hash.ts'
import { type Applied, storedAnswer, storedAnswerHash } from '../src/stored-answer.ts'

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('store' as const),
      /** Above `ackedUpTo`. */
      ahead: fc.oneof(
        { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) },
        fc.integer({ min: 1, max: 1024 }),
      ),
      isWritten: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, fc.boolean()),
      /** So many in a row. */
      count: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('acknowledge' as const),
      by: fc.oneof(fc.nat(40), fc.nat(1_500), fc.constant(2 ** 40)),
    }),
  },
  fc.record({ do: fc.constant('clone' as const) }),
)

const answerOf = (sequence: number, isWritten: boolean): Applied => ({
  type: 'applied',
  position: { epoch: 2, version: sequence + 5, t: 1_700_000_000_000 + sequence },
  result: isWritten ? { type: 'written', version: sequence + 5 } : { type: 'deleted', existed: true },
})

function expectSame(window: AnswerWindow, truth: ReadonlyMap<number, Applied>): void {
  const sum = emptySum()
  let bytes = 0
  for (const [sequence, answer] of truth) {
    const stored = storedAnswer(answer)
    bytes += stored.bytes
    addHash(sum, storedAnswerHash(sequence, stored))
  }
  expect({ size: window.size, bytes: window.bytes, hash: window.hash() }).toEqual({
    size: truth.size,
    bytes,
    hash: sum,
  })
  expect(window.sequences()).toEqual([...truth.keys()].toSorted((left, right) => left - right))
  for (const sequence of window.sequences()) expect(window.get(sequence)).toEqual(truth.get(sequence))
}

test('E1: a window of answers is what a map of them would be, whatever is stored, acknowledged and cloned', () => {
  fc.assert(
    fc.property(
      fc.array(step, { size: 'max', maxLength: 40 }),
      fc.constantFrom(0, 2 ** 31 - 500, 2 ** 33 + 7, 2 ** 52),
      (steps, start) => {
        let window = new AnswerWindow()
        let truth = new Map<number, Applied>()
        let ackedUpTo = start
        const clones: { readonly window: AnswerWindow; readonly truth: ReadonlyMap<number, Applied> }[] = []
        for (const one of steps) {
          if (one.do === 'store') {
            for (
              let sequence = ackedUpTo + one.ahead;
              sequence < ackedUpTo + one.ahead + one.count;
              sequence++
            ) {
              if (sequence > ackedUpTo + 1024 || window.get(sequence) !== undefined) continue
              const answer = answerOf(sequence, one.isWritten)
              const { epoch, version, t } = answer.position
              if (one.isWritten) window.setWritten(sequence, epoch, version, t)
              else window.setOther(sequence, storedAnswer(answer))
              truth.set(sequence, answer)
            }
          } else if (one.do === 'acknowledge') {
            window.forget(ackedUpTo + 1, ackedUpTo + one.by)
            ackedUpTo += one.by
            for (const sequence of truth.keys()) if (sequence <= ackedUpTo) truth.delete(sequence)
          } else {
            // As a freeze does: the clone goes on.
            clones.push({ window, truth })
            window = window.clone()
            truth = new Map(truth)
          }
        }
        for (const each of [...clones, { window, truth }]) expectSame(each.window, each.truth)
      },
    ),
    { numRuns: 100 },
  )
})

test('E1: a sequence is never stored twice', () => {
  const window = new AnswerWindow()
  window.setWritten(7, 1, 2, 3)
  expect(() => window.setWritten(7, 1, 2, 3)).toThrow('executed twice')
  window.setOther(8, storedAnswer(answerOf(8, false)))
  expect(() => window.setOther(8, storedAnswer(answerOf(8, false)))).toThrow('executed twice')
})
