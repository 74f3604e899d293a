// What the sections of one entry change, and the one way in which they change an entry.
import type { DeadlineIndex } from './deadline-index.ts'
import type { Known, Overlay } from './overlay.ts'
import type { KeyPlace } from './prepared-entry.ts'
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
  readonly overlay: Overlay
  readonly deadlines: DeadlineIndex
  /** Grows by what is removed. */
  readonly removals: Removal[]
}

/** Accounts, index and overlay change together. */
export function putEntry(place: KeyPlace, before: Known, after: Known, context: ApplyContext): void {
  context.slots.replace(place.slot, place.key, before, after)
  context.deadlines.replace(place.name, before?.deadline ?? 0, after?.deadline ?? 0)
  context.overlay.put(place.name, after)
  place.known = after
}
