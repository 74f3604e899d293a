// Batches: what is written at once, on block boundaries, with a header that names whose records it holds (README, disk format).
import assert from 'node:assert/strict'
import { checksum, seedAt } from './checksum.ts'
import { BLOCK_BYTES } from './limits.ts'
import type { ReplicaKey } from './record.ts'
import {
  HARD_STATE_RECORD_BYTES,
  intactRecordBytes,
  readRecord,
  recordBytes,
  type StoredRecord,
  writeRecord,
} from './record-codec.ts'

const MAGIC = 0x474f4c51
const FORMAT = 1
const FLAG_OPENS_SEGMENT = 1
const FIXED_HEADER_BYTES = 64
const GROUP_BYTES = 12
const DIR_ID_BYTES = 16

/** Whose log it is: every checksum starts from it. */
export interface LogIdentity {
  readonly dirId: Uint8Array
  readonly seed: number
}

export interface BatchHeader {
  readonly segment: number
  readonly offset: number
  /** The first batch of its segment: `syncedUpTo` is where the predecessor ends. */
  readonly opensSegment: boolean
  /** How far the log was synced when this batch was written. */
  readonly syncedUpTo: number
  /** In an opening batch: the oldest segment that the log still needs. */
  readonly firstSegment: number
  readonly groups: readonly ReplicaKey[]
  readonly headerBytes: number
  readonly hardStates: number
  readonly recordBytes: number
  /** Offset behind the batch, on a block boundary. */
  readonly end: number
}

export interface BatchPlan {
  readonly segment: number
  readonly offset: number
  readonly opensSegment: boolean
  readonly syncedUpTo: number
  readonly firstSegment: number
  readonly records: readonly StoredRecord[]
}

export interface BuiltBatch {
  /** Whole blocks. A view of the builder's buffer: valid until the next batch is built. */
  readonly bytes: Buffer
  /** Per record of the plan its offset in the segment; -1 for a hard state that a later one replaced. */
  readonly offsets: readonly number[]
}

export interface PlacedRecord {
  readonly record: StoredRecord
  readonly offset: number
  readonly bytes: number
}

export function blocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}

/** An upper bound of what a batch of these records occupies on disk. */
export function batchBytesMax(recordCount: number, bytes: number, hardStates: number): number {
  const first = blocks(FIXED_HEADER_BYTES + recordCount * GROUP_BYTES + bytes)
  return hardStates === 0 ? first : first + blocks(hardStates * HARD_STATE_RECORD_BYTES)
}

/** Builds batches in one buffer that is used again: one pass, no allocation per record. */
export class BatchBuilder {
  readonly #identity: LogIdentity
  #buffer: Buffer = Buffer.allocUnsafeSlow(16 * BLOCK_BYTES)

  constructor(identity: LogIdentity) {
    this.#identity = identity
  }

