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

  /** What was found is of no interest any more: its table may go. */
  forgetFound(): void {
    this.#found.table = this.overlay.active
    this.#found.ref = 0
  }

  /** A copy; undefined = the store must say. */
  find(key: Uint8Array, hash: number): Known | undefined {
    return this.#copyOf(this.locate(key, 0, key.length, hash))
  }

  /** As `find`, by somebody who uses the entry: the hand that looks for victims spares it once. */
  findUsed(key: Uint8Array, hash: number): Known | undefined {
    const found = this.locate(key, 0, key.length, hash)
    if (found.ref !== 0) found.table.records.setVisited(found.ref, true)
    return this.#copyOf(found)
  }

  /** A copy of what no checkpoint has released; undefined = nothing. */
  findDirty(key: Uint8Array, hash: number): Known | undefined {
    return this.#copyOf(this.#locateDirty(key, 0, key.length, hash))
  }

  isDirty(key: Uint8Array, hash: number): boolean {
    const { ref } = this.#locateDirty(key, 0, key.length, hash)
    this.forgetFound()
    return ref !== 0
  }

  #copyOf({ table, ref }: FoundRecord): Known | undefined {
    this.forgetFound()
    return ref === 0 ? undefined : table.known(ref)
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
