// Records as bytes: `checksum | length | kind | group | incarnation | payload` (little-endian; the README has the tables).
import assert from 'node:assert/strict'
import { checksum } from './checksum.ts'
import { RECORD_BYTES_MAX } from './limits.ts'
import type { CompactionPoint, LogEntry, LogRecord, ReplicaKey } from './record.ts'

/** Records that only the log itself writes. */
export type InternalRecord = ReplicaKey &
  (
    | { readonly kind: 'moved'; readonly entries: readonly LogEntry[] }
    /** A replica as of the start of a segment. Its hard state is a record of its own. */
    | ({ readonly kind: 'replica' } & ReplicaRow)
    /** The whole node is damaged: a header was unreadable, so that nobody knows which replicas it named. */
    | { readonly kind: 'nodeDamaged'; readonly reason: string }
  )

export interface ReplicaRow {
  readonly state: 'live' | 'removed' | 'condemned'
  readonly reason: string | null
  readonly configuration: Uint8Array
  readonly compacted: CompactionPoint | null
}

export type StoredRecord = LogRecord | InternalRecord

export const RECORD_HEADER_BYTES = 21
export const HARD_STATE_RECORD_BYTES: number = RECORD_HEADER_BYTES + 16
const ENTRIES_HEADER_BYTES = 12
const ENTRY_HEADER_BYTES = 21
const POINT_HEADER_BYTES = 36

const KINDS = [
  'entries',
  'hardState',
  'compacted',
  'reset',
  'created',
  'removed',
  'condemned',
  'moved',
  'replica',
  'nodeDamaged',
] as const
const ENTRY_TYPES = ['noop', 'commands', 'configuration'] as const
const STATES = ['live', 'removed', 'condemned'] as const

/** Bytes that `record` will occupy. */
export function recordBytes(record: StoredRecord): number {
  return RECORD_HEADER_BYTES + payloadBytes(record)
}

/** Writes `record` at `at` and returns its end. `start` is the checksum's start value for its place on disk. */
export function writeRecord(out: Buffer, at: number, start: number, record: StoredRecord): number {
  const payload = at + RECORD_HEADER_BYTES
  const end = writePayload(out, payload, record)
  const length = end - at
  assert(length <= RECORD_BYTES_MAX, `a record of ${length} bytes (limit ${RECORD_BYTES_MAX})`)
  out.writeUInt32LE(length, at + 4)
  out[at + 8] = KINDS.indexOf(record.kind) + 1
  out.writeUInt32LE(record.group, at + 9)
  out.writeDoubleLE(record.incarnation, at + 13)
  out.writeUInt32LE(checksum(out.subarray(at + 4, end), start), at)
  return end
}

/** Length of the intact record at `at` that ends at or before `limit`; 0 if there is none. */
export function intactRecordBytes(bytes: Buffer, at: number, limit: number, start: number): number {
  if (at + RECORD_HEADER_BYTES > limit) return 0
  const length = bytes.readUInt32LE(at + 4)
  if (length < RECORD_HEADER_BYTES || at + length > limit) return 0
  return checksum(bytes.subarray(at + 4, at + length), start) === bytes.readUInt32LE(at) ? length : 0
}

/**
 * Reads a record whose checksum held, null if its content is not one all the same. Payloads are views of `bytes`.
 */
