import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc16, slotOf } from '../src/index.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const slot = (text: string) => slotOf(bytes(text))

test('crc16 is CRC-16/XMODEM', () => {
  expect(crc16(bytes('123456789'))).toBe(0x31c3)
  expect(crc16(bytes(''))).toBe(0)
})

test.each([
  ['foo', 12182],
  ['bar', 5061],
  ['hello', 866],
  ['123456789', 0x31c3],
])('slot of %s is that of Redis Cluster', (key, expected) => {
  expect(slot(key)).toBe(expected)
})

test('only what stands in the first braces is hashed', () => {
  expect(slot('{user1000}.following')).toBe(slot('user1000'))
  expect(slot('{user1000}.followers')).toBe(slot('{user1000}.following'))
  expect(slot('foo{bar}{zap}')).toBe(slot('bar'))
  expect(slot('foo{{bar}}zap')).toBe(slot('{bar'))
  expect(slot('}{foo}')).toBe(slot('foo'))
})

test.each(['foo{}{bar}', '{}foo', 'foo{bar', 'foo}bar', '{}', '{', '}'])('%s has no hash tag', (key) => {
  expect(slot(key)).toBe(crc16(bytes(key)) % 16384)
})

test('every key has a slot from 0 to 16383 that depends on nothing but its bytes', () => {
  const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (key) => {
    const found = slotOf(key)
    expect(found).toBeGreaterThanOrEqual(0)
    expect(found).toBeLessThan(16384)
    expect(slotOf(Buffer.concat([Buffer.from('xx'), key]).subarray(2))).toBe(found)
  })
  fc.assert(property)
})
