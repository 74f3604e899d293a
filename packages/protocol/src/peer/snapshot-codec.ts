// Chunks of a snapshot and their answers, and the checksum of a row.
import { crc32 } from 'node:zlib'
import { FieldReader } from '../bytes/field-reader.ts'
import { U8_MAX } from '../bytes/numbers.ts'
import { packFrame, unpackFrame } from '../bytes/plain-pack.ts'
import { decodeConfiguration, encodeConfiguration } from '../configuration.ts'
import { checkedFrame } from '../frame-length.ts'
import { peerFrameTypes } from '../frame-types.ts'
import { limits } from '../limits.ts'
import type { SnapshotFrame, SnapshotIdentity, SnapshotRow } from '../peer-frame.ts'

type SnapshotChunk = Extract<SnapshotFrame, { type: 'snapshotChunk' }>
type SnapshotAnswer = Extract<SnapshotFrame, { type: 'snapshotAnswer' }>

/** A snapshot's id, in UTF-8. */
const SNAPSHOT_ID_BYTES = 255
/** `kind u8 | slot u16 | keyLen u32`. */
const ROW_HEADER_BYTES = 7
/** An array of five, kind, slot, two lengths, checksum: what a row adds to a chunk at most, besides key and value. */
const ROW_BYTES_MAX = 24

const outcomes = ['more', 'installed', 'refused'] as const

/**
 * crc32 of `kind u8 | slot u16 | keyLen u32 | key | value`, little-endian; the length keeps key and value apart. The
 * receiver checks it before it stages a row: the codec does not.
 */
export function rowChecksum(row: Pick<SnapshotRow, 'kind' | 'slot' | 'key' | 'value'>): number {
  const header = new DataView(new ArrayBuffer(ROW_HEADER_BYTES))
  header.setUint8(0, row.kind)
  header.setUint16(1, row.slot, true)
  header.setUint32(3, row.key.length, true)
  return crc32(row.value, crc32(row.key, crc32(header)))
}

/** An upper bound of the length that a row adds to a chunk. */
export function snapshotRowBytesMax(row: Pick<SnapshotRow, 'key' | 'value'>): number {
  return ROW_BYTES_MAX + row.key.length + row.value.length
}

export function encodeSnapshotChunk(frame: SnapshotChunk): Uint8Array {
  const { group, from, to, term, snapshot, chunk, last, rows } = frame
  const identity = [
    snapshot.id,
    snapshot.index,
    snapshot.term,
    encodeConfiguration(snapshot.configuration),
    snapshot.configurationIndex,
    snapshot.machine,
    snapshot.rowCount,
  ]
  const rowFields = rows.map((row) => [row.kind, row.slot, row.key, row.value, row.checksum])
  return checkedFrame(
    packFrame(peerFrameTypes.snapshotChunk, [group, from, to, term, identity, chunk, last, rowFields]),
  )
}

export function decodeSnapshotChunk(bytes: Uint8Array): SnapshotChunk {
  const fields = new FieldReader(unpackFrame(bytes), 8)
  const group = fields.u32()
  const from = fields.positive()
  const to = fields.positive()
  const term = fields.natural()
  const snapshot = readIdentity(fields.array())
  const chunk = fields.natural()
  const last = fields.flag()
  const rows = fields.array().map(readRow)
  return { type: 'snapshotChunk', group, from, to, term, snapshot, chunk, last, rows }
}

export function encodeSnapshotAnswer(frame: SnapshotAnswer): Uint8Array {
  const { group, from, to, snapshot, nextChunk, outcome } = frame
  return packFrame(peerFrameTypes.snapshotAnswer, [group, from, to, snapshot, nextChunk, outcome])
}

export function decodeSnapshotAnswer(bytes: Uint8Array): SnapshotAnswer {
  const fields = new FieldReader(unpackFrame(bytes), 6)
  const group = fields.u32()
  const from = fields.positive()
  const to = fields.positive()
  const snapshot = fields.text(1, SNAPSHOT_ID_BYTES)
  const nextChunk = fields.natural()
  return { type: 'snapshotAnswer', group, from, to, snapshot, nextChunk, outcome: fields.word(outcomes) }
}

function readIdentity(array: readonly unknown[]): SnapshotIdentity {
  const fields = new FieldReader(array, 7)
  const id = fields.text(1, SNAPSHOT_ID_BYTES)
  const index = fields.natural()
  const term = fields.natural()
  const configuration = decodeConfiguration(fields.view())
  const configurationIndex = fields.natural()
  const machine = fields.copy()
  return { id, index, term, configuration, configurationIndex, machine, rowCount: fields.natural() }
}

function readRow(array: unknown): SnapshotRow {
  const fields = new FieldReader(array, 5)
  const kind = fields.natural(U8_MAX)
  const slot = fields.natural(limits.slots - 1)
  const key = fields.copy()
  const value = fields.copy()
  return { kind, slot, key, value, checksum: fields.u32() }
}
