// The calls and returns that are still to be explained, as a linked list in which taking one out and putting it back where it
// was cost the same few writes (Wing and Gong 1993).
import { type Interval, OPEN } from '../history/subject.ts'

/** Node 0 is the head. Node 1 + 2i is the call of the i-th operation of the list, node 2 + 2i its return. */
export class EventList {
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly end: number

  /** Operations by call, none of them open. */
  constructor(operations: readonly Interval[]) {
    const nodes = 2 * operations.length
    this.end = nodes + 1
    this.#next = new Int32Array(nodes + 2)
    this.#previous = new Int32Array(nodes + 2)
    const returns = Int32Array.from(operations.keys()).toSorted(
      (a, b) => (operations[a]?.return ?? OPEN) - (operations[b]?.return ?? OPEN),
    )
    let last = 0
    const append = (node: number) => {
      this.#next[last] = node
      this.#previous[node] = last
      last = node
    }
    let ended = 0
    operations.forEach(({ call }, index) => {
      for (; ended < returns.length; ended += 1) {
        const ending = returns[ended] ?? 0
        if ((operations[ending]?.return ?? OPEN) >= call) break
        append(2 + 2 * ending)
      }
      append(1 + 2 * index)
    })
    for (; ended < returns.length; ended += 1) append(2 + 2 * (returns[ended] ?? 0))
    append(this.end)
  }

  first(): number {
    return this.#next[0] ?? this.end
  }

  after(node: number): number {
    return this.#next[node] ?? this.end
  }

  isCall(node: number): boolean {
    return (node & 1) === 1 && node !== this.end
  }

  operationOf(node: number): number {
    return (node - 1) >> 1
  }

  lift(operation: number): void {
    this.#unlink(1 + 2 * operation)
    this.#unlink(2 + 2 * operation)
  }

  /** In the opposite order of lifting. */
  unlift(operation: number): void {
    this.#link(2 + 2 * operation)
    this.#link(1 + 2 * operation)
  }

  #unlink(node: number): void {
    const next = this.#next[node] ?? 0
    const previous = this.#previous[node] ?? 0
    this.#next[previous] = next
    this.#previous[next] = previous
  }

  #link(node: number): void {
    this.#next[this.#previous[node] ?? 0] = node
    this.#previous[this.#next[node] ?? 0] = node
  }
}
