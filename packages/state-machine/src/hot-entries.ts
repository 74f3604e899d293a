/**
 * Clean entries kept in memory: what the store gave or was given lately, present and absent. First in, first out, by bytes.
 *
 * Kept as a row of tables, oldest first; a released overlay becomes the newest table as it is. A write does not look here: what
 * it makes stale is hidden by the overlay until the overlay is released, and from then on by the newer table. That holds as
 * long as a newer table is never dropped before an older one, so eviction always takes from the oldest.
 */
import type { Known } from './entry.ts'
import { EntryTable } from './entry-table.ts'

/** More would make a miss slow; a smaller released overlay is copied into the newest table instead. */
const TABLES_MAX = 8
/** About 1 ms of copying, of small entries and of large ones. */
const COPIED_ENTRIES_MAX = 4096
/** 4 MiB. */
const COPIED_BYTES_MAX = 4_194_304
/** Records evicted by one call at most, so that a large released overlay stalls nobody. */
const EVICTIONS_PER_CALL = 256
/** What a table takes before the next one begins, as a part of the limit: its index is given back only with all of it. */
const TABLE_PART = 4
/** 64 KiB; however low the limit is. */
const TABLE_BYTES_MIN = 65_536

export class HotEntries {
  readonly #bytesMax: number
  #tables: readonly EntryTable[] = []
  #pinned = false

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Oldest first. */
  get tables(): readonly EntryTable[] {
    return this.#tables
  }

  get bytes(): number {
    let bytes = 0
    for (const table of this.#tables) bytes += table.bytes
    return bytes
  }

  /** Nothing is evicted until `unpin`: what was found here is found again. */
  pin(): void {
    this.#pinned = true
  }

  unpin(): void {
    this.#pinned = false
    this.trim()
  }

  /** The caller has made sure that this is what the store holds and that no overlay knows the key. */
  remember(key: Uint8Array, hash: number, known: Known): void {
    this.#newest().putKnown(key, hash, known)
    this.trim()
  }

  /** Takes over an overlay that the store holds by now. */
  adopt(released: EntryTable): void {
    if (released.count > COPIED_ENTRIES_MAX || released.bytes > COPIED_BYTES_MAX)
      this.#tables = [...this.#tables, released]
    else
      for (let ref = released.next(0); ref !== 0; ref = released.next(ref))
        this.#newest().putRecord(released, ref)
    this.trim()
  }

  /** Evicts some of what is too much. Called now and then, since one call never evicts much. */
  trim(): void {
    if (this.#pinned) return
    while (this.#tables.length > TABLES_MAX || this.#isTooMuchWithoutOldest()) this.#dropOldest()
    for (let evictions = 0; evictions < EVICTIONS_PER_CALL && this.bytes > this.#bytesMax; evictions++)
      if (this.#tables[0]?.dropOldest() === false) this.#dropOldest()
  }

  /** Dropped as a whole, it costs nothing. */
  #isTooMuchWithoutOldest(): boolean {
    const [oldest] = this.#tables
    return this.#tables.length > 1 && oldest !== undefined && this.bytes - oldest.bytes > this.#bytesMax
  }

  #dropOldest(): void {
    this.#tables = this.#tables.slice(1)
  }

  #newest(): EntryTable {
    const last = this.#tables.at(-1)
    const full = Math.max(TABLE_BYTES_MIN, this.#bytesMax / TABLE_PART)
    if (last !== undefined && last.appendedBytes < full) return last
    const next = new EntryTable()
    this.#tables = [...this.#tables, next]
    return next
  }
}
