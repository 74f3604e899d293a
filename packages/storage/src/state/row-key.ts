// The keys of every row: `group u32 | generation u64 | kind u8 | slot u16 | user key`, big-endian, so that bytes sort as
// the numbers do. The store's own rows live in a group number that no replica may have.
import assert from 'node:assert/strict'
import type { StateRow } from './state-store.ts'

/** Bytes before the user key. */
export const KEY_PREFIX_BYTES = 15

/** The area of the store's own rows; real groups are below it. */
export const SYSTEM_GROUP = 0xffff_ffff

/** Kinds of the store's own rows. Disjoint from the state machine's (1..250), so that a misplaced row is recognised. */
export const SYSTEM_KIND = { identity: 251, checkpoint: 252, write: 253, head: 254 } as const

const KIND_MAX = 255
const SLOT_MAX = 0xffff
const TWO_TO_32 = 0x1_0000_0000

export interface RowPlace {
  readonly group: number
  readonly generation: number
  readonly kind: number
  readonly slot: number
}

export function writeUint53(bytes: Buffer, value: number, offset: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `not an unsigned safe integer: ${value}`)
  bytes.writeUInt32BE(Math.floor(value / TWO_TO_32), offset)
  bytes.writeUInt32BE(value % TWO_TO_32, offset + 4)
}

/** May exceed the safe integers where the bytes are not to be trusted: the caller checks. */
export function readUint64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32BE(offset) * TWO_TO_32 + bytes.readUInt32BE(offset + 4)
}

export function rowKey(
  group: number,
  generation: number,
  row: Pick<StateRow, 'kind' | 'slot' | 'key'>,
): Buffer {
  const { kind, slot } = row
  assert(Number.isInteger(group) && group >= 0 && group <= SYSTEM_GROUP, `group out of range: ${group}`)
  assert(Number.isInteger(kind) && kind >= 0 && kind <= KIND_MAX, `kind out of range: ${kind}`)
  assert(Number.isInteger(slot) && slot >= 0 && slot <= SLOT_MAX, `slot out of range: ${slot}`)
  const key = Buffer.allocUnsafe(KEY_PREFIX_BYTES + row.key.length)
  key.writeUInt32BE(group, 0)
  writeUint53(key, generation, 4)
  key.writeUInt8(kind, 12)
  key.writeUInt16BE(slot, 13)
  key.set(row.key, KEY_PREFIX_BYTES)
  return key
}

/** The numbers of a key; null where the bytes are too short to be one. */
export function rowPlace(key: Uint8Array): RowPlace | null {
  if (key.length < KEY_PREFIX_BYTES) return null
  const bytes = asBuffer(key)
  return {
    group: bytes.readUInt32BE(0),
    generation: readUint64(bytes, 4),
    kind: bytes.readUInt8(12),
    slot: bytes.readUInt16BE(13),
  }
}

export function userKey(key: Uint8Array): Uint8Array {
  return new Uint8Array(key.buffer, key.byteOffset + KEY_PREFIX_BYTES, key.length - KEY_PREFIX_BYTES)
}

/** All keys of a generation are at or above `from` and below `to`. */
export function generationRange(group: number, generation: number): { from: Buffer; to: Buffer } {
  const empty = { kind: 0, slot: 0, key: new Uint8Array(0) }
  return { from: rowKey(group, generation, empty), to: rowKey(group, generation + 1, empty) }
}

export function systemKey(kind: number, slot: number, key: Uint8Array = new Uint8Array(0)): Buffer {
  return rowKey(SYSTEM_GROUP, 0, { kind, slot, key })
}

/** All of the store's own rows of one kind. */
export function systemRange(kind: number): { from: Buffer; to: Buffer } {
  return { from: systemKey(kind, 0), to: systemKey(kind + 1, 0) }
}

/** The same bytes with Buffer's readers. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
