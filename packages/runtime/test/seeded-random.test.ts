import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSeededRandom } from '../src/seeded-random.ts'

const draws = (seed: number, count: number): number[] => {
  const random = createSeededRandom(seed)
  return Array.from({ length: count }, () => random.next())
}

test('the first draws of a seed never change, or no recorded seed would replay', () => {
  expect(draws(1, 3)).toMatchInlineSnapshot(`
    [
      0.35552973804658117,
      0.3247683902796089,
      0.8806444569026798,
    ]
  `)
  expect([...createSeededRandom(1).bytes(6)]).toMatchInlineSnapshot(`
    [
      40,
      255,
      3,
      91,
      137,
      248,
    ]
  `)
})

test('equal seeds give equal draws and different seeds different ones', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (one, other) => {
      expect(draws(one, 20)).toEqual(draws(one, 20))
      fc.pre(one !== other)
      expect(draws(one, 4)).not.toEqual(draws(other, 4))
    }),
  )
})

test('draws lie in [0, 1) and fill it evenly', () => {
  const buckets = Array.from({ length: 16 }, () => 0)
  for (const draw of draws(42, 16_000)) {
    expect(draw >= 0 && draw < 1).toBe(true)
    buckets[Math.floor(draw * 16)] = (buckets[Math.floor(draw * 16)] ?? 0) + 1
  }
  // 1,000 expected each, standard deviation 31: five of them on either side.
  for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(155)
})

test('bytes take any length and every value occurs', () => {
  for (const length of [0, 1, 3, 4, 5, 33]) expect(createSeededRandom(7).bytes(length)).toHaveLength(length)
  expect(new Set(createSeededRandom(7).bytes(8192)).size).toBe(256)
})

test('a seed that is no safe integer is refused', () => {
  expect(() => createSeededRandom(0.5)).toThrow(RangeError)
  expect(() => createSeededRandom(2 ** 53)).toThrow(RangeError)
})
