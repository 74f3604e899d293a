// Which situations a search has been in: tuples of whole numbers in one growing array, found by an open-addressing table.
import { MEMO_WORDS_MAX } from '../limits.ts'

const FIRST_WORDS = 1 << 14
const FIRST_SLOTS = 1 << 11

export class Memo {
  /** Entries one behind the other: their length, then their numbers. Word 0 is no entry: it says "free" in the table. */
  #words = new Int32Array(FIRST_WORDS)
  #used = 1
  #slots = new Int32Array(FIRST_SLOTS)
  #count = 0

  get full(): boolean {
    return this.#used >= MEMO_WORDS_MAX
  }

  /** Keeps the first `length` numbers of the tuple; false where they were kept already. */
  add(tuple: Int32Array, length: number): boolean {
    const mask = this.#slots.length - 1
    let slot = hash(tuple, 0, length) & mask
    for (; this.#slots[slot] !== 0; slot = (slot + 1) & mask)
      if (this.#isAt(this.#slots[slot] ?? 0, tuple, length)) return false
    this.#slots[slot] = this.#append(tuple, length)
    this.#count += 1
    if (this.#count * 2 > this.#slots.length) this.#growSlots()
    return true
  }

  #isAt(at: number, tuple: Int32Array, length: number): boolean {
    if (this.#words[at] !== length) return false
    for (let index = 0; index < length; index += 1)
      if (this.#words[at + 1 + index] !== tuple[index]) return false
    return true
  }

  #append(tuple: Int32Array, length: number): number {
    const at = this.#used
    if (at + length + 1 > this.#words.length) {
      const words = new Int32Array(Math.max(this.#words.length * 2, at + length + 1))
      words.set(this.#words)
      this.#words = words
    }
    this.#words[at] = length
    for (let index = 0; index < length; index += 1) this.#words[at + 1 + index] = tuple[index] ?? 0
    this.#used = at + length + 1
    return at
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    for (let at = 1; at < this.#used; at += (this.#words[at] ?? 0) + 1) {
      let slot = hash(this.#words, at + 1, this.#words[at] ?? 0) & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = at
    }
    this.#slots = slots
  }
}

/** Multiply and shift, as in the finish of MurmurHash3. */
function hash(words: Int32Array, from: number, length: number): number {
  let sum = length
  for (let index = from; index < from + length; index += 1) {
    sum = Math.imul(sum ^ (words[index] ?? 0), 0x85_eb_ca_6b)
    sum ^= sum >>> 13
  }
  sum = Math.imul(sum, 0xc2_b2_ae_35)
  return (sum ^ (sum >>> 16)) >>> 0
}
