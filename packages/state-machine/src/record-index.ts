/**
 * Finds the record of a key: extendible hashing (Fagin, Nievergelt, Pippenger, Strong 1979). The upper bits of a hash choose
 * a segment, which is a small table of (hash, reference) with open addressing by the lower bits. A full segment is split in
 * two, so that growing costs some 50 us however large the table is.
 */
import type { RecordArena } from './record-arena.ts'

const FIRST_SLOTS = 16
/** 32 KiB. */
const SEGMENT_SLOTS = 4096
/** A segment of more equal hash bits than that is not split any more but grows: nothing that a keyed hash does by chance. */
const DEPTH_MAX = 20

interface Segment {
  /** Hash and reference in turn; reference 0 = free. */
  slots: Int32Array
  count: number
  /** Upper bits that all hashes in it have in common. */
  readonly depth: number
}

export class RecordIndex {
  #depth = 0
  /** By the upper `#depth` bits; a segment of fewer stands in several places. */
  #segments: Segment[] = [segment(FIRST_SLOTS, 0)]

  /** The key's reference, 0 = none. */
  find(hash: number, records: RecordArena, bytes: Uint8Array, at: number, length: number): number {
    const { slots } = this.#segmentOf(hash)
    const last = slots.length - 2
    for (let place = (hash << 1) & last; ; place = (place + 2) & last) {
      const ref = slots[place + 1] ?? 0
      if (ref === 0) return 0
      if (slots[place] === hash && records.hasKey(ref, bytes, at, length)) return ref
    }
  }

  insert(hash: number, ref: number): void {
    for (;;) {
      const home = this.#segmentOf(hash)
      // Three quarters full at most.
      if ((home.count + 1) * 8 <= home.slots.length * 3) {
        put(home, hash, ref)
        return
      }
      this.#grow(home, hash)
    }
  }

  replace(hash: number, before: number, after: number): void {
    const { slots } = this.#segmentOf(hash)
    const last = slots.length - 2
    for (let place = (hash << 1) & last; slots[place + 1] !== 0; place = (place + 2) & last) {
      if (slots[place + 1] !== before) continue
      slots[place + 1] = after
      return
    }
  }

  #segmentOf(hash: number): Segment {
    return this.#segments[this.#numberOf(hash)] ?? noSegment
  }

  #numberOf(hash: number): number {
    // In two steps, since a shift by 32 would be one by 0.
    return (hash >>> 1) >>> (31 - this.#depth)
  }

  #grow(full: Segment, hash: number): void {
    if (full.slots.length / 2 < SEGMENT_SLOTS || full.depth === DEPTH_MAX) {
      // Twice as many slots: an array has two places for each.
      const larger = segment(full.slots.length, full.depth)
      move(full, () => larger)
      full.slots = larger.slots
      return
    }
    if (full.depth === this.#depth) {
      this.#segments = this.#segments.flatMap((one) => [one, one])
      this.#depth += 1
    }
    const depth = full.depth + 1
    const [lower, upper] = [segment(SEGMENT_SLOTS, depth), segment(SEGMENT_SLOTS, depth)]
    const half = (of: number): Segment => (((of >>> (32 - depth)) & 1) === 0 ? lower : upper)
    move(full, half)
    const span = 1 << (this.#depth - depth)
    const first = this.#numberOf(hash) & ~(span * 2 - 1)
    for (let number = 0; number < span; number++) {
      this.#segments[first + number] = lower
      this.#segments[first + span + number] = upper
    }
  }
}

function segment(slots: number, depth: number): Segment {
  return { slots: new Int32Array(slots * 2), count: 0, depth }
}

/** Never reached: the directory has a segment for every number of its depth. */
const noSegment: Segment = segment(FIRST_SLOTS, 0)

function put(into: Segment, hash: number, ref: number): void {
  const { slots } = into
  const last = slots.length - 2
  let place = (hash << 1) & last
  while (slots[place + 1] !== 0) place = (place + 2) & last
  slots[place] = hash
  slots[place + 1] = ref
  into.count += 1
}

function move({ slots }: Segment, to: (hash: number) => Segment): void {
  for (let place = 0; place < slots.length; place += 2) {
    const ref = slots[place + 1] ?? 0
    const hash = slots[place] ?? 0
    if (ref !== 0) put(to(hash), hash, ref)
  }
}
