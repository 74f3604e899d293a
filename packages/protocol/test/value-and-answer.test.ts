import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BadFrameError, decodeAnswer, decodeValue, encodeAnswer, encodeValue } from '../src/index.ts'
import { answer, value } from './arbitraries.ts'
import { comparable } from './comparable.ts'

test('a value comes back as it was', () => {
  fc.assert(
    fc.property(value, (original) => {
      expect(comparable(decodeValue(encodeValue(original)))).toEqual(comparable(original))
    }),
  )
})

test('an answer comes back as it was, and does not depend on the bytes', () => {
  fc.assert(
    fc.property(answer, (original) => {
      const bytes = encodeAnswer(original)
      const decoded = decodeAnswer(bytes)
      bytes.fill(0xee)
      expect(comparable(decoded)).toEqual(comparable(original))
    }),
    { numRuns: 500 },
  )
})

test('the tagged form of a value is this, byte for byte', () => {
  expect([...encodeValue({ type: 'bytes', bytes: Uint8Array.of(7, 8) })]).toEqual([0, 7, 8])
  expect([...encodeValue({ type: 'integer', integer: -2 })]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0xc0])
  expect([...encodeValue({ type: 'bytes', bytes: new Uint8Array(0) })]).toEqual([0])
})

test.each([Number.NaN, -0, 0.5, 2 ** 53, -(2 ** 53), Number.POSITIVE_INFINITY])(
  '%d is no integer value',
  (number) => {
    const bytes = Uint8Array.of(1, ...new Uint8Array(new Float64Array([number]).buffer))
    expect(() => decodeValue(bytes)).toThrow(BadFrameError)
    expect(() => encodeValue({ type: 'integer', integer: number })).toThrow(/does not fit/)
  },
)
