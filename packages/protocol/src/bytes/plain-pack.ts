// Rare frames as MessagePack arrays. What comes in is walked before msgpackr sees it: a few bytes may claim an array of
// 2^32 elements, nest a million deep, or name an extension that makes classes, dates or regular expressions.
import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { Packr } from 'msgpackr'
import { BadFrameError } from '../bad-frame-error.ts'
import { ByteReader } from './byte-reader.ts'
import { isNatural } from './numbers.ts'
import { isWellFormed } from './text.ts'

/** What may travel in a rare frame. */
export type Plain = null | boolean | number | string | Uint8Array | readonly Plain[]

/** The deepest rare frame, a snapshot chunk, needs 3. */
const DEPTH_MAX = 4

const packr: Packr = new Packr({ useRecords: false })

/** `type u8 | MessagePack`, in bytes of its own (msgpackr's results share a pool). */
export function packFrame(type: number, fields: readonly Plain[]): Uint8Array {
  fields.forEach(assertPlain)
  const packed = packr.pack(fields)
  const frame = new Uint8Array(packed.length + 1)
  frame[0] = type
  frame.set(packed, 1)
  return frame
}

/** Every number in a rare frame is a safe integer from 0, every text well-formed. */
function assertPlain(value: Plain): void {
  if (typeof value === 'number' && !isNatural(value))
    assert.fail(`not a safe integer from 0: ${String(value)}`)
  if (typeof value === 'string' && !isWellFormed(value)) assert.fail('text with a lone surrogate')
  if (Array.isArray(value)) value.forEach(assertPlain)
}

/**
 * Unpacks what follows the type byte. Only nil, booleans, integers up to 32 bits, float64, well-formed text, binary and
 * arrays pass, and they must fill `bytes` exactly. Binary values are *views* of `bytes`.
 * @throws BadFrameError
 */
export function unpackFrame(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes)
  reader.skip(1)
  walk(reader, DEPTH_MAX)
  reader.end()
  try {
    return packr.unpack(Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.byteLength - 1))
  } catch (error) {
    throw new BadFrameError('not MessagePack', { cause: error })
  }
}

/** Passes over one MessagePack value (specification, formats). Multi-byte lengths are big-endian. */
function walk(reader: ByteReader, depth: number): void {
  const token = reader.u8()
  if (token < 0x80 || token >= 0xe0) return
  if (token < 0x90) reader.fail('a MessagePack map')
  if (token < 0xa0) walkArray(reader, token & 0x0f, depth)
  else if (token < 0xc0) walkText(reader, token & 0x1f)
  else walkToken(reader, token, depth)
}

function walkToken(reader: ByteReader, token: number, depth: number): void {
  switch (token) {
    case 0xc0:
    case 0xc2:
    case 0xc3:
      return
    case 0xc4:
    case 0xc5:
    case 0xc6:
      reader.skip(bigEndian(reader, 1 << (token - 0xc4)))
      return
    case 0xcb:
      reader.skip(8)
      return
    case 0xcc:
    case 0xcd:
    case 0xce:
      reader.skip(1 << (token - 0xcc))
      return
    case 0xd0:
    case 0xd1:
    case 0xd2:
      reader.skip(1 << (token - 0xd0))
      return
    case 0xd9:
    case 0xda:
    case 0xdb:
      walkText(reader, bigEndian(reader, 1 << (token - 0xd9)))
      return
    case 0xdc:
    case 0xdd:
      walkArray(reader, bigEndian(reader, 2 << (token - 0xdc)), depth)
      return
    default:
      reader.fail('a MessagePack type that has no place in a frame')
  }
}

function walkArray(reader: ByteReader, length: number, depth: number): void {
  if (depth === 0) reader.fail('MessagePack nested too deep')
  for (let at = 0; at < length; at += 1) walk(reader, depth - 1)
}

function walkText(reader: ByteReader, length: number): void {
  if (!isUtf8(reader.view(length))) reader.fail('text that is not well-formed UTF-8')
}

function bigEndian(reader: ByteReader, length: number): number {
  let value = 0
  for (let at = 0; at < length; at += 1) value = value * 256 + reader.u8()
  return value
}
