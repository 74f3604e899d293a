// What a hostile sender can write in a rare frame, which msgpackr alone would answer with memory, classes or crashes.
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import {
  BadFrameError,
  decodeClientFrame,
  decodePeerFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodePeerFrame,
} from '../src/index.ts'

const packr = new Packr({ useRecords: false })
const STATUS = 0x03
const JOIN = 0x48

function frame(type: number, ...rest: number[]): Uint8Array {
  return Uint8Array.of(type, ...rest)
}

function packed(type: number, fields: unknown): Uint8Array {
  return Uint8Array.of(type, ...packr.pack(fields))
}

function float64(value: number): number[] {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return [0xcb, ...new Uint8Array(view.buffer)]
}

describe('a status frame with one field', () => {
  const refused: readonly (readonly [string, Uint8Array])[] = [
    ['a million nested arrays', new Uint8Array(1_000_000).fill(0x91).fill(STATUS, 0, 1)],
    ['an array that claims 2^32 - 1 elements', frame(STATUS, 0xdd, 0xff, 0xff, 0xff, 0xff, 0x01)],
    [
      'nested arrays that claim 32 million elements each',
      frame(STATUS, ...Array.from({ length: 4 }, () => [0xdd, 2, 0, 0, 0]).flat()),
    ],
    ['NaN', frame(STATUS, 0x91, ...float64(Number.NaN))],
    ['-0', frame(STATUS, 0x91, ...float64(-0))],
    ['a fraction', frame(STATUS, 0x91, ...float64(1.5))],
    ['infinity', frame(STATUS, 0x91, ...float64(Number.POSITIVE_INFINITY))],
    ['2^53', frame(STATUS, 0x91, ...float64(2 ** 53))],
    ['a negative integer', frame(STATUS, 0x91, 0xff)],
    ['a BigInt', packed(STATUS, [2n ** 60n])],
    ['a small 64-bit integer', frame(STATUS, 0x91, 0xcf, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['a float32', frame(STATUS, 0x91, 0xca, 0, 0, 0, 0)],
    ['text in place of a number', packed(STATUS, ['1'])],
    ['a map', packed(STATUS, { 0: 1 })],
    ['a map inside', packed(STATUS, [{ __proto__: null, a: 1 }])],
    ['a date', packed(STATUS, [new Date(0)])],
    ['a set', packed(STATUS, [new Set([1])])],
    ['a regular expression', frame(STATUS, 0x91, 0xc7, 0x04, 0x78, 0x92, 0xa1, 0x61, 0xa0)],
    ['a record definition', frame(STATUS, 0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01)],
    ['undefined as an extension', frame(STATUS, 0x91, 0xd4, 0x00, 0x00)],
    ['the token that is never used', frame(STATUS, 0x91, 0xc1)],
    ['nothing', frame(STATUS)],
    ['no field', frame(STATUS, 0x90)],
    ['two fields', frame(STATUS, 0x92, 0x01, 0x01)],
  ]
  test.each(refused)('is refused with %s', (_, bytes) => {
    expect(() => decodeClientFrame(bytes)).toThrow(BadFrameError)
  })
})

test('text that is not well-formed UTF-8 is refused, not repaired', () => {
  const join = {
    type: 'join',
    name: 'nn',
    dirId: 'ab'.repeat(16),
    peerAddress: 'p:1',
    clientAddress: 'c:1',
  } as const
  const bytes = encodePeerFrame(join)
  const at = bytes.findIndex((byte, index) => byte === 0x6e && bytes[index + 1] === 0x6e)
  // A continuation byte alone; a surrogate half would take three bytes.
  bytes[at] = 0x80
  expect(bytes[0]).toBe(JOIN)
  expect(() => decodePeerFrame(bytes)).toThrow(BadFrameError)
})

test('a frame of another direction is refused by its first byte', () => {
  const bytes = encodeClientFrame({ type: 'status', requestId: 1 })
  expect(() => decodeServerFrame(bytes)).toThrow(BadFrameError)
  expect(() => decodePeerFrame(bytes)).toThrow(BadFrameError)
})

test('a name `__proto__` comes back as it was', () => {
  const join = {
    type: 'join',
    name: '__proto__',
    dirId: 'ab'.repeat(16),
    peerAddress: 'p:1',
    clientAddress: 'c:1',
  } as const
  expect(decodePeerFrame(encodePeerFrame(join))).toEqual(join)
})

test('a frame above 4 MiB is refused before it is looked at', () => {
  expect(() => decodeClientFrame(new Uint8Array(4_194_305).fill(2, 0, 1))).toThrow(/a frame of 4194305 bytes/)
})
