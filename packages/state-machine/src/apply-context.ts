// What the sections of one entry change, and the one way in which rare commands change an entry.
import { assert } from './assert.ts'
import type { DeadlineIndex } from './deadline-index.ts'
import { entryBytes, type Known, pinnedBytes } from './entry.ts'
import { keyName } from './key-name.ts'
import type { KnownEntries } from './known-entries.ts'
import type { Removal } from './replicated-state.ts'
import type { SessionTable } from './session-table.ts'
import type { SlotTable } from './slot-table.ts'

/** The state that an entry changes. `lastVersion` is the counter while the entry is applied. */
export interface ApplyContext {
  readonly group: number
  /** The entry's own, ms; what `notAfter` is compared with. */
  readonly stamp: number
  /** The log clock with this entry, ms. */
  readonly clock: number
  lastVersion: number
  readonly slots: SlotTable
  readonly sessions: SessionTable
  readonly known: KnownEntries
  /** What the store said of keys that memory does not hold, by name. */
  readonly fetched: ReadonlyMap<string, Known>
  readonly deadlines: DeadlineIndex
  /** Grows by what is removed. */
  readonly removals: Removal[]
}

/** A key of the entry. */
export interface KeyPlace {
  readonly key: Uint8Array
  readonly hash: number
  readonly slot: number
}

/** A copy. What an earlier command of the entry has changed is in the overlay, before what was fetched. */
export function knownEntry({ key, hash, slot }: KeyPlace, { known, fetched }: ApplyContext): Known {
  const inMemory = known.find(key, hash)
  const entry = inMemory === undefined ? fetched.get(keyName(key)) : inMemory
  assert(entry !== undefined, `a key of slot ${slot} was not fetched`)
  return entry
}

/** Accounts, index and overlay change together. */
export function putEntry(
  { key, hash, slot }: KeyPlace,
  before: Known,
  after: Known,
  context: ApplyContext,
): void {
  context.slots.replace(
    slot,
    (after === null ? 0 : 1) - (before === null ? 0 : 1),
    (after === null ? 0 : entryBytes(key, after)) - (before === null ? 0 : entryBytes(key, before)),
    (after?.low ?? 0) - (before?.low ?? 0),
    (after?.high ?? 0) - (before?.high ?? 0),
    pinnedBytes(key, after) - pinnedBytes(key, before),
  )
  const [deadlineBefore, deadlineAfter] = [before?.deadline ?? 0, after?.deadline ?? 0]
  if (deadlineBefore !== deadlineAfter) context.deadlines.replace(keyName(key), deadlineBefore, deadlineAfter)
  const { active } = context.known.overlay
  const ref = active.putKnown(key, hash, after)
  if (before !== null && after !== null) active.records.setVisited(ref, true)
}
