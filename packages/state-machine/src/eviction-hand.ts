/**
 * Chooses what to evict of the entries in memory, by SIEVE (Zhang et al., NSDI 2024): a hand goes from the oldest record to the
 * newest and round again; a record that was used since it came, or since the hand passed, is spared once, any other one is a
 * victim. What is spared stays where it is, and what is new comes in front of the hand's way.
 *
 * The order is that of the records in their tables, hot ones before overlays, and the mark is a bit in the record: following
 * accesses costs neither memory nor an object for any key. A write behind a checkpoint moves its key to the newest table.
 */
import type { Victim } from '@quorate/protocol'
import type { EntryTable } from './entry-table.ts'
import { ENTRY_OVERHEAD_BYTES } from './entry.ts'
import type { KnownEntries } from './known-entries.ts'

/** Records looked at by one call: about half a millisecond. */
const STEPS_MAX = 2048

export class EvictionHand {
  readonly #known: KnownEntries
  #table: EntryTable | null = null
  #ref = 0

  constructor(known: KnownEntries) {
    this.#known = known
  }

  /** Victims worth `bytes`, at most `count` of them; fewer where its steps, or the records, come to their end. */
  choose(bytes: number, count: number): readonly Victim[] {
    const victims: Victim[] = []
    let found = 0
    for (let step = 0; step < STEPS_MAX && found < bytes && victims.length < count; step++) {
      const table = this.#advance()
      if (table === null) break
      const { records } = table
      const ref = this.#ref
      if (records.isAbsent(ref) || records.isPinned(ref) || !this.#isNewest(table, ref)) continue
      if (records.isVisited(ref)) {
        records.setVisited(ref, false)
        continue
      }
      victims.push({ key: table.key(ref), version: records.version(ref) })
      found += records.keyLength(ref) + records.valueLength(ref) + ENTRY_OVERHEAD_BYTES
    }
    return victims
  }

  /** Goes to the next record and returns its table; null: round the end, or there is none. */
  #advance(): EntryTable | null {
    const tables = this.#tables()
    // A table that is no more was older than all that are.
    let at = this.#table === null ? 0 : tables.indexOf(this.#table)
    let ref = at < 0 ? 0 : this.#ref
    if (at < 0) at = 0
    for (; at < tables.length; at++) {
      const table = tables[at]
      const next = table === undefined ? 0 : nextKept(table, ref)
      if (table !== undefined && next !== 0) {
        this.#table = table
        this.#ref = next
        return table
      }
      ref = 0
    }
    this.#table = null
    this.#ref = 0
    return null
  }

  /** Oldest first. */
  #tables(): readonly EntryTable[] {
    const { hot, overlay } = this.#known
    return overlay.frozen === null
      ? [...hot.tables, overlay.active]
      : [...hot.tables, overlay.frozen, overlay.active]
  }

  #isNewest(table: EntryTable, ref: number): boolean {
    const { records } = table
    const { bytes } = records.chunk(ref)
    const found = this.#known.locate(bytes, records.keyAt(ref), records.keyLength(ref), records.keyHash(ref))
    const isNewest = found.table === table && found.ref === ref
    this.#known.forgetFound()
    return isNewest
  }
}

/** The record behind `ref` that the table has not dropped; 0 = there is none. */
function nextKept(table: EntryTable, ref: number): number {
  let next = table.next(ref)
  while (next !== 0 && table.records.isDropped(next)) next = table.next(next)
  return next
}
