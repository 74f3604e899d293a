/**
 * What the slots of a shard hold, without an object for any of them: a write changes some numbers. A freeze copies what has
 * changed since the last one, some 28 bytes for each such slot.
 */
import { limits } from '@quorate/protocol'
import { assert } from './assert.ts'
import { addHash, emptySum, type Hash, type HashSum, subtractHash } from './hash.ts'
import { hashContent, type SlotContent } from './slot-content.ts'

const FIRST_PLACES = 16
const DIRTY = 1
const UNSUMMED = 2

/** Of a freeze; columns, since thousands of objects would live for as long as a checkpoint takes. */
interface FrozenContents {
  readonly slots: Uint16Array
  /** Count, bytes, low, high and pinned bytes of each. */
  readonly numbers: Float64Array
}

const FROZEN_NUMBERS = 5

export class SlotContents {
  /** Place + 1 by slot, 0 = none. An idle shard without entries has no such array. */
  #places: Uint16Array = new Uint16Array(0)
  #used = 0
  // By place.
  #slots: Uint16Array = new Uint16Array(FIRST_PLACES)
  #counts: Float64Array = new Float64Array(FIRST_PLACES)
  #bytes: Float64Array = new Float64Array(FIRST_PLACES)
  #pinned: Float64Array = new Float64Array(FIRST_PLACES)
  #lows: Uint32Array = new Uint32Array(FIRST_PLACES)
  #highs: Uint32Array = new Uint32Array(FIRST_PLACES)
  #flags: Uint8Array = new Uint8Array(FIRST_PLACES)
  /** What `#sum` holds of the place. */
  #summed: Uint32Array = new Uint32Array(2 * FIRST_PLACES)
  readonly #sum: HashSum = emptySum()
  readonly #dirty: number[] = []
  readonly #unsummed: number[] = []
  #frozen: FrozenContents | null = null

