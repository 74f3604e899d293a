// What a search over values keeps count of, so that it turns back early: a value that nobody can write again must not be left
// while somebody who certainly saw it is not explained yet.
import type { ValueEffect } from '../models/model.ts'
import { isOpen, type Problem } from './problem.ts'

export class ValueCounts {
  readonly #effects: readonly ValueEffect[]
  readonly #open: Uint8Array
  /** By value: operations left that lead to it, that certainly need it, and that need it if they happen. */
  readonly #writers: Int32Array
  readonly #certain: Int32Array
  readonly #possible: Int32Array
  #rejecting = 0

  constructor(problem: Problem, effects: readonly ValueEffect[], values: number) {
    this.#effects = effects
    this.#open = Uint8Array.from(problem.operations, (operation) => (isOpen(operation) ? 1 : 0))
    this.#writers = new Int32Array(values)
    this.#certain = new Int32Array(values)
    this.#possible = new Int32Array(values)
    for (let index = 0; index < effects.length; index += 1) this.#count(index, 1)
  }

  /** The operation has been taken into the order. */
  take(index: number): void {
    this.#count(index, -1)
  }

  putBack(index: number): void {
    this.#count(index, 1)
  }

  /** Asked when the operation that leads from the one to the other has been taken. */
  mayLeave(from: number, to: number): boolean {
    return from === to || this.#certain[from] === 0 || (this.#writers[from] ?? 0) > 0
  }

  /** Whether an operation that may have happened can help to explain what is left. */
  isUseful(index: number): boolean {
    if (this.#rejecting > 0) return true
    const { leadsTo = -1 } = this.#effects[index] ?? {}
    return (this.#possible[leadsTo] ?? 0) > 0
  }

  #count(index: number, by: number): void {
    const effect = this.#effects[index]
    if (effect === undefined) return
    const { needs, rejects, leadsTo } = effect
    if (leadsTo >= 0) this.#writers[leadsTo] = (this.#writers[leadsTo] ?? 0) + by
    if (rejects >= 0) this.#rejecting += by
    if (needs < 0) return
    this.#possible[needs] = (this.#possible[needs] ?? 0) + by
    if (this.#open[index] === 0) this.#certain[needs] = (this.#certain[needs] ?? 0) + by
  }
}
