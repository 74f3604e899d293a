/**
 * A session's stored answers by sequence, all above `ackedUpTo` and at most a window above it. Plain `written` ones, nearly all
 * of them, are numbers in a ring; only the others are objects, and `written` ones where sequences lie so far apart that
 * the ring would be mostly empty.
 */
import { assert } from './assert.ts'
import { addHash, emptySum, type Hash } from './hash.ts'
import {
  type Applied,
  type StoredAnswer,
  storedAnswerHash,
  WRITTEN_BYTES,
  writtenHash,
} from './stored-answer.ts'

/** Sequence (0 = free), epoch, version, t. */
const STRIDE = 4
const FIRST_PLACES = 16
/** A session that has nothing stored keeps no more room than that. */
const IDLE_PLACES = 32

export class AnswerWindow {
  #ring: Float64Array = noRing
  #inRing = 0
  #others: Map<number, StoredAnswer> = new Map()
  #othersBytes = 0

  get size(): number {
    return this.#inRing + this.#others.size
  }

  /** As encoded. */
  get bytes(): number {
    return this.#inRing * WRITTEN_BYTES + this.#othersBytes
  }

  get(sequence: number): Applied | undefined {
    const at = this.#placeOf(sequence)
    if (at >= 0) return this.#written(at)
    return this.#others.size === 0 ? undefined : this.#others.get(sequence)?.answer
  }

  /** Not stored so far. The version of a `written` answer is that of its position. */
  setWritten(sequence: number, epoch: number, version: number, t: number): void {
    if (!this.#makeRoom(sequence)) {
      const answer: Applied = {
        type: 'applied',
        position: { epoch, version, t },
        result: { type: 'written', version },
      }
      this.setOther(sequence, { answer, bytes: WRITTEN_BYTES, hash: null })
      return
    }
    const ring = this.#ring
    const at = this.#ringAt(sequence)
    ring[at] = sequence
    ring[at + 1] = epoch
    ring[at + 2] = version
    ring[at + 3] = t
    this.#inRing += 1
  }

  /** Not stored so far. */
  setOther(sequence: number, stored: StoredAnswer): void {
    assert(!this.#others.has(sequence), `sequence ${sequence} executed twice`)
    this.#others.set(sequence, stored)
    this.#othersBytes += stored.bytes
  }

  /** Forgets all from `from` to `to`; there is none below `from`. */
  forget(from: number, to: number): void {
    // The jump is a client's word and may be huge; the answers are at most a window.
    if (to - from < this.size) for (let sequence = from; sequence <= to; sequence++) this.#remove(sequence)
    else for (const sequence of this.#unsorted()) if (sequence <= to) this.#remove(sequence)
    if (this.#inRing === 0 && this.#ring.length > IDLE_PLACES * STRIDE) this.#ring = noRing
  }

  /** Ascending. */
  sequences(): number[] {
    return this.#unsorted().toSorted((left, right) => left - right)
  }

  /** The sum over the answers as encoded. */
  hash(): Hash {
    const sum = emptySum()
    const ring = this.#ring
    for (let at = 0; at < ring.length; at += STRIDE)
      if (ring[at] !== 0)
        addHash(sum, writtenHash(ring[at] ?? 0, ring[at + 1] ?? 0, ring[at + 2] ?? 0, ring[at + 3] ?? 0))
    for (const [sequence, stored] of this.#others) addHash(sum, storedAnswerHash(sequence, stored))
    return sum
  }

  clone(): AnswerWindow {
    const copy = new AnswerWindow()
    copy.#ring = this.#ring.slice()
    copy.#inRing = this.#inRing
    copy.#others = new Map(this.#others)
    copy.#othersBytes = this.#othersBytes
    return copy
  }

  #unsorted(): number[] {
    const sequences = [...this.#others.keys()]
    for (let at = 0; at < this.#ring.length; at += STRIDE) {
      const sequence = this.#ring[at] ?? 0
      if (sequence !== 0) sequences.push(sequence)
    }
    return sequences
  }

  #remove(sequence: number): void {
    const at = this.#placeOf(sequence)
    if (at >= 0) {
      this.#ring[at] = 0
      this.#inRing -= 1
      return
    }
    const other = this.#others.size === 0 ? undefined : this.#others.get(sequence)
    if (other === undefined) return
    this.#othersBytes -= other.bytes
    this.#others.delete(sequence)
  }

  #written(at: number): Applied {
    const [epoch, version, t] = [this.#ring[at + 1] ?? 0, this.#ring[at + 2] ?? 0, this.#ring[at + 3] ?? 0]
    return { type: 'applied', position: { epoch, version, t }, result: { type: 'written', version } }
  }

  /** -1: not in the ring. */
  #placeOf(sequence: number): number {
    if (this.#inRing === 0) return -1
    const at = this.#ringAt(sequence)
    return this.#ring[at] === sequence ? at : -1
  }

  /** The number of places is a power of two. */
  #ringAt(sequence: number): number {
    return (sequence & (this.#ring.length / STRIDE - 1)) * STRIDE
  }

  /** Sequences of a window never meet in a ring of its size; in a smaller one they may, and then it grows while it is well filled. */
  #makeRoom(sequence: number): boolean {
    if (this.#ring.length === 0) this.#ring = new Float64Array(FIRST_PLACES * STRIDE)
    for (;;) {
      const there = this.#ring[this.#ringAt(sequence)]
      if (there === 0) return true
      assert(there !== sequence, `sequence ${sequence} executed twice`)
      if (this.#inRing * STRIDE * 4 < this.#ring.length) return false
      this.#grow()
    }
  }

  #grow(): void {
    const before = this.#ring
    this.#ring = new Float64Array(before.length * 2)
    for (let at = 0; at < before.length; at += STRIDE)
      if (before[at] !== 0) this.#ring.set(before.subarray(at, at + STRIDE), this.#ringAt(before[at] ?? 0))
  }
}

const noRing = new Float64Array(0)
