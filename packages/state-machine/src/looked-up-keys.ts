// Keys of an entry's commands, in order, as they were looked up: the space is used again for the next entry.
import type { EntryTable } from './entry-table.ts'

export class LookedUpKeys {
  #hashes: Int32Array = new Int32Array(0)
  #refs: Int32Array = new Int32Array(0)
  #count = 0
  #table: EntryTable | null = null

  get count(): number {
    return this.#count
  }

  /** References will be those of `table`, the overlay's active one. */
  begin(table: EntryTable): void {
    this.#count = 0
    this.#table = table
  }

  /** The entry is applied: the table may go. */
  end(): void {
    this.#count = 0
    this.#table = null
  }

  reserve(more: number): void {
    const count = this.#count + more
    if (count <= this.#hashes.length) return
    const [hashes, refs] = [this.#hashes, this.#refs]
    const length = Math.max(count, 2 * hashes.length)
    this.#hashes = new Int32Array(length)
    this.#hashes.set(hashes)
    this.#refs = new Int32Array(length)
    this.#refs.set(refs)
  }

  /** `ref` 0: the table says nothing of the key. There must be space for it. */
  add(hash: number, ref: number): void {
    this.#hashes[this.#count] = hash
    this.#refs[this.#count] = ref
    this.#count += 1
  }

  hash(place: number): number {
    return this.#hashes[place] ?? 0
  }

  /** Where the key's record was in `table`; 0 = nowhere, or in another table. A put may have ended it since. */
  ref(place: number, table: EntryTable): number {
    return table === this.#table ? (this.#refs[place] ?? 0) : 0
  }
}
