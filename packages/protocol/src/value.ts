// A user's value in its tagged form: one tag byte, then the bytes or the integer as float64.
import assert from 'node:assert/strict'
import { ByteReader } from './bytes/byte-reader.ts'
import { ByteWriter } from './bytes/byte-writer.ts'
import { ownBytes } from './bytes/own-bytes.ts'
import type { Value } from './command.ts'
import { limits } from './limits.ts'

const TAG_BYTES = 0
export const TAG_INTEGER = 1
/** Tag and float64. */
export const INTEGER_LENGTH = 9
/** Tag and the largest value. */
export const VALUE_LENGTH_MAX: number = limits.valueBytes + 1

/** Length of a value's tagged form. */
export function valueLength(value: Value): number {
  return value.type === 'bytes' ? value.bytes.length + 1 : INTEGER_LENGTH
}

/** The tagged form of a value alone: for rows and stored answers. */
export function encodeValue(value: Value): Uint8Array {
  if (value.type === 'bytes') {
    if (value.bytes.length > limits.valueBytes) assert.fail(`a value of ${value.bytes.length} bytes`)
    const bytes = ownBytes(value.bytes.length + 1)
    bytes[0] = TAG_BYTES
    bytes.set(value.bytes, 1)
    return bytes
  }
  const writer = new ByteWriter(INTEGER_LENGTH)
  writeValue(writer, value)
  return writer.finish()
}

/**
 * The value of which `bytes` is the whole tagged form. A bytes value is a *view*: copy it before keeping it longer
 * than `bytes`.
 * @throws BadFrameError
 */
export function decodeValue(bytes: Uint8Array): Value {
  const reader = new ByteReader(bytes)
  return readValue(reader, bytes.length, 'view')
}

export function writeValue(writer: ByteWriter, value: Value): void {
  if (value.type === 'integer') {
    writer.u8(TAG_INTEGER, 'tag')
    writer.integer(value.integer, 'integer value')
    return
  }
  if (value.bytes.length > limits.valueBytes) assert.fail(`a value of ${value.bytes.length} bytes`)
  writer.u8(TAG_BYTES, 'tag')
  writer.raw(value.bytes)
}

/** Reads a tagged form of `length` bytes. */
export function readValue(reader: ByteReader, length: number, take: 'view' | 'copy'): Value {
  if (readTag(reader, length) === TAG_INTEGER) return { type: 'integer', integer: reader.integer() }
  return { type: 'bytes', bytes: take === 'view' ? reader.view(length - 1) : reader.copy(length - 1) }
}

/** As `readValue`, but makes nothing: for the leader, who checks and copies. */
export function skipValue(reader: ByteReader, length: number): void {
  if (readTag(reader, length) === TAG_INTEGER) reader.integer()
  else reader.skip(length - 1)
}

function readTag(reader: ByteReader, length: number): number {
  if (length === 0 || length > VALUE_LENGTH_MAX) reader.fail('a value length out of range')
  const tag = reader.u8()
  if (tag > TAG_INTEGER) reader.fail('an unknown value tag')
  if (tag === TAG_INTEGER && length !== INTEGER_LENGTH) reader.fail('an integer value of a wrong length')
  return tag
}
