// Sets of small numbers that share what they have in common: a tree of halves whose equal parts are one node. Two equal sets
// are the same number, however they came about, and one more member costs a few nodes instead of a copy.
import { IDS_MAX } from '../limits.ts'

export const EMPTY_SET = 0
const MEMBER = 1

export class IndexSets {
  readonly #depth: number
  /** Node 0 is nothing and node 1 a member; neither has halves. */
  readonly #left: number[] = [0, 0]
  readonly #right: number[] = [0, 0]
  readonly #ids = new Map<number, number>()

  /** For members 0..size-1. */
  constructor(size: number) {
    this.#depth = Math.max(1, Math.ceil(Math.log2(Math.max(size, 2))))
  }

  /** The set with the member, which it must not have yet. */
  add(set: number, member: number): number {
    return this.#add(set, member, this.#depth - 1)
  }

  #add(node: number, member: number, bit: number): number {
    if (bit < 0) return MEMBER
    const goesRight = ((member >>> bit) & 1) === 1
    const left = this.#left[node] ?? 0
    const right = this.#right[node] ?? 0
    return goesRight
      ? this.#node(left, this.#add(right, member, bit - 1))
      : this.#node(this.#add(left, member, bit - 1), right)
  }

  #node(left: number, right: number): number {
    const key = left * IDS_MAX + right
    let id = this.#ids.get(key)
    if (id === undefined) {
      id = this.#left.push(left) - 1
      if (id >= IDS_MAX) throw new RangeError(`more than ${IDS_MAX} parts of sets`)
      this.#right.push(right)
      this.#ids.set(key, id)
    }
    return id
  }
}