export function readRecord(bytes: Buffer, at: number): StoredRecord | null {
  const length = bytes.readUInt32LE(at + 4)
  const kind = KINDS[(bytes[at + 8] ?? 0) - 1]
  const key = { group: bytes.readUInt32LE(at + 9), incarnation: bytes.readDoubleLE(at + 13) }
  if (kind === undefined || !Number.isSafeInteger(key.incarnation)) return null
  try {
    return readPayload(kind, key, bytes.subarray(at + RECORD_HEADER_BYTES, at + length))
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function payloadBytes(record: StoredRecord): number {
  switch (record.kind) {
    case 'entries':
    case 'moved': {
      let bytes = ENTRIES_HEADER_BYTES
      for (const entry of record.entries) bytes += ENTRY_HEADER_BYTES + entry.payload.byteLength
      return bytes
    }
    case 'hardState':
      return 16
    case 'compacted':
    case 'reset':
      return POINT_HEADER_BYTES + record.configuration.byteLength
    case 'created':
      return record.configuration.byteLength
    case 'removed':
      return 0
    case 'condemned':
    case 'nodeDamaged':
      return Buffer.byteLength(record.reason)
    case 'replica':
      return (
        9 +
        Buffer.byteLength(record.reason ?? '') +
        record.configuration.byteLength +
        (record.compacted === null ? 0 : POINT_HEADER_BYTES + record.compacted.configuration.byteLength)
      )
  }
}

function writePayload(out: Buffer, at: number, record: StoredRecord): number {
  switch (record.kind) {
    case 'entries':
    case 'moved':
      return writeEntries(out, at, record.entries)
    case 'hardState':
      out.writeDoubleLE(record.hardState.currentTerm, at)
      return out.writeDoubleLE(record.hardState.votedFor ?? 0, at + 8)
    case 'compacted':
    case 'reset':
      return writePoint(out, at, record)
    case 'created':
      return writeBytes(out, at, record.configuration)
    case 'removed':
      return at
    case 'condemned':
    case 'nodeDamaged':
      return at + out.write(record.reason, at)
    case 'replica': {
      const reason = Buffer.from(record.reason ?? '')
      out[at] = STATES.indexOf(record.state)
      out.writeUInt32LE(reason.byteLength, at + 1)
      out.writeUInt32LE(record.configuration.byteLength, at + 5)
      const end = writeBytes(out, writeBytes(out, at + 9, reason), record.configuration)
      return record.compacted === null ? end : writePoint(out, end, record.compacted)
    }
  }
}

function writeEntries(out: Buffer, start: number, entries: readonly LogEntry[]): number {
  out.writeUInt32LE(entries.length, start)
  let at = out.writeDoubleLE(entries[0]?.index ?? 0, start + 4)
  for (const { term, stamp, type, payload } of entries) {
    out.writeDoubleLE(term, at)
    out.writeDoubleLE(stamp, at + 8)
    out[at + 16] = ENTRY_TYPES.indexOf(type)
    out.writeUInt32LE(payload.byteLength, at + 17)
    at = writeBytes(out, at + ENTRY_HEADER_BYTES, payload)
  }
  return at
}

function writePoint(out: Buffer, at: number, point: CompactionPoint): number {
  out.writeDoubleLE(point.index, at)
  out.writeDoubleLE(point.term, at + 8)
  out.writeDoubleLE(point.checkpoint, at + 16)
  out.writeDoubleLE(point.configurationIndex, at + 24)
  out.writeUInt32LE(point.configuration.byteLength, at + 32)
  return writeBytes(out, at + POINT_HEADER_BYTES, point.configuration)
}

function writeBytes(out: Buffer, at: number, bytes: Uint8Array): number {
  out.set(bytes, at)
  return at + bytes.byteLength
}

function readPayload(kind: (typeof KINDS)[number], key: ReplicaKey, bytes: Buffer): StoredRecord | null {
  switch (kind) {
    case 'entries':
    case 'moved': {
      const entries = readEntries(bytes)
      return entries === null ? null : { ...key, kind, entries }
    }
    case 'hardState': {
      const votedFor = integerAt(bytes, 8)
      return {
        ...key,
        kind,
        hardState: { currentTerm: integerAt(bytes, 0), votedFor: votedFor === 0 ? null : votedFor },
      }
    }
    case 'compacted':
    case 'reset':
      return { ...key, kind, ...readPoint(bytes) }
    case 'created':
      return { ...key, kind, configuration: bytes }
    case 'removed':
      return { ...key, kind }
    case 'condemned':
    case 'nodeDamaged':
      return { ...key, kind, reason: bytes.toString('utf8') }
    case 'replica': {
      const state = STATES[bytes.readUInt8(0)]
      if (state === undefined) return null
      const reasonEnd = 9 + bytes.readUInt32LE(1)
      const configurationEnd = reasonEnd + bytes.readUInt32LE(5)
      const reason = bytes.subarray(9, reasonEnd).toString('utf8')
      const rest = bytes.subarray(configurationEnd)
      return {
        ...key,
        kind,
        state,
        reason: reason === '' ? null : reason,
        configuration: bytes.subarray(reasonEnd, configurationEnd),
        compacted: rest.byteLength === 0 ? null : readPoint(rest),
      }
    }
  }
}

function readEntries(bytes: Buffer): LogEntry[] | null {
  const count = bytes.readUInt32LE(0)
  const firstIndex = integerAt(bytes, 4)
  const entries: LogEntry[] = []
  let at = ENTRIES_HEADER_BYTES
  for (let position = 0; position < count; position += 1) {
    const type = ENTRY_TYPES[bytes.readUInt8(at + 16)]
    const end = at + ENTRY_HEADER_BYTES + bytes.readUInt32LE(at + 17)
    if (type === undefined || end > bytes.byteLength) return null
    entries.push({
      index: firstIndex + position,
      term: integerAt(bytes, at),
      stamp: bytes.readDoubleLE(at + 8),
      type,
      payload: bytes.subarray(at + ENTRY_HEADER_BYTES, end),
    })
    at = end
  }
  return count > 0 && at === bytes.byteLength ? entries : null
}

function readPoint(bytes: Buffer): CompactionPoint {
  return {
    index: integerAt(bytes, 0),
    term: integerAt(bytes, 8),
    checkpoint: integerAt(bytes, 16),
    configurationIndex: integerAt(bytes, 24),
    configuration: bytes.subarray(POINT_HEADER_BYTES, POINT_HEADER_BYTES + bytes.readUInt32LE(32)),
  }
}

function integerAt(bytes: Buffer, at: number): number {
  const value = bytes.readDoubleLE(at)
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a natural number: ${value}`)
  return value
}
