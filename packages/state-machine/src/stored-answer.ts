// The verdict on an executed command, kept in its session until the client has acknowledged it (sessions.md, outcomes).
import type { Answer, Result, Value } from '@quorate/protocol'
import { decodeValue, encodeValue, limits } from '@quorate/protocol'
import { assert, unreachable } from './assert.ts'
import { BadStateError } from './bad-state-error.ts'
import { type Hash, hashOf } from './hash.ts'
import type { RowReader } from './row-reader.ts'
import { type RowWriter, rowWriter } from './row-writer.ts'

/** What executed commands end in; everything else is a refusal or belongs to reads and sessions, and is never stored. */
export type StoredResult = Extract<
  Result,
  { type: 'written' | 'lost' | 'deleted' | 'counted' | 'notANumber' | 'overflow' | 'touched' }
>

/** An executed command's answer. */
export interface Applied extends Extract<Answer, { type: 'applied' }> {
  readonly result: StoredResult
}

export interface StoredAnswer {
  readonly answer: Applied
  /** Size of the encoded answer with its sequence. */
  readonly bytes: number
  /** Made when it is first asked for; most answers are acknowledged before. */
  hash: Hash | null
}

/** Tags of the results that are stored, in the disk format. */
const tag = { written: 1, lost: 2, deleted: 3, counted: 4, notANumber: 5, overflow: 6, touched: 7 } as const
const seen = { nothing: 0, value: 1, omitted: 2 } as const

/** Sequence, result tag and position. */
const HEAD_BYTES = 33
/** Size of an encoded `written` answer. */
export const WRITTEN_BYTES: number = HEAD_BYTES + 8

/** An answer over 1 KiB is stored without the value that it carries. */
export function storedAnswer(answer: Applied): StoredAnswer {
  const bytes = answerBytes(answer.result)
  if (bytes <= limits.storedAnswerBytes) return { answer, bytes, hash: null }
  const { result } = answer
  assert(result.type === 'lost', `a ${result.type} of ${bytes} bytes`)
  const short: Applied = { ...answer, result: { ...result, value: null, valueOmitted: true } }
  return { answer: short, bytes: answerBytes(short.result), hash: null }
}

export function storedAnswerHash(sequence: number, stored: StoredAnswer): Hash {
  stored.hash ??= hashOf([], [encodeAlone(sequence, stored)])
  return stored.hash
}

const written = new Uint8Array(WRITTEN_BYTES)
const writtenView = new DataView(written.buffer)

/** `storedAnswerHash` of a `written` answer whose version is that of its position, without the answer. */
export function writtenHash(sequence: number, epoch: number, version: number, t: number): Hash {
  writtenView.setFloat64(0, sequence, true)
  written[8] = tag.written
  writtenView.setFloat64(9, epoch, true)
  writtenView.setFloat64(17, version, true)
  writtenView.setFloat64(25, t, true)
  writtenView.setFloat64(33, version, true)
  return hashOf([], [written])
}

function encodeAlone(sequence: number, stored: StoredAnswer): Uint8Array {
  const row = rowWriter(stored.bytes)
  encodeStoredAnswer(row, sequence, stored.answer)
  return row.finish()
}

export function encodeStoredAnswer(row: RowWriter, sequence: number, { result, position }: Applied): void {
  row.number(sequence)
  row.u8(tag[result.type])
  row.number(position.epoch)
  row.number(position.version)
  row.number(position.t)
  switch (result.type) {
    case 'written':
    case 'touched':
      row.number(result.version)
      break
    case 'lost':
      row.number(result.version)
      encodeSeen(row, result)
      break
    case 'deleted':
      row.u8(result.existed ? 1 : 0)
      break
    case 'counted':
      row.number(result.version)
      row.number(result.integer)
      break
    case 'notANumber':
    case 'overflow':
      break
    default:
      unreachable(result)
  }
}

export function decodeStoredAnswer(row: RowReader): readonly [sequence: number, stored: StoredAnswer] {
  const sequence = row.number(1)
  const resultTag = row.u8()
  const position = { epoch: row.number(), version: row.number(), t: row.number() }
  const result = decodeResult(row, resultTag)
  return [sequence, { answer: { type: 'applied', position, result }, bytes: answerBytes(result), hash: null }]
}

function decodeResult(row: RowReader, resultTag: number): StoredResult {
  switch (resultTag) {
    case tag.written:
      return { type: 'written', version: row.number(1) }
    case tag.lost:
      return decodeLost(row)
    case tag.deleted:
      return { type: 'deleted', existed: row.u8() === 1 }
    case tag.counted:
      return { type: 'counted', version: row.number(1), integer: row.number(Number.MIN_SAFE_INTEGER) }
    case tag.notANumber:
      return { type: 'notANumber' }
    case tag.overflow:
      return { type: 'overflow' }
    case tag.touched:
      return { type: 'touched', version: row.number() }
    default:
      throw new BadStateError(`stored answer: tag ${resultTag}`)
  }
}

function encodeSeen(row: RowWriter, result: Extract<StoredResult, { type: 'lost' }>): void {
  if (result.value === null) {
    row.u8(result.valueOmitted ? seen.omitted : seen.nothing)
    return
  }
  const value = encodeValue(result.value)
  row.u8(seen.value)
  row.u32(value.length)
  row.bytes(value)
}

function decodeLost(row: RowReader): StoredResult {
  const version = row.number()
  const what = row.u8()
  if (what === seen.nothing || what === seen.omitted) {
    return { type: 'lost', version, value: null, valueOmitted: what === seen.omitted }
  }
  if (what !== seen.value) throw new BadStateError(`stored answer: seen ${what}`)
  const bytes = row.bytes(row.u32())
  try {
    return { type: 'lost', version, value: decodeValue(bytes), valueOmitted: false }
  } catch (error) {
    throw new BadStateError('stored answer: value', { cause: error })
  }
}

function answerBytes(result: StoredResult): number {
  switch (result.type) {
    case 'written':
    case 'touched':
      return HEAD_BYTES + 8
    case 'lost':
      return HEAD_BYTES + 9 + (result.value === null ? 0 : 4 + valueBytes(result.value))
    case 'deleted':
      return HEAD_BYTES + 1
    case 'counted':
      return HEAD_BYTES + 16
    case 'notANumber':
    case 'overflow':
      return HEAD_BYTES
    default:
      return unreachable(result)
  }
}

/** Length of `encodeValue(value)`. */
function valueBytes(value: Value): number {
  return value.type === 'integer' ? 9 : 1 + value.bytes.length
}
