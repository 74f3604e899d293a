/**
 * Finds what to evict of the entries that memory does not know: nobody has used them for longer than anything that it does,
 * or since the process began. It goes through the store in (slot, key) order, round and round.
 */
import type { Victim } from '@quorate/protocol'
import { decodeEntryRow } from './entry.ts'
import type { KnownEntries } from './known-entries.ts'
import type { RowScan } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'
import type { SlotTable } from './slot-table.ts'

/** Rows of one scan, and about so many bytes of them: 256 KiB. */
const SCAN_ROWS_MAX = 64
const SCAN_BYTES = 262_144

export interface ColdScan extends RowScan {
  /** What `complete` has found: entries that memory still does not know. */
  readonly victims: readonly Victim[]
}

const noKey = new Uint8Array(0)

export class ColdCursor {
  readonly #known: KnownEntries
  readonly #slots: SlotTable
  #slot = 0
  #key: Uint8Array = noKey

  constructor(known: KnownEntries, slots: SlotTable) {
    this.#known = known
    this.#slots = slots
  }

  /** Null: the shard holds nothing. One scan at a time. */
  scan(): ColdScan | null {
    const filled = this.#slots.nextFilled(this.#slot) ?? this.#slots.nextFilled(0)
    if (filled === null) return null
    if (filled.slot !== this.#slot) this.#key = noKey
    this.#slot = filled.slot
    const limit = Math.max(1, Math.min(SCAN_ROWS_MAX, Math.floor(SCAN_BYTES / filled.averageBytes)))
    const victims: Victim[] = []
    return {
      kind: rowKind.entry,
      slot: filled.slot,
      key: this.#key,
      limit,
      victims,
      complete: (rows) => {
        for (const { key, value } of rows) this.#look(key, value, victims)
        this.#move(filled.slot, rows.length < limit ? undefined : rows.at(-1)?.key)
      },
    }
  }

  #look(key: Uint8Array, row: Uint8Array, victims: Victim[]): void {
    const hash = this.#known.hash(key)
    const { ref } = this.#known.locate(key, 0, key.length, hash)
    this.#known.forgetFound()
    // The hand decides on what memory knows; and what an overlay knows, the row may not be.
    if (ref !== 0) return
    const { pinned, version } = decodeEntryRow(key, row)
    if (!pinned) victims.push({ key: key.slice(), version })
  }

  /** Behind `last`, or to the next slot where there is none. */
  #move(slot: number, last: Uint8Array | undefined): void {
    this.#slot = last === undefined ? slot + 1 : slot
    this.#key = noKey
    if (last === undefined) return
    // The least key above it.
    this.#key = new Uint8Array(last.length + 1)
    this.#key.set(last)
  }
}
