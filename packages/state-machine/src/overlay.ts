// Entries that are newer than the store (storage.md, the state store): the active overlay and, during a checkpoint, the frozen one.
import { assert } from './assert.ts'
import { type Entry, ENTRY_OVERHEAD_BYTES } from './entry.ts'

/** An entry, null = known to be absent (in an overlay: deleted). */
export type Known = Entry | null

/**
 * The only way in which the state machine reaches its dirty entries, so that a table without an object per key can take
 * the place of the maps.
 */
export interface Overlay {
  /** Active before frozen; undefined = this overlay says nothing of the key. */
  find(name: string): Known | undefined
  put(name: string, known: Known): void
  /** Moves everything active to the frozen part, in constant time. At most one part is frozen. */
  freeze(): void
  frozenEntries(): Iterable<readonly [name: string, known: Known]>
  readonly frozenCount: number
  /** Bytes held, active and frozen, for the host's limit on overlays. */
  readonly bytes: number
  /** Forgets the frozen part and returns it. */
  release(): DirtyEntries
}

export interface DirtyEntries {
  readonly entries: Map<string, Known>
  readonly bytes: number
}

export function createMapOverlay(): Overlay {
  let active = { entries: new Map<string, Known>(), bytes: 0 }
  let frozen: DirtyEntries | null = null
  return {
    find(name) {
      const known = active.entries.get(name)
      return known === undefined && frozen !== null ? frozen.entries.get(name) : known
    },
    put(name, known) {
      const before = active.entries.get(name)
      active.bytes += knownBytes(name, known) - (before === undefined ? 0 : knownBytes(name, before))
      active.entries.set(name, known)
    },
    freeze() {
      assert(frozen === null, 'overlay: frozen twice')
      frozen = active
      active = { entries: new Map(), bytes: 0 }
    },
    frozenEntries() {
      assert(frozen !== null, 'overlay: nothing is frozen')
      return frozen.entries
    },
    get frozenCount() {
      return frozen === null ? 0 : frozen.entries.size
    },
    get bytes() {
      return active.bytes + (frozen === null ? 0 : frozen.bytes)
    },
    release() {
      assert(frozen !== null, 'overlay: nothing to release')
      const released = frozen
      frozen = null
      return released
    },
  }
}

export function knownBytes(name: string, known: Known): number {
  return name.length + ENTRY_OVERHEAD_BYTES + (known === null ? 0 : known.value.length)
}
