/**
 * Entries by key without an object for any of them (performance.md, 1): records in an arena and an index that finds them. A
 * new value is written over the old one where it fits, so a table that somebody still reads (a frozen one) takes no more
 * puts; and what is read out of a record is a copy.
 */
import { byteSource, type ByteSource } from './byte-source.ts'
import { type Entry, type Known, PIN_HASHED } from './entry.ts'
import { copyAndHashInto, finishHash, hashNumberInto, hashRangeInto, type Lanes, laneSeeds } from './hash.ts'
import { RecordArena } from './record-arena.ts'
import { RecordIndex } from './record-index.ts'

const lanes: Lanes = { low: 0, high: 0 }

export class EntryTable {
  /** Where everything about a record is asked. */
  readonly records: RecordArena = new RecordArena()
  readonly #index: RecordIndex = new RecordIndex()
  #count = 0
  #bytes = 0
  #appendedBytes = 0
  /** The newest record that `dropOldest` has taken; 0 = none. */
  #dropped = 0

  /** Keys, also those that are known to be absent. */
  get count(): number {
    return this.#count
  }

  /** Memory that records take, with what newer records of the same keys have left behind: key + room for a value + a constant. */
  get bytes(): number {
    return this.#bytes
  }

  /** Of all records that were ever in it. */
  get appendedBytes(): number {
    return this.#appendedBytes
  }

  /** The record of a key, whose bytes are at bytes[at..at + length); 0 = the table says nothing of it. Valid until the next put. */
  find(bytes: Uint8Array, at: number, length: number, hash: number): number {
    return this.#index.find(hash, this.records, bytes, at, length)
  }

  /** `before` is what `find` gives. The value is the tagged one at source[valueAt..valueAt + valueLength). Returns the record. */
  put(
    before: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    hash: number,
    source: ByteSource,
    valueAt: number,
    valueLength: number,
    version: number,
    deadline: number,
    pinned = false,
  ): number {
    const { records } = this
    const ref = this.#place(before, bytes, at, length, hash, valueLength)
    lanes.low = laneSeeds.low
    lanes.high = laneSeeds.high
    hashRangeInto(lanes, bytes, at, length)
    copyAndHashInto(lanes, source.view, valueAt, valueLength, records.chunk(ref).view, records.valueAt(ref))
    hashNumberInto(lanes, version)
    hashNumberInto(lanes, deadline)
    if (pinned) hashNumberInto(lanes, PIN_HASHED)
    records.fill(ref, valueLength, version, deadline, finishHash(lanes.low), finishHash(lanes.high), pinned)
    return ref
  }

  /** Whether the record is still that of the key, as `find` gave it before other puts. */
  isCurrent(ref: number, bytes: Uint8Array, at: number, length: number): boolean {
    return ref !== 0 && this.records.hasKey(ref, bytes, at, length) && !this.records.isSuperseded(ref)
  }

  putAbsent(before: number, bytes: Uint8Array, at: number, length: number, hash: number): number {
    const ref = this.#place(before, bytes, at, length, hash, 0)
    this.records.fillAbsent(ref)
    return ref
  }

  /** What the slow path has made. Returns the record. */
  putKnown(key: Uint8Array, hash: number, known: Known): number {
    const before = this.find(key, 0, key.length, hash)
    if (known === null) return this.putAbsent(before, key, 0, key.length, hash)
    const { value, version, deadline, pinned } = known
    const source = byteSource(value)
    return this.put(before, key, 0, key.length, hash, source, 0, value.length, version, deadline, pinned)
  }

  /** Takes over a record of another table. */
  putRecord(other: EntryTable, ref: number): void {
    const { records } = other
    const from = records.chunk(ref)
    const [keyAt, keyLength, hash] = [records.keyAt(ref), records.keyLength(ref), records.keyHash(ref)]
    const before = this.find(from.bytes, keyAt, keyLength, hash)
    if (records.isAbsent(ref)) {
      this.putAbsent(before, from.bytes, keyAt, keyLength, hash)
      return
    }
    const valueLength = records.valueLength(ref)
    // An entry that had gone comes anew, behind all others: its old place would tell the hand that it is old.
    const anew = before !== 0 && this.records.isAbsent(before)
    const to = this.#place(before, from.bytes, keyAt, keyLength, hash, valueLength, anew)
    const valueAt = records.valueAt(ref)
    const value = from.bytes.subarray(valueAt, valueAt + valueLength)
    this.records.chunk(to).bytes.set(value, this.records.valueAt(to))
    const [version, deadline] = [records.version(ref), records.deadline(ref)]
    const [low, high] = [records.low(ref), records.high(ref)]
    this.records.fill(to, valueLength, version, deadline, low, high, records.isPinned(ref))
    this.records.setVisited(to, records.isVisited(ref))
  }

  /** A copy. */
  known(ref: number): Known {
    const { records } = this
    if (records.isAbsent(ref)) return null
    const entry: Entry = {
      value: this.value(ref),
      version: records.version(ref),
      deadline: records.deadline(ref),
      pinned: records.isPinned(ref),
      low: records.low(ref) >>> 0,
      high: records.high(ref) >>> 0,
    }
    return entry
  }

  /** A copy of the tagged value. */
  value(ref: number): Uint8Array {
    const at = this.records.valueAt(ref)
    return this.records.chunk(ref).bytes.slice(at, at + this.records.valueLength(ref))
  }

  /** A copy. */
  key(ref: number): Uint8Array {
    const at = this.records.keyAt(ref)
    return this.records.chunk(ref).bytes.slice(at, at + this.records.keyLength(ref))
  }

  /** The record of the next key behind `ref` in the order of coming (0: the first one); 0 = there is none. */
  next(ref: number): number {
    let next = this.records.next(ref)
    while (next !== 0 && this.records.isSuperseded(next)) next = this.records.next(next)
    return next
  }

  /**
   * Forgets the oldest record. It is not found again, and what it took is given back with its chunk. False: there is none.
   */
  dropOldest(): boolean {
    const { records } = this
    const oldest = records.next(this.#dropped)
    if (oldest === 0) return false
    this.#bytes -= records.countedBytes(oldest)
    if (!records.isSuperseded(oldest)) this.#count -= 1
    records.drop(oldest)
    this.#dropped = oldest
    return true
  }

  #place(
    before: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    hash: number,
    valueLength: number,
    anew = false,
  ): number {
    if (before === 0) {
      const ref = this.#append(bytes, at, length, hash, valueLength)
      this.#index.insert(hash, ref)
      this.#count += 1
      return ref
    }
    const { records } = this
    const capacity = records.capacity(before)
    const isOwn = records.hasOwnChunk(before)
    // A large room is not kept for a small value.
    if (!anew && valueLength <= capacity && !(isOwn && valueLength * 2 < capacity)) return before
    // Half as much again, so that what values of growing length leave behind is no more than a few times what they take.
    const room = isOwn || anew ? valueLength : Math.max(valueLength, capacity + (capacity >>> 1))
    const counted = records.countedBytes(before)
    const ref = this.#append(bytes, at, length, hash, room)
    this.#index.replace(hash, before, ref)
    if (records.supersede(before)) this.#bytes -= counted
    return ref
  }

  #append(bytes: Uint8Array, at: number, length: number, hash: number, capacity: number): number {
    const ref = this.records.append(hash, bytes, at, length, capacity)
    const counted = this.records.countedBytes(ref)
    this.#bytes += counted
    this.#appendedBytes += counted
    return ref
  }
}
