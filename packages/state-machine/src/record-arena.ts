/**
 * Records of an entry table in chunks of up to 1 MiB, in the order in which they came. A record is named by a reference: chunk
 * number and unit in it, as one 32-bit integer (0 = none). Nothing here knows which record of a key is the newest.
 *
 *     version f64 | deadline f64 | hash low u32 | hash high u32 | key length and flags u32 | value length u32 | capacity u32 |
 *     key hash u32 | value, up to its capacity | key
 */
import { assert } from './assert.ts'
import { ENTRY_OVERHEAD_BYTES } from './entry.ts'
import { noChunk, type RecordChunk, recordChunk, UNIT_BYTES } from './record-chunk.ts'

/** 1 MiB. */
const CHUNK_UNITS = 131_072
const UNIT_BITS = 17
const UNIT_MASK = CHUNK_UNITS - 1
const CHUNKS_MAX = 32_768
/** Of the first chunk, 4 KiB; each one doubles, so that a table of few entries is small. */
const FIRST_CHUNK_UNITS = 512
/** 128 KiB: a larger record has a chunk of its own, given back when another record takes its place. */
const OWN_CHUNK_UNITS = 16_384
/** No record with less room for its value has one, however long its key is. */
const OWN_CHUNK_VALUE_MIN = 65_536

const HEAD_BYTES = 40
const KEY_LENGTH_MASK = 0xffff
const ABSENT = 0x1_0000
/** Another record of the same key has taken its place. */
const SUPERSEDED = 0x2_0000
/** Never evicted. */
const PINNED = 0x4_0000
/** Read or written since it came or since the hand last passed (eviction-hand.ts). Of this process: no part of the state. */
const VISITED = 0x8_0000

// Places in the head, in words.
const LOW = 4
const HIGH = 5
const KEY_AND_FLAGS = 6
const VALUE_LENGTH = 7
const CAPACITY = 8
const KEY_HASH = 9

export class RecordArena {
  #chunks: RecordChunk[] = []
  /** Where the next record goes if it fits. */
  #last = -1
  /** Numbers of chunks that were given back by `supersede`. */
  readonly #free: number[] = []
  /** Units of all records of a chunk number that `drop` has passed; references below it are of nothing. */
  #droppedChunk = 0
  #droppedUnit = 0

  chunk(ref: number): RecordChunk {
    return this.#chunks[ref >>> UNIT_BITS] ?? noChunk
  }

  /** Byte at which the record's value begins in its chunk. */
  valueAt(ref: number): number {
    return (ref & UNIT_MASK) * UNIT_BYTES + HEAD_BYTES
  }

