// Lost compare-and-sets in an order of everything else: each at the earliest place that its interval allows and where its value
// is not there. With the order given, earliest is best; with another order there may be room where here there is none.
import { stepValue, type ValueOperation } from './value-problem.ts'

/** Null where one finds no place. `rejecting` by call. */
export function placeRejecting(
  order: readonly ValueOperation[],
  rejecting: readonly ValueOperation[],
): ValueOperation[] | null {
  const places = new Places(order)
  const placed: { operation: ValueOperation; place: number }[] = []
  const byReturn = rejecting.toSorted((a, b) => a.return - b.return)
  const placeOf = new Map<ValueOperation, number>()
  let [ended, notBefore] = [0, 0]
  for (const operation of rejecting) {
    for (; ended < byReturn.length; ended += 1) {
      const earlier = byReturn[ended]
      if (earlier === undefined || earlier.return >= operation.call) break
      notBefore = Math.max(notBefore, placeOf.get(earlier) ?? 0)
    }
    const place = places.find(operation, notBefore)
    if (place === null) return null
    placeOf.set(operation, place)
    placed.push({ operation, place })
  }
  placed.sort((a, b) => a.place - b.place || a.operation.call - b.operation.call)
  const all: ValueOperation[] = []
  let next = 0
  for (let place = 0; place <= order.length; place += 1) {
    for (; placed[next]?.place === place; next += 1)
      all.push((placed[next] as { operation: ValueOperation }).operation)
    const operation = order[place]
    if (operation !== undefined) all.push(operation)
  }
  return all
}

/** Place p is behind the first p operations. */
class Places {
  readonly #states: Int32Array
  /** The first place behind p with another state. */
  readonly #nextChange: Int32Array
  /** The earliest end of the operations from p on. */
  readonly #earliestEnd: Float64Array
  /** The latest call of those before p. */
  readonly #latestCall: Float64Array

  constructor(order: readonly ValueOperation[]) {
    const places = order.length + 1
    this.#states = new Int32Array(places)
    this.#nextChange = new Int32Array(places).fill(places)
    this.#earliestEnd = new Float64Array(places).fill(Infinity)
    this.#latestCall = new Float64Array(places).fill(-1)
    for (const [at, operation] of order.entries()) {
      this.#states[at + 1] = stepValue(this.#states[at] ?? 0, operation)
      this.#latestCall[at + 1] = Math.max(this.#latestCall[at] ?? -1, operation.call)
    }
    for (let at = order.length - 1; at >= 0; at -= 1) {
      this.#earliestEnd[at] = Math.min(this.#earliestEnd[at + 1] ?? Infinity, order[at]?.return ?? Infinity)
      const same = this.#states[at] === this.#states[at + 1]
      this.#nextChange[at] = same ? (this.#nextChange[at + 1] ?? places) : at + 1
    }
  }

  find(operation: ValueOperation, notBefore: number): number | null {
    let place = Math.max(notBefore, this.#firstBehind(operation.call))
    if (this.#states[place] === operation.rejects) place = this.#nextChange[place] ?? place
    if (place >= this.#states.length) return null
    return (this.#latestCall[place] ?? 0) > operation.return ? null : place
  }

  /** The first place behind everything that ended before the moment. */
  #firstBehind(moment: number): number {
    let [low, high] = [0, this.#earliestEnd.length - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#earliestEnd[middle] ?? Infinity) < moment) low = middle + 1
      else high = middle
    }
    return low
  }
}
