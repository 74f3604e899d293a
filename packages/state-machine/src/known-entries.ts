/**
 * What memory says of a key: the active overlay before the frozen one before hot entries, from the newest. What none of them
 * knows, the store must say.
 */
import type { Known } from './entry.ts'
import type { EntryTable } from './entry-table.ts'
import { HotEntries } from './hot-entries.ts'
import { keyHash, type KeySeed } from './key-hash.ts'
import { Overlay } from './overlay.ts'

/** A record and the table that it is in; used again by the next look-up. */
export interface FoundRecord {
  table: EntryTable
  /** 0 = nothing is known. Valid until the next put. */
  ref: number
}

export class KnownEntries {
  readonly overlay: Overlay = new Overlay()
  readonly hot: HotEntries
  readonly #seed: KeySeed
  readonly #found: FoundRecord

  constructor(hotBytesMax: number, seed: KeySeed) {
    this.hot = new HotEntries(hotBytesMax)
    this.#seed = seed
    this.#found = { table: this.overlay.active, ref: 0 }
  }

  /** Computed once for each command and used for every table. */
  hash(bytes: Uint8Array, at = 0, length: number = bytes.length): number {
    return keyHash(this.#seed, bytes, at, length)
  }

  /** Makes nothing: what it returns is the same object every time. */
  locate(bytes: Uint8Array, at: number, length: number, hash: number): FoundRecord {
    const found = this.#locateDirty(bytes, at, length, hash)
    const { tables } = this.hot
    for (let number = tables.length - 1; found.ref === 0 && number >= 0; number--) {
      found.table = tables[number] ?? found.table
      found.ref = found.table.find(bytes, at, length, hash)
    }
    return found
  }

  /** A copy; undefined = the store must say. */
  find(key: Uint8Array, hash: number): Known | undefined {
    const { table, ref } = this.locate(key, 0, key.length, hash)
    return ref === 0 ? undefined : table.known(ref)
  }

  /** A copy of what no checkpoint has released; undefined = nothing. */
  findDirty(key: Uint8Array, hash: number): Known | undefined {
    const { table, ref } = this.#locateDirty(key, 0, key.length, hash)
    return ref === 0 ? undefined : table.known(ref)
  }

  isDirty(key: Uint8Array, hash: number): boolean {
    return this.#locateDirty(key, 0, key.length, hash).ref !== 0
  }

  #locateDirty(bytes: Uint8Array, at: number, length: number, hash: number): FoundRecord {
    const found = this.#found
    const { active, frozen } = this.overlay
    found.table = active
    found.ref = active.find(bytes, at, length, hash)
    if (found.ref !== 0 || frozen === null) return found
    found.table = frozen
    found.ref = frozen.find(bytes, at, length, hash)
    return found
  }
}
