// Apply's verdicts and the answers of reads, on the wire and in a session's stored answers.
import assert from 'node:assert/strict'
import { ByteReader } from './bytes/byte-reader.ts'
import { ByteWriter } from './bytes/byte-writer.ts'
import type { Answer, Position, RefusalCode, Result, Value } from './command.ts'
import { readValue, valueLength, writeValue } from './value.ts'
import { unreachable } from './unreachable.ts'

const WRITTEN = 1
const LOST = 2
const NOT_DELETED = 3
const DELETED = 4
const COUNTED = 5
const NOT_A_NUMBER = 6
const OVERFLOW = 7
const SESSION_OPENED = 8
const DONE = 9
const ENTRY = 10
const ABSENT = 11
const TOUCHED = 12
/** 16 and above: refused, with the code at this place of the list. */
const REFUSED = 16
/** Stable: only ever appended to. */
const refusalCodes: readonly RefusalCode[] = [
  'MOVED',
  'SESSION_EXPIRED',
  'SESSION_WINDOW',
  'STALE',
  'LATE',
  'UNKNOWN_COMMAND',
  'SESSIONS_FULL',
]

const TYPE_MASK = 0b0011_1111
/** The slot epoch is that of the answer before: answers of one reply mostly share it. */
const SAME_EPOCH = 0b0100_0000
const SAME_T = 0b1000_0000

const LOST_VALUE = 1
const LOST_VALUE_OMITTED = 2

/** Before the first answer. */
export const positionZero: Position = { epoch: 0, version: 0, t: 0 }

/** An answer alone, for a session's stored answers. */
export function encodeAnswer(answer: Answer): Uint8Array {
  const writer = new ByteWriter(answerBytesMax(answer))
  writeAnswer(writer, answer, positionZero)
  return writer.finish()
}

/**
 * The answer of which `bytes` is the whole encoding. A value in it is a copy, safe to keep.
 * @throws BadFrameError
 */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const reader = new ByteReader(bytes)
  const answer = readAnswer(reader, positionZero)
  reader.end()
  return answer
}

/** An upper bound of an answer's length on the wire. */
export function answerBytesMax(answer: Answer): number {
  const fixed = 48
  if (answer.type === 'refused') return fixed
  const { result } = answer
  const value = result.type === 'entry' || result.type === 'lost' ? result.value : null
  return value === null ? fixed : fixed + valueLength(value)
}

export function writeAnswer(writer: ByteWriter, answer: Answer, previous: Position): void {
  const { position } = answer
  const sameEpoch = position.epoch === previous.epoch
  const sameT = position.t === previous.t
  writer.u8(typeOf(answer) | (sameEpoch ? SAME_EPOCH : 0) | (sameT ? SAME_T : 0), 'answer type')
  if (!sameEpoch) writer.natural(position.epoch, 'epoch')
  writer.natural(position.version, 'position version')
  if (!sameT) writer.natural(position.t, 't')
  if (answer.type === 'applied') writeResult(writer, answer.result)
}

export function readAnswer(reader: ByteReader, previous: Position): Answer {
  const first = reader.u8()
  const epoch = (first & SAME_EPOCH) === 0 ? reader.natural() : previous.epoch
  const version = reader.natural()
  const t = (first & SAME_T) === 0 ? reader.natural() : previous.t
  const type = first & TYPE_MASK
  const position: Position = { epoch, version, t }
  if (type < REFUSED) return { type: 'applied', position, result: readResult(reader, type) }
  const code = refusalCodes[type - REFUSED]
  if (code === undefined) reader.fail('an unknown refusal')
  return { type: 'refused', code, position }
}

function typeOf(answer: Answer): number {
  if (answer.type === 'refused') {
    const place = refusalCodes.indexOf(answer.code)
    assert.notEqual(place, -1, `${answer.code} is no refusal of apply`)
    return REFUSED + place
  }
  switch (answer.result.type) {
    case 'written':
      return WRITTEN
    case 'lost':
      return LOST
    case 'deleted':
      return answer.result.existed ? DELETED : NOT_DELETED
    case 'counted':
      return COUNTED
    case 'notANumber':
      return NOT_A_NUMBER
    case 'overflow':
      return OVERFLOW
    case 'sessionOpened':
      return SESSION_OPENED
    case 'done':
      return DONE
    case 'entry':
      return ENTRY
    case 'absent':
      return ABSENT
    case 'touched':
      return TOUCHED
    default:
      return unreachable(answer.result)
  }
}

function writeResult(writer: ByteWriter, result: Result): void {
  switch (result.type) {
    case 'written':
    case 'touched':
      writer.natural(result.version, 'version')
      return
    case 'lost':
      assert.ok(!(result.valueOmitted && result.value !== null), 'an omitted value is not there')
      writer.natural(result.version, 'version')
      writer.u8(
        (result.value === null ? 0 : LOST_VALUE) | (result.valueOmitted ? LOST_VALUE_OMITTED : 0),
        'flags',
      )
      if (result.value !== null) writeLengthAndValue(writer, result.value)
      return
    case 'counted':
      writer.natural(result.version, 'version')
      writer.integer(result.integer, 'integer')
      return
    case 'sessionOpened':
      writer.u32(result.session.group, 'session group')
      writer.natural(result.session.version, 'session version')
      return
    case 'entry':
      writer.natural(result.version, 'version')
      writer.natural(result.expiresAt, 'expiresAt')
      writeLengthAndValue(writer, result.value)
      return
    case 'deleted':
    case 'notANumber':
    case 'overflow':
    case 'done':
    case 'absent':
  }
}

function readResult(reader: ByteReader, type: number): Result {
  switch (type) {
    case WRITTEN:
      return { type: 'written', version: reader.natural() }
    case LOST:
      return readLost(reader)
    case NOT_DELETED:
    case DELETED:
      return { type: 'deleted', existed: type === DELETED }
    case COUNTED: {
      const version = reader.natural()
      return { type: 'counted', version, integer: reader.integer() }
    }
    case NOT_A_NUMBER:
      return { type: 'notANumber' }
    case OVERFLOW:
      return { type: 'overflow' }
    case SESSION_OPENED: {
      const group = reader.u32()
      return { type: 'sessionOpened', session: { group, version: reader.natural() } }
    }
    case DONE:
      return { type: 'done' }
    case ENTRY: {
      const version = reader.natural()
      const expiresAt = reader.natural()
      return { type: 'entry', version, value: readLengthAndValue(reader), expiresAt }
    }
    case ABSENT:
      return { type: 'absent' }
    case TOUCHED:
      return { type: 'touched', version: reader.natural() }
    default:
      return reader.fail('an unknown result')
  }
}

function readLost(reader: ByteReader): Result {
  const version = reader.natural()
  const flags = reader.u8()
  if (flags > LOST_VALUE_OMITTED) reader.fail('unknown flags of a lost condition')
  const value = flags === LOST_VALUE ? readLengthAndValue(reader) : null
  return { type: 'lost', version, value, valueOmitted: flags === LOST_VALUE_OMITTED }
}

function writeLengthAndValue(writer: ByteWriter, value: Value): void {
  writer.u32(valueLength(value), 'value length')
  writeValue(writer, value)
}

function readLengthAndValue(reader: ByteReader): Value {
  return readValue(reader, reader.u32(), 'copy')
}