  #word(ref: number, place: number): number {
    return this.chunk(ref).words[(ref & UNIT_MASK) * 2 + place] ?? 0
  }

  version(ref: number): number {
    return this.chunk(ref).floats[ref & UNIT_MASK] ?? 0
  }

  /** Log-clock ms; 0 = none. */
  deadline(ref: number): number {
    return this.chunk(ref).floats[(ref & UNIT_MASK) + 1] ?? 0
  }

  /** Signed. */
  low(ref: number): number {
    return this.#word(ref, LOW)
  }

  /** Signed. */
  high(ref: number): number {
    return this.#word(ref, HIGH)
  }

  keyLength(ref: number): number {
    return this.#word(ref, KEY_AND_FLAGS) & KEY_LENGTH_MASK
  }

  /** Byte at which the key begins in the record's chunk. */
  keyAt(ref: number): number {
    return this.valueAt(ref) + roundedCapacity(this.capacity(ref))
  }

  keyHash(ref: number): number {
    return this.#word(ref, KEY_HASH)
  }

  valueLength(ref: number): number {
    return this.#word(ref, VALUE_LENGTH)
  }

  capacity(ref: number): number {
    return this.#word(ref, CAPACITY)
  }

  isAbsent(ref: number): boolean {
    return (this.#word(ref, KEY_AND_FLAGS) & ABSENT) !== 0
  }

  isSuperseded(ref: number): boolean {
    return (this.#word(ref, KEY_AND_FLAGS) & SUPERSEDED) !== 0
  }

  isPinned(ref: number): boolean {
    return (this.#word(ref, KEY_AND_FLAGS) & PINNED) !== 0
  }

  isVisited(ref: number): boolean {
    return (this.#word(ref, KEY_AND_FLAGS) & VISITED) !== 0
  }

  setVisited(ref: number, visited: boolean): void {
    const place = (ref & UNIT_MASK) * 2 + KEY_AND_FLAGS
    const { words } = this.chunk(ref)
    const word = words[place] ?? 0
    words[place] = visited ? word | VISITED : word & ~VISITED
  }

  hasOwnChunk(ref: number): boolean {
    return this.capacity(ref) >= OWN_CHUNK_VALUE_MIN && this.#units(ref) > OWN_CHUNK_UNITS
  }

  /** Memory that the record takes, as it is counted. */
  countedBytes(ref: number): number {
    return this.keyLength(ref) + this.capacity(ref) + ENTRY_OVERHEAD_BYTES
  }

  hasKey(ref: number, bytes: Uint8Array, at: number, length: number): boolean {
    if (this.isDropped(ref)) return false
    const { words, bytes: own } = this.chunk(ref)
    const head = (ref & UNIT_MASK) * 2
    if (((words[head + KEY_AND_FLAGS] ?? 0) & KEY_LENGTH_MASK) !== length) return false
    const keyAt = head * 4 + HEAD_BYTES + roundedCapacity(words[head + CAPACITY] ?? 0)
    for (let byte = 0; byte < length; byte++) if (own[keyAt + byte] !== bytes[at + byte]) return false
    return true
  }

  /** A record with room for `capacity` bytes of value, absent so far. */
  append(hash: number, bytes: Uint8Array, at: number, length: number, capacity: number): number {
    const units = unitsOf(length, capacity)
    const ref = units > OWN_CHUNK_UNITS ? this.#ownChunk(units) : this.#room(units)
    const chunk = this.chunk(ref)
    const head = (ref & UNIT_MASK) * 2
    const { words } = chunk
    words[head + KEY_AND_FLAGS] = length | ABSENT
    words[head + CAPACITY] = capacity
    words[head + KEY_HASH] = hash
    const keyAt = this.keyAt(ref)
    const own = chunk.bytes
    for (let byte = 0; byte < length; byte++) own[keyAt + byte] = bytes[at + byte] ?? 0
    return ref
  }

  /** All but the value, which is where `valueAt` says. */
  fill(
    ref: number,
    valueLength: number,
    version: number,
    deadline: number,
    low: number,
    high: number,
    pinned: boolean,
  ): void {
    const { floats, words } = this.chunk(ref)
    const unit = ref & UNIT_MASK
    const head = unit * 2
    floats[unit] = version
    floats[unit + 1] = deadline
    words[head + LOW] = low
    words[head + HIGH] = high
    words[head + VALUE_LENGTH] = valueLength
    words[head + KEY_AND_FLAGS] =
      ((words[head + KEY_AND_FLAGS] ?? 0) & ~(ABSENT | PINNED)) | (pinned ? PINNED : 0)
  }

  fillAbsent(ref: number): void {
    this.fill(ref, 0, 0, 0, 0, 0, false)
    const { words } = this.chunk(ref)
    const place = (ref & UNIT_MASK) * 2 + KEY_AND_FLAGS
    words[place] = ((words[place] ?? 0) & ~VISITED) | ABSENT
  }

  /** Nobody finds the record any more. Returns whether its memory was given back. */
  supersede(ref: number): boolean {
    const place = (ref & UNIT_MASK) * 2 + KEY_AND_FLAGS
    const { words } = this.chunk(ref)
    words[place] = (words[place] ?? 0) | SUPERSEDED
    if (!this.hasOwnChunk(ref)) return false
    const number = ref >>> UNIT_BITS
    this.#chunks[number] = noChunk
    this.#free.push(number)
    return true
  }

  /** The record behind `ref` (0: the first one), superseded or not; 0 where there is none. */
  next(ref: number): number {
    let number = ref >>> UNIT_BITS
    let unit = ref === 0 ? 0 : (ref & UNIT_MASK) + this.#units(ref)
    while (number < this.#chunks.length) {
      const used = this.#chunks[number]?.used ?? 0
      // Unit 0 of chunk 0 belongs to nobody, so that no reference is 0.
      if (number === 0 && unit === 0 && used > 0) unit = 1
      if (unit < used) return (number << UNIT_BITS) | unit
      number += 1
      unit = 0
    }
    return 0
  }

  /** The record is gone, with all before it; chunks that hold no other one are given back. */
  drop(ref: number): void {
    const number = ref >>> UNIT_BITS
    const end = (ref & UNIT_MASK) + this.#units(ref)
    for (let passed = this.#droppedChunk; passed < number; passed++) this.#chunks[passed] = noChunk
    this.#droppedChunk = number
    // A reference into a chunk of one record may not be told from those behind it by its unit.
    this.#droppedUnit = Math.min(end, CHUNK_UNITS)
  }

  isDropped(ref: number): boolean {
    const number = ref >>> UNIT_BITS
    return (
      number < this.#droppedChunk || (number === this.#droppedChunk && (ref & UNIT_MASK) < this.#droppedUnit)
    )
  }

  #units(ref: number): number {
    return unitsOf(this.keyLength(ref), this.capacity(ref))
  }

  #room(units: number): number {
    const last = this.#chunks[this.#last]
    if (last !== undefined && last.used + units <= last.floats.length) {
      last.used += units
      return (this.#last << UNIT_BITS) | (last.used - units)
    }
    const doubled = last === undefined ? FIRST_CHUNK_UNITS : last.floats.length * 2
    const chunk = recordChunk(Math.min(CHUNK_UNITS, Math.max(doubled, nextPowerOfTwo(units + 1))))
    this.#last = this.#add(chunk)
    const unit = this.#last === 0 ? 1 : 0
    chunk.used = unit + units
    return (this.#last << UNIT_BITS) | unit
  }

  #ownChunk(units: number): number {
    // Chunk 0 would make a reference of 0.
    if (this.#chunks.length === 0) this.#chunks.push(noChunk)
    const chunk = recordChunk(units)
    chunk.used = units
    return this.#add(chunk) << UNIT_BITS
  }

  #add(chunk: RecordChunk): number {
    const free = this.#free.pop()
    // What `drop` has passed is not used again: everything there counts as gone.
    const number = free !== undefined && free > this.#droppedChunk ? free : this.#chunks.length
    assert(number < CHUNKS_MAX, `a table of more than ${CHUNKS_MAX} chunks`)
    this.#chunks[number] = chunk
    return number
  }
}

function unitsOf(keyLength: number, capacity: number): number {
  return (HEAD_BYTES + roundedCapacity(capacity) + keyLength + UNIT_BYTES - 1) >>> 3
}

/** Values and what is behind them begin at a multiple of four. */
function roundedCapacity(capacity: number): number {
  return (capacity + 3) & ~3
}

function nextPowerOfTwo(value: number): number {
  return 2 ** Math.ceil(Math.log2(value))
}
