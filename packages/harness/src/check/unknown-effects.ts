// Operations with an unknown outcome may have happened. Where the known ones leave a gap, one of these must fill it; each
// fills one gap at most. A set of a unique value that anybody saw has a version: it is a write like any other.
import type { Operation, OperationPosition, Seen } from '../workload/history.ts'
import { absent, foundByIncrement, numberOf } from './register-model.ts'

/** A write whose outcome was unknown and whose value was seen: known to have happened, at the version that was seen. */
export function promoteObserved(operations: readonly Operation[]): {
  promoted: Operation[]
  rest: Operation[]
} {
  const versions = new Map<string, number>()
  for (const { type, seen } of operations)
    if (type === 'ok' && typeof seen?.value === 'string' && seen.version !== null)
      versions.set(seen.value, seen.version)
  const promoted: Operation[] = []
  const rest: Operation[] = []
  for (const operation of operations) {
    if (operation.type !== 'info') continue
    const version = typeof operation.argument === 'string' ? versions.get(operation.argument) : undefined
    if (version === undefined) rest.push(operation)
    else promoted.push({ ...operation, applied: true, position: positionOf(version, operations) })
  }
  return { promoted, rest }
}

/** The epoch in force at a version is the highest of any answer at or below it. */
function positionOf(version: number, operations: readonly Operation[]): OperationPosition {
  let epoch = 0
  for (const { position } of operations)
    if (position !== null && position.version <= version) epoch = Math.max(epoch, position.epoch)
  return { epoch, version, t: 0 }
}

/** The unknown operations of one key that nobody's answer shows directly. */
export class UnknownEffects {
  readonly #unused: Set<Operation>

  constructor(unknown: readonly Operation[]) {
    this.#unused = new Set(unknown)
  }

  /** The state that `operation` found instead of `state`, if unknown operations explain the difference; else null. */
  bridge(state: Seen, operation: Operation): Seen | null {
    const { f, seen, applied, returnMs } = operation
    const found = f === 'incr' ? foundByIncrement(operation) : seen?.value
    if (typeof found === 'number' && seen !== null) {
      const version = f === 'incr' ? Number.NaN : seen.version
      return this.#count(found - numberOf(state), returnMs) ? { value: found, version } : null
    }
    const foundNothing =
      (f === 'get' && seen?.version === null) ||
      (f === 'cas' && (applied ? operation.expectedVersion === 0 : seen?.version === null)) ||
      (f === 'del' && !applied)
    if (foundNothing) return this.#take(['del'], returnMs) ? absent : null
    // What went was never seen: a write of unknown outcome made it.
    if (f === 'evict' && this.#take(['set', 'cas', 'incr'], returnMs))
      return { value: 'something', version: operation.expectedVersion }
    if (f === 'del' && applied && this.#take(['set', 'cas', 'incr'], returnMs))
      return { value: 'something', version: Number.NaN }
    return null
  }

  /** Uses up one unknown operation that can have happened before `beforeMs`. */
  #take(kinds: readonly string[], beforeMs: number | null): boolean {
    for (const candidate of this.#unused) {
      if (!kinds.includes(candidate.f) || candidate.callMs > (beforeMs ?? Infinity)) continue
      this.#unused.delete(candidate)
      return true
    }
    return false
  }

  /** Uses up increments that make up `difference`. */
  #count(difference: number, beforeMs: number | null): boolean {
    const taken: Operation[] = []
    let left = difference
    for (const candidate of this.#unused) {
      const step =
        candidate.f === 'incr' && typeof candidate.argument === 'number' ? candidate.argument : Infinity
      if (step > left || candidate.callMs > (beforeMs ?? Infinity)) continue
      taken.push(candidate)
      left -= step
    }
    if (left !== 0 || difference <= 0) return false
    for (const candidate of taken) this.#unused.delete(candidate)
    return true
  }
}
