// A user's entry in memory and as a row (kind 4), and what it counts.
import type { Result, Value } from '@quorate/protocol'
import { decodeValue } from '@quorate/protocol'
import { BadStateError } from './bad-state-error.ts'
import { finishHash, hashBytesInto, hashNumberInto, type Lanes, laneSeeds } from './hash.ts'
import { rowReader } from './row-reader.ts'

/** An entry outside of tables, of its own: what rare commands work with. Immutable. */
export interface Entry {
  /** The encoded value (tag and bytes), a copy of its own: never part of a frame or payload. */
  readonly value: Uint8Array
  readonly version: number
  /** Log-clock ms; 0 = none. */
  readonly deadline: number
  /** Written with `evict: false`: never evicted. */
  readonly pinned: boolean
  /** The entry's hash over key, version, deadline, value and pin; kept to be subtracted when it goes. */
  readonly low: number
  readonly high: number
}

/** An entry, null = known to be absent (in an overlay: deleted). */
export type Known = Entry | null

/**
 * What an entry counts besides key and value, bytes: row head, the store's key prefix and checksum, its place in memory.
 * Replicated state: changing it needs a new `level`.
 */
export const ENTRY_OVERHEAD_BYTES = 64

export const ENTRY_FORMAT = 1
/** The same fields, of an entry that is pinned. */
export const PINNED_ENTRY_FORMAT = 2

export function makeEntry(
  key: Uint8Array,
  value: Uint8Array,
  version: number,
  deadline: number,
  pinned = false,
): Entry {
  lanes.low = laneSeeds.low
  lanes.high = laneSeeds.high
  hashBytesInto(lanes, key)
  hashBytesInto(lanes, value)
  hashNumberInto(lanes, version)
  hashNumberInto(lanes, deadline)
  if (pinned) hashNumberInto(lanes, PIN_HASHED)
  return { value, version, deadline, pinned, low: finishHash(lanes.low), high: finishHash(lanes.high) }
}

/** What a pin adds to an entry's hash: nothing where there is none. */
export const PIN_HASHED = 1

const lanes: Lanes = { low: 0, high: 0 }

export function entryBytes(key: Uint8Array, entry: Entry): number {
  return key.length + entry.value.length + ENTRY_OVERHEAD_BYTES
}

/** What the entry adds to the bytes that nothing can evict. */
export function pinnedBytes(key: Uint8Array, entry: Known): number {
  return entry?.pinned === true ? entryBytes(key, entry) : 0
}

export function entryValue(entry: Entry): Value {
  return decodeValue(entry.value)
}

/** It is there until it is swept, and absent for everybody (time.md). */
export function isExpired(entry: Entry, clock: number): boolean {
  return entry.deadline !== 0 && entry.deadline <= clock
}

/** A read's hit. */
export function entryResult(entry: Entry): Result {
  return { type: 'entry', version: entry.version, value: entryValue(entry), expiresAt: entry.deadline }
}

export function decodeEntryRow(key: Uint8Array, bytes: Uint8Array): Entry {
  const row = rowReader(bytes, 'entry row')
  const format = row.u8()
  if (format !== ENTRY_FORMAT && format !== PINNED_ENTRY_FORMAT)
    throw new BadStateError(`entry row: format ${format}`)
  const version = row.number(1)
  const deadline = row.number()
  const value = row.bytes(row.remaining)
  try {
    decodeValue(value)
  } catch (error) {
    throw new BadStateError('entry row: value', { cause: error })
  }
  return makeEntry(key, value, version, deadline, format === PINNED_ENTRY_FORMAT)
}
