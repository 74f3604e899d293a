// The first engine: the system says where in its own order each operation stands (epoch, version). That order is tried, held
// against model and real time. A witness that fails proves nothing against the history: the other engines decide.
import type { History } from '../history/history.ts'
import { OPEN, type Operation, type Subject } from '../history/subject.ts'
import { REFUSED } from '../models/model.ts'
import { isOpen } from './problem.ts'

/** Tries per operation when gaps are filled with operations of unknown outcome: it keeps the engine at O(n log n). */
const TRIES_PER_OPERATION = 32

export type WitnessFinding =
  | { readonly kind: 'order'; readonly order: Int32Array }
  /** Operations without a place in the order. */
  | { readonly kind: 'absent' }
  /** The order does not explain the operation at this index. */
  | { readonly kind: 'refuted'; readonly index: number; readonly reason: string }

export function followWitness(history: History, subject: Subject): WitnessFinding {
  const { machine, operations } = subject
  const proposed: number[] = []
  const open: number[] = []
  for (const [index, operation] of operations.entries()) {
    if (isOpen(operation)) open.push(index)
    else if (Number.isNaN(history.versionOf(operation.row))) return { kind: 'absent' }
    else proposed.push(index)
  }
  proposed.sort((a, b) => compare(history, operations, a, b))
  const earliestReturn = earliestReturns(operations, proposed)
  const gaps = new Gaps(subject, open)
  const order: number[] = []
  let state = machine.initial
  let latestCall = -1
  for (const [at, index] of proposed.entries()) {
    const operation = operationAt(operations, index)
    let next = machine.step(state, operation)
    if (next === REFUSED) {
      const filler = gaps.fill(state, operation, earliestReturn[at] ?? OPEN)
      if (filler === null) return { kind: 'refuted', index, reason: refusal(subject, state, operation) }
      order.push(filler.index)
      latestCall = Math.max(latestCall, operationAt(operations, filler.index).call)
      next = filler.state
    }
    if (operation.return < latestCall)
      return { kind: 'refuted', index, reason: 'it ended before one that stands before it began' }
    latestCall = Math.max(latestCall, operation.call)
    order.push(index)
    state = next
  }
  return { kind: 'order', order: Int32Array.from(order) }
}

/** Operations of unknown outcome, put where an answer shows that something is missing. */
class Gaps {
  readonly #subject: Subject
  readonly #open: readonly number[]
  readonly #used: Uint8Array
  #tries: number

  constructor(subject: Subject, open: readonly number[]) {
    this.#subject = subject
    this.#open = open
    this.#used = new Uint8Array(open.length)
    this.#tries = TRIES_PER_OPERATION * subject.operations.length
  }

  /** One that was called before the moment and makes the operation possible; the latest such. */
  fill(state: number, operation: Operation, before: number): { index: number; state: number } | null {
    const { machine, operations } = this.#subject
    for (let at = this.#calledBefore(before) - 1; at >= 0 && this.#tries > 0; at -= 1) {
      this.#tries -= 1
      const index = this.#open[at] ?? 0
      if (this.#used[at] === 1) continue
      const candidate = operationAt(operations, index)
      const between = machine.step(state, candidate)
      const next = between === REFUSED ? REFUSED : machine.step(between, operation)
      if (next === REFUSED) continue
      this.#used[at] = 1
      return { index, state: next }
    }
    return null
  }

  #calledBefore(moment: number): number {
    let [low, high] = [0, this.#open.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (operationAt(this.#subject.operations, this.#open[middle] ?? 0).call < moment) low = middle + 1
      else high = middle
    }
    return low
  }
}

function compare(history: History, operations: readonly Operation[], a: number, b: number): number {
  const [first, second] = [operationAt(operations, a), operationAt(operations, b)]
  return (
    history.epochOf(first.row) - history.epochOf(second.row) ||
    history.versionOf(first.row) - history.versionOf(second.row) ||
    Number(second.changes) - Number(first.changes) ||
    // Not told = NaN, which is no order.
    history.clockOf(first.row) - history.clockOf(second.row) ||
    first.call - second.call
  )
}

/** By place in the order: the earliest end of it and of all that follow. */
function earliestReturns(operations: readonly Operation[], order: readonly number[]): Int32Array {
  const earliest = new Int32Array(order.length)
  let least: number = OPEN
  for (let at = order.length - 1; at >= 0; at -= 1) {
    least = Math.min(least, operationAt(operations, order[at] ?? 0).return)
    earliest[at] = least
  }
  return earliest
}

function refusal({ machine }: Subject, state: number, operation: Operation): string {
  return `${machine.showOperation(operation)} does not fit ${machine.showState(state)}`
}

function operationAt(operations: readonly Operation[], index: number): Operation {
  const operation = operations[index]
  if (operation === undefined) throw new RangeError(`there is no operation ${index}`)
  return operation
}