  build(plan: BatchPlan): BuiltBatch {
    const { records, segment, offset } = plan
    const groups = groupsOf(records)
    const hardStates = lastHardStates(records)
    let needed = FIXED_HEADER_BYTES + groups.length * GROUP_BYTES + BLOCK_BYTES * 2
    for (const record of records) needed += recordBytes(record) * (record.kind === 'hardState' ? 2 : 1)
    if (needed > this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(blocks(needed))
    const out = this.#buffer
    const offsets = records.map(() => -1)
    const put = (at: number, record: StoredRecord): number =>
      writeRecord(out, at, seedAt(this.#identity.seed, segment, offset + at), record)

    const headerBytes = FIXED_HEADER_BYTES + groups.length * GROUP_BYTES
    let at = headerBytes
    for (const index of hardStates) {
      offsets[index] = offset + at
      at = put(at, recordAt(records, index))
    }
    const sectionStart = at
    records.forEach((record, index) => {
      if (record.kind === 'hardState') return
      offsets[index] = offset + at
      at = put(at, record)
    })
    const sectionBytes = at - sectionStart
    if (hardStates.length > 0) {
      out.fill(0, at, blocks(at))
      at = blocks(at)
      for (const index of hardStates) at = put(at, recordAt(records, index))
    }
    const end = blocks(at)
    out.fill(0, at, end)
    this.#writeHeader(plan, groups, hardStates.length, sectionBytes)
    return { bytes: out.subarray(0, end), offsets }
  }

  #writeHeader(
    plan: BatchPlan,
    groups: readonly ReplicaKey[],
    hardStates: number,
    sectionBytes: number,
  ): void {
    const out = this.#buffer
    out.writeUInt32LE(MAGIC, 0)
    out.writeUInt16LE(FORMAT, 4)
    out.writeUInt16LE(plan.opensSegment ? FLAG_OPENS_SEGMENT : 0, 6)
    out.set(this.#identity.dirId, 8)
    out.writeUInt32LE(plan.segment, 24)
    out.writeUInt32LE(plan.offset, 28)
    out.writeUInt32LE(sectionBytes, 32)
    out.writeUInt32LE(hardStates, 36)
    out.writeDoubleLE(plan.syncedUpTo, 40)
    out.writeUInt32LE(plan.firstSegment, 48)
    out.writeUInt32LE(groups.length, 52)
    out.writeUInt32LE(0, 56)
    let at = FIXED_HEADER_BYTES
    for (const { group, incarnation } of groups) {
      out.writeUInt32LE(group, at)
      out.writeDoubleLE(incarnation, at + 4)
      at += GROUP_BYTES
    }
    out.writeUInt32LE(headerChecksum(out, 0, at, seedAt(this.#identity.seed, plan.segment, plan.offset)), 60)
  }
}

/** The header at `offset` of a segment's bytes; null if nothing readable of this directory begins there. */
export function readHeader(
  bytes: Buffer,
  segment: number,
  offset: number,
  identity: LogIdentity,
): BatchHeader | null {
  if (offset + FIXED_HEADER_BYTES > bytes.length || bytes.readUInt32LE(offset) !== MAGIC) return null
  if (bytes.readUInt16LE(offset + 4) !== FORMAT) return null
  if (Buffer.compare(bytes.subarray(offset + 8, offset + 8 + DIR_ID_BYTES), identity.dirId) !== 0) return null
  if (bytes.readUInt32LE(offset + 24) !== segment || bytes.readUInt32LE(offset + 28) !== offset) return null
  const groupCount = bytes.readUInt32LE(offset + 52)
  const headerBytes = FIXED_HEADER_BYTES + groupCount * GROUP_BYTES
  if (offset + headerBytes > bytes.length) return null
  const start = seedAt(identity.seed, segment, offset)
  if (headerChecksum(bytes, offset, offset + headerBytes, start) !== bytes.readUInt32LE(offset + 60))
    return null
  const groups: ReplicaKey[] = []
  for (let at = offset + FIXED_HEADER_BYTES; at < offset + headerBytes; at += GROUP_BYTES) {
    groups.push({ group: bytes.readUInt32LE(at), incarnation: bytes.readDoubleLE(at + 4) })
  }
  const hardStates = bytes.readUInt32LE(offset + 36)
  const recordSection = bytes.readUInt32LE(offset + 32)
  return {
    segment,
    offset,
    opensSegment: (bytes.readUInt16LE(offset + 6) & FLAG_OPENS_SEGMENT) !== 0,
    syncedUpTo: bytes.readDoubleLE(offset + 40),
    firstSegment: bytes.readUInt32LE(offset + 48),
    groups,
    headerBytes,
    hardStates,
    recordBytes: recordSection,
    end:
      offset +
      blocks(headerBytes + hardStates * HARD_STATE_RECORD_BYTES + recordSection) +
      blocks(hardStates * HARD_STATE_RECORD_BYTES),
  }
}

/**
 * Every record of a batch, hard states last (where a batch holds the end of one replica and the beginning of the next
 * in the same group, each is then known). Null unless all of it is intact; of a hard state one copy is enough.
 */
export function readBatch(bytes: Buffer, header: BatchHeader, identity: LogIdentity): PlacedRecord[] | null {
  const start = (at: number): number => seedAt(identity.seed, header.segment, at)
  const hardStatesAt = header.offset + header.headerBytes
  const recordsAt = hardStatesAt + header.hardStates * HARD_STATE_RECORD_BYTES
  const recordsEnd = recordsAt + header.recordBytes
  const copiesAt = header.offset + blocks(recordsEnd - header.offset)
  if (recordsEnd > bytes.length) return null
  const placed: PlacedRecord[] = []
  for (let at = recordsAt; at < recordsEnd;) {
    const length = intactRecordBytes(bytes, at, recordsEnd, start(at))
    const record = length === 0 ? null : readRecord(bytes, at)
    if (record === null) return null
    placed.push({ record, offset: at, bytes: length })
    at += length
  }
  for (let index = 0; index < header.hardStates; index += 1) {
    const copies = [hardStatesAt, copiesAt].map((section) => section + index * HARD_STATE_RECORD_BYTES)
    const intact = copies.find(
      (at) => intactRecordBytes(bytes, at, bytes.length, start(at)) === HARD_STATE_RECORD_BYTES,
    )
    const record = intact === undefined ? null : readRecord(bytes, intact)
    if (intact === undefined || record?.kind !== 'hardState') return null
    placed.push({ record, offset: intact, bytes: HARD_STATE_RECORD_BYTES })
  }
  return placed
}

/** Everything of the header but its checksum at 60. */
function headerChecksum(bytes: Buffer, from: number, to: number, start: number): number {
  return checksum(
    bytes.subarray(from + FIXED_HEADER_BYTES, to),
    checksum(bytes.subarray(from, from + 60), start),
  )
}

function groupsOf(records: readonly StoredRecord[]): ReplicaKey[] {
  const seen = new Map<number, number[]>()
  const groups: ReplicaKey[] = []
  for (const { kind, group, incarnation } of records) {
    if (kind === 'nodeDamaged') continue
    const incarnations = seen.get(group)
    if (incarnations?.includes(incarnation) === true) continue
    if (incarnations === undefined) seen.set(group, [incarnation])
    else incarnations.push(incarnation)
    groups.push({ group, incarnation })
  }
  return groups
}

/** Positions of the newest hard state of each replica. */
function lastHardStates(records: readonly StoredRecord[]): number[] {
  const last = new Map<string, number>()
  records.forEach((record, index) => {
    if (record.kind === 'hardState') last.set(`${record.group}/${record.incarnation}`, index)
  })
  return [...last.values()]
}

function recordAt(records: readonly StoredRecord[], index: number): StoredRecord {
  const record = records[index]
  assert(record !== undefined)
  return record
}
