// The witness: an order that the system proposes is believed as far as model and real time bear it out.
import { expect, test } from 'vitest'
import { checkHistory, verifyOrder } from '../src/index.ts'
import { done, historyOf, open, type Told } from './support/histories.ts'

const at = (version: number, told: Told): Told => ({ ...told, epoch: 1, version })
const set = (value: number, call: number, end: number) => done('set', value, undefined, call, end)
const get = (result: number | null, call: number, end: number) => done('get', undefined, result, call, end)

function judge(story: readonly Told[]) {
  const [key] = checkHistory(historyOf('register', story)).keys
  return key
}

test('an order that fits is taken, writes before the reads at their version', () => {
  const key = judge([at(1, get(5, 0, 9)), at(1, set(5, 0, 9)), at(0, get(null, 0, 9))])
  expect(key).toMatchObject({
    verdict: 'ok',
    engine: 'witness',
    order: Int32Array.from([2, 1, 0]),
    refutedWitness: null,
  })
})

test('an operation of unknown outcome fills the gap that an answer shows', () => {
  const key = judge([at(1, set(5, 0, 1)), open('set', 6, 2), at(3, get(6, 4, 5))])
  expect(key).toMatchObject({ verdict: 'ok', engine: 'witness', order: Int32Array.from([0, 1, 2]) })
})

test('one that was called too late fills no gap', () => {
  expect(judge([at(1, set(5, 0, 1)), at(3, get(6, 4, 5)), open('set', 6, 6)])?.verdict).toBe('illegal')
})

test('an order against real time is refuted, and the other engines find one that is not', () => {
  const key = judge([at(2, set(5, 0, 1)), at(1, set(6, 2, 3)), at(2, get(6, 4, 5))])
  expect(key).toMatchObject({ verdict: 'ok', engine: 'unique-values', refutedWitness: { row: 0 } })
})

test('a history without any order is illegal whatever the positions say', () => {
  expect(judge([at(1, set(5, 0, 1)), at(2, set(6, 2, 3)), at(1, get(5, 4, 5))])?.verdict).toBe('illegal')
})

test('the verifier refuses an order that leaves out, repeats, invents, overtakes or misreads', () => {
  const history = historyOf('register', [set(1, 0, 1), set(2, 2, 3), get(2, 4, 5), open('set', 3, 6)])
  const rows = Int32Array.from([0, 1, 2, 3])
  const verify = (...order: number[]) => verifyOrder(history, rows, Int32Array.from(order))
  expect(verify(0, 1, 2)).toBeNull()
  expect(verify(0, 1, 2, 3)).toBeNull()
  expect(verify(0, 1)).toMatch(/2 is missing/)
  expect(verify(0, 1, 2, 2)).toMatch(/twice/)
  expect(verify(0, 1, 2, 4)).toMatch(/none of this key/)
  expect(verify(1, 0, 2)).toMatch(/began after/)
  expect(verify(0, 1, 3, 2)).toMatch(/began after/)
  const touching = historyOf('register', [set(1, 0, 9), set(2, 0, 9), get(2, 0, 9)])
  expect(verifyOrder(touching, Int32Array.from([0, 1, 2]), Int32Array.from([1, 0, 2]))).toMatch(
    /refuses row 2/,
  )
})
