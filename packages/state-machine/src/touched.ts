/**
 * Records that a checkpoint freezes by copy-on-write: the first change to a record after a freeze makes a copy, so that the
 * frozen part keeps the moment of the freeze without copying anything at that moment. It also keeps the sum of the records'
 * hashes, computed only for what changed since it was last asked for.
 */
import { assert } from './assert.ts'
import { addHash, emptySum, type Hash, type HashSum, subtractHash } from './hash.ts'

export interface TouchedOptions<Key, Record> {
  readonly clone: (record: Record) => Record
  readonly hash: (record: Record) => Hash
  readonly name: (key: Key) => string
}

export class TouchedRecords<Key, Record> {
  readonly records: Map<Key, Record> = new Map<Key, Record>()
  readonly #options: TouchedOptions<Key, Record>
  /** Changed since the last freeze; null = removed. What is in here under a key is the very object in `records`. */
  #dirty: Map<Key, Record | null> = new Map<Key, Record | null>()
  #frozen: Map<Key, Record | null> | null = null
  readonly #sum: HashSum = emptySum()
  /** What `#sum` holds of each record. */
  readonly #summed: Map<Key, Hash> = new Map<Key, Hash>()
  readonly #unsummed: Set<Key> = new Set<Key>()

  constructor(options: TouchedOptions<Key, Record>) {
    this.#options = options
  }

  /** The record, free to be changed until the next freeze. */
  change(key: Key): Record | undefined {
    const record = this.records.get(key)
    if (record === undefined) return undefined
    this.#unsummed.add(key)
    if (this.#dirty.has(key)) return record
    // Without a frozen part, or with one that does not hold this object, nobody else looks at it.
    const shared = this.#frozen !== null && this.#frozen.get(key) === record
    const own = shared ? this.#options.clone(record) : record
    if (shared) this.records.set(key, own)
    this.#dirty.set(key, own)
    return own
  }

  add(key: Key, record: Record): void {
    assert(!this.records.has(key), `${this.#options.name(key)} exists`)
    this.records.set(key, record)
    this.#dirty.set(key, record)
    this.#unsummed.add(key)
  }

  /** A record that the store already holds: not dirty. */
  restore(key: Key, record: Record): void {
    assert(!this.records.has(key), `${this.#options.name(key)} exists`)
    this.records.set(key, record)
    this.#unsummed.add(key)
  }

  remove(key: Key): void {
    assert(this.records.delete(key), `${this.#options.name(key)} does not exist`)
    this.#dirty.set(key, null)
    this.#unsummed.add(key)
  }

  freeze(): void {
    assert(this.#frozen === null, 'frozen twice')
    this.#frozen = this.#dirty
    this.#dirty = new Map()
  }

  frozenRecords(): ReadonlyMap<Key, Record | null> {
    assert(this.#frozen !== null, 'nothing is frozen')
    return this.#frozen
  }

  release(): void {
    assert(this.#frozen !== null, 'nothing to release')
    this.#frozen = null
  }

  hash(): Hash {
    for (const key of this.#unsummed) {
      const before = this.#summed.get(key)
      if (before !== undefined) subtractHash(this.#sum, before)
      const record = this.records.get(key)
      if (record === undefined) {
        this.#summed.delete(key)
      } else {
        const hash = this.#options.hash(record)
        addHash(this.#sum, hash)
        this.#summed.set(key, hash)
      }
    }
    this.#unsummed.clear()
    return { low: this.#sum.low, high: this.#sum.high }
  }
}
