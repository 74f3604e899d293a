// Entries that are newer than the store (storage.md, the state store): the active overlay and, during a checkpoint, the frozen one.
import { assert } from './assert.ts'
import { EntryTable } from './entry-table.ts'

export class Overlay {
  #active: EntryTable = new EntryTable()
  #frozen: EntryTable | null = null

  /** Takes the puts. */
  get active(): EntryTable {
    return this.#active
  }

  /** Takes none; older than the active one. Null: nothing is frozen. */
  get frozen(): EntryTable | null {
    return this.#frozen
  }

  /** Memory held, active and frozen, for the host's limit on overlays. */
  get bytes(): number {
    return this.#active.bytes + (this.#frozen?.bytes ?? 0)
  }

  /** Moves everything active to the frozen part, in constant time. At most one part is frozen. */
  freeze(): void {
    assert(this.#frozen === null, 'overlay: frozen twice')
    this.#frozen = this.#active
    this.#active = new EntryTable()
  }

  /** Forgets the frozen part and returns it. */
  release(): EntryTable {
    const released = this.#frozen
    assert(released !== null, 'overlay: nothing to release')
    this.#frozen = null
    return released
  }
}