  has(slot: number): boolean {
    const place = (this.#places[slot] ?? 0) - 1
    return place >= 0 && (this.#counts[place] ?? 0) > 0
  }

  /** By how much count, bytes, hash and pinned bytes of a slot change, the hash modulo 2^32. */
  change(slot: number, count: number, bytes: number, low: number, high: number, pinned = 0): void {
    const place = this.#placeOf(slot)
    const countAfter = (this.#counts[place] ?? 0) + count
    const bytesAfter = (this.#bytes[place] ?? 0) + bytes
    this.#counts[place] = countAfter
    this.#bytes[place] = bytesAfter
    if (pinned !== 0) this.#pinned[place] = (this.#pinned[place] ?? 0) + pinned
    this.#lows[place] = (this.#lows[place] ?? 0) + low
    this.#highs[place] = (this.#highs[place] ?? 0) + high
    this.#mark(place)
    assert(
      countAfter > 0 ? bytesAfter > 0 : this.#isEmpty(place),
      `slot ${slot}: ${bytesAfter} bytes in ${countAfter} entries`,
    )
  }

  /** The first slot at or above `slot` that holds entries, with what they are on average, bytes; null = there is none. */
  nextFilled(slot: number): { readonly slot: number; readonly averageBytes: number } | null {
    for (let next = slot; next < this.#places.length; next++) {
      const place = (this.#places[next] ?? 0) - 1
      const count = place < 0 ? 0 : (this.#counts[place] ?? 0)
      if (count > 0) return { slot: next, averageBytes: (this.#bytes[place] ?? 0) / count }
    }
    return null
  }

  /** What the store already holds: not dirty. */
  restore({ slot, count, bytes, pinnedBytes, low, high }: SlotContent): void {
    const place = this.#placeOf(slot)
    this.#counts[place] = count
    this.#bytes[place] = bytes
    this.#pinned[place] = pinnedBytes
    this.#lows[place] = low
    this.#highs[place] = high
    this.#flags[place] = UNSUMMED
    this.#unsummed.push(place)
  }

  /** The sum over the slots that hold entries; computed only for what changed since it was last asked for. */
  hash(): Hash {
    const summed = { low: 0, high: 0 }
    for (const place of this.#unsummed) {
      summed.low = this.#summed[2 * place] ?? 0
      summed.high = this.#summed[2 * place + 1] ?? 0
      subtractHash(this.#sum, summed)
      const hash = (this.#counts[place] ?? 0) > 0 ? hashContent(this.#content(place)) : noHash
      addHash(this.#sum, hash)
      this.#summed[2 * place] = hash.low
      this.#summed[2 * place + 1] = hash.high
      this.#flags[place] = (this.#flags[place] ?? 0) & ~UNSUMMED
    }
    this.#unsummed.length = 0
    return { low: this.#sum.low, high: this.#sum.high }
  }

  freeze(): void {
    assert(this.#frozen === null, 'slot contents: frozen twice')
    const slots = new Uint16Array(this.#dirty.length)
    const numbers = new Float64Array(FROZEN_NUMBERS * slots.length)
    for (const [at, place] of this.#dirty.entries()) {
      slots[at] = this.#slots[place] ?? 0
      numbers[FROZEN_NUMBERS * at] = this.#counts[place] ?? 0
      numbers[FROZEN_NUMBERS * at + 1] = this.#bytes[place] ?? 0
      numbers[FROZEN_NUMBERS * at + 2] = this.#lows[place] ?? 0
      numbers[FROZEN_NUMBERS * at + 3] = this.#highs[place] ?? 0
      numbers[FROZEN_NUMBERS * at + 4] = this.#pinned[place] ?? 0
      this.#flags[place] = (this.#flags[place] ?? 0) & ~DIRTY
    }
    this.#dirty.length = 0
    this.#frozen = { slots, numbers }
  }

  get frozenCount(): number {
    return this.#frozen?.slots.length ?? 0
  }

  /** Of the slots that had changed; one without entries has no row any more. */
  *frozen(): Generator<SlotContent> {
    assert(this.#frozen !== null, 'slot contents: nothing is frozen')
    const { slots, numbers } = this.#frozen
    for (const [at, slot] of slots.entries()) {
      const [count = 0, bytes = 0, low = 0, high = 0, pinnedBytes = 0] = numbers.subarray(FROZEN_NUMBERS * at)
      yield { slot, count, bytes, pinnedBytes, low, high }
    }
  }

  release(): void {
    assert(this.#frozen !== null, 'slot contents: nothing to release')
    this.#frozen = null
  }

  #content(place: number): SlotContent {
    return {
      slot: this.#slots[place] ?? 0,
      count: this.#counts[place] ?? 0,
      bytes: this.#bytes[place] ?? 0,
      pinnedBytes: this.#pinned[place] ?? 0,
      low: this.#lows[place] ?? 0,
      high: this.#highs[place] ?? 0,
    }
  }

  #isEmpty(place: number): boolean {
    return (
      this.#counts[place] === 0 &&
      this.#bytes[place] === 0 &&
      this.#pinned[place] === 0 &&
      this.#lows[place] === 0 &&
      this.#highs[place] === 0
    )
  }

  #mark(place: number): void {
    const flags = this.#flags[place] ?? 0
    if (flags === (DIRTY | UNSUMMED)) return
    if ((flags & DIRTY) === 0) this.#dirty.push(place)
    if ((flags & UNSUMMED) === 0) this.#unsummed.push(place)
    this.#flags[place] = DIRTY | UNSUMMED
  }

  #placeOf(slot: number): number {
    const place = (this.#places[slot] ?? 0) - 1
    if (place >= 0) return place
    if (this.#places.length === 0) this.#places = new Uint16Array(limits.slots)
    if (this.#used === this.#slots.length) this.#grow()
    const next = this.#used
    this.#used += 1
    this.#slots[next] = slot
    this.#places[slot] = next + 1
    return next
  }

  #grow(): void {
    const length = 2 * this.#slots.length
    this.#slots = grown(this.#slots, new Uint16Array(length))
    this.#counts = grown(this.#counts, new Float64Array(length))
    this.#bytes = grown(this.#bytes, new Float64Array(length))
    this.#pinned = grown(this.#pinned, new Float64Array(length))
    this.#lows = grown(this.#lows, new Uint32Array(length))
    this.#highs = grown(this.#highs, new Uint32Array(length))
    this.#flags = grown(this.#flags, new Uint8Array(length))
    this.#summed = grown(this.#summed, new Uint32Array(2 * length))
  }
}

const noHash: Hash = { low: 0, high: 0 }

function grown<Numbers extends { set(from: Numbers): void }>(before: Numbers, after: Numbers): Numbers {
  after.set(before)
  return after
}
