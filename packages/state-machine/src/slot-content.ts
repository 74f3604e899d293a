// What a slot of a shard holds, as a row of kind 2. A slot without entries has neither record nor row.
import { limits } from '@quorate/protocol'
import { BadStateError } from './bad-state-error.ts'
import { type Hash, hashOf } from './hash.ts'
import { rowReader } from './row-reader.ts'
import { rowWriter } from './row-writer.ts'

export interface SlotContent {
  readonly slot: number
  count: number
  /** Key + value + ENTRY_OVERHEAD_BYTES, summed over the entries. */
  bytes: number
  /** The part of `bytes` that is pinned. */
  pinnedBytes: number
  /** Sum of the entries' hashes. */
  low: number
  high: number
}

const CONTENT_FORMAT = 1
const CONTENT_ROW_BYTES = 25
/** With the pinned bytes behind: only where there are some. */
const PINNED_CONTENT_FORMAT = 2
const PINNED_CONTENT_ROW_BYTES = 33

export function noContent(slot: number): SlotContent {
  return { slot, count: 0, bytes: 0, pinnedBytes: 0, low: 0, high: 0 }
}

export function hashContent({ slot, count, bytes, pinnedBytes, low, high }: SlotContent): Hash {
  const numbers = [slot, count, bytes, low, high]
  return hashOf(pinnedBytes === 0 ? numbers : [...numbers, pinnedBytes], [])
}

export function encodeContentRow({ count, bytes, pinnedBytes, low, high }: SlotContent): Uint8Array {
  const pinned = pinnedBytes > 0
  const row = rowWriter(pinned ? PINNED_CONTENT_ROW_BYTES : CONTENT_ROW_BYTES)
  row.u8(pinned ? PINNED_CONTENT_FORMAT : CONTENT_FORMAT)
  row.number(count)
  row.number(bytes)
  row.u32(low)
  row.u32(high)
  if (pinned) row.number(pinnedBytes)
  return row.finish()
}

/** Throws `BadStateError` for anything that `encodeContentRow` would not have written. */
export function decodeContentRow(slot: number, key: Uint8Array, bytes: Uint8Array): SlotContent {
  if (!Number.isInteger(slot) || slot < 0 || slot >= limits.slots || key.length > 0)
    throw new BadStateError(`slot row ${slot} with ${key.length} bytes of key`)
  const row = rowReader(bytes, `slot row ${slot}`)
  const format = row.u8()
  if (format !== CONTENT_FORMAT && format !== PINNED_CONTENT_FORMAT)
    throw new BadStateError(`slot row ${slot}: format ${format}`)
  const content = { slot, count: row.number(1), bytes: row.number(1), low: row.u32(), high: row.u32() }
  const pinnedBytes = format === PINNED_CONTENT_FORMAT ? row.number(1) : 0
  row.end()
  if (pinnedBytes > content.bytes)
    throw new BadStateError(`slot row ${slot}: ${pinnedBytes} of ${content.bytes} bytes are pinned`)
  return { ...content, pinnedBytes }
}
