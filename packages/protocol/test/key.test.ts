import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assertKey, encodeKey, QuorateError } from '../src/index.ts'
import { comparable } from './comparable.ts'

/** Any code point that is no half of a surrogate pair. */
const codePoint = fc.oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))

const invalid = expect.objectContaining({ code: 'KEY_INVALID', outcome: 'not-done' })

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

test('a key is the UTF-8 of its text', () => {
  const texts = fc
    .array(codePoint, { minLength: 1, maxLength: 200 })
    .map((points) => String.fromCodePoint(...points))
  const property = fc.property(texts, (text) => {
    expect(comparable(encodeKey(text))).toBe(comparable(new TextEncoder().encode(text)))
  })
  fc.assert(property)
  expect(Buffer.from(encodeKey('__proto__')).toString()).toBe('__proto__')
})

test.each([
  ['empty', ''],
  ['a lone high surrogate', 'a\ud800'],
  ['a lone low surrogate', '\udc00b'],
  ['two halves in the wrong order', '\udc00\ud800'],
  ['1,025 bytes', 'x'.repeat(1025)],
  ['1,026 bytes in 513 characters', 'é'.repeat(513)],
])('a key that is %s is refused', (_, text) => {
  expect(thrownBy(() => encodeKey(text))).toBeInstanceOf(QuorateError)
  expect(thrownBy(() => encodeKey(text))).toEqual(invalid)
})

test('keys of 1 and of 1,024 bytes are valid', () => {
  expect(encodeKey('x')).toHaveLength(1)
  expect(encodeKey('é'.repeat(512))).toHaveLength(1024)
  expect(encodeKey('\u{fffd}')).toHaveLength(3)
})

test('a key of bytes has 1 to 1,024 of them', () => {
  expect(thrownBy(() => assertKey(new Uint8Array(0)))).toEqual(invalid)
  expect(thrownBy(() => assertKey(new Uint8Array(1025)))).toEqual(invalid)
  expect(thrownBy(() => assertKey(new Uint8Array(1024)))).toBeUndefined()
})
