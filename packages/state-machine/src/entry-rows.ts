// The rows that a checkpoint writes for a frozen table of entries.
import { ownBytes, slotOf } from '@quorate/protocol'
import { ENTRY_FORMAT, PINNED_ENTRY_FORMAT } from './entry.ts'
import type { EntryTable } from './entry-table.ts'
import type { RowChange } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'

/** Format, version and deadline. */
const ENTRY_HEAD_BYTES = 17

/** Copies: the table may be dropped before the rows are down. */
export function* frozenEntryRows(frozen: EntryTable): Generator<RowChange> {
  for (let ref = frozen.next(0); ref !== 0; ref = frozen.next(ref)) {
    const key = frozen.key(ref)
    const value = frozen.records.isAbsent(ref) ? null : encodeEntryRow(frozen, ref)
    yield { kind: rowKind.entry, slot: slotOf(key), key, value }
  }
}

function encodeEntryRow({ records }: EntryTable, ref: number): Uint8Array {
  const length = records.valueLength(ref)
  const row = ownBytes(ENTRY_HEAD_BYTES + length)
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  view.setUint8(0, records.isPinned(ref) ? PINNED_ENTRY_FORMAT : ENTRY_FORMAT)
  view.setFloat64(1, records.version(ref), true)
  view.setFloat64(9, records.deadline(ref), true)
  const at = records.valueAt(ref)
  row.set(records.chunk(ref).bytes.subarray(at, at + length), ENTRY_HEAD_BYTES)
  return row
}
