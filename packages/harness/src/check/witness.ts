// Linearizability by witness: the system says in which order it executed the operations on a key (epoch, version); this
// verifies that order against a sequential model and against real time. O(n log n); never takes the system's word for it.
import { isWrite, type Operation } from '../workload/history.ts'
import { absent, describeState, finds, stateAfter } from './register-model.ts'
import { promoteObserved, UnknownEffects } from './unknown-effects.ts'
import type { Violation } from './violation.ts'

type Positioned = Operation & { readonly position: NonNullable<Operation['position']> }

/** Checks every key of the history. An `ok` operation without a position is a violation: it cannot be verified. */
export function checkWitness(history: readonly Operation[]): Violation[] {
  const byKey = new Map<string, Operation[]>()
  for (const operation of history) {
    const operations = byKey.get(operation.key)
    if (operations === undefined) byKey.set(operation.key, [operation])
    else operations.push(operation)
  }
  return [...byKey.values()].flatMap((operations) => checkKey(operations))
}

function checkKey(operations: readonly Operation[]): Violation[] {
  const { promoted, rest } = promoteObserved(operations)
  const ordered: Positioned[] = []
  for (const operation of [...operations.filter(({ type }) => type === 'ok'), ...promoted]) {
    if (!isPositioned(operation)) return [violation('an answer carries no position', operation)]
    ordered.push(operation)
  }
  ordered.sort(byPosition)
  return [...checkRealTime(ordered), ...checkModel(ordered, new UnknownEffects(rest))]
}

function isPositioned(operation: Operation): operation is Positioned {
  return operation.position !== null
}

/**
 * By (epoch, version), a write before the reads at it. Reads at one version show the same state, so real time orders
 * them; `t` would decide only where deadlines are in play.
 */
function byPosition(left: Positioned, right: Positioned): number {
  return (
    left.position.epoch - right.position.epoch ||
    left.position.version - right.position.version ||
    Number(isWrite(right)) - Number(isWrite(left)) ||
    left.callMs - right.callMs
  )
}

/** No operation may stand behind one that was called only after it had returned. */
function checkRealTime(ordered: readonly Positioned[]): Violation[] {
  let earliest: Positioned | null = null
  for (const operation of ordered.toReversed()) {
    const earliestReturnMs: number = earliest?.returnMs ?? Infinity
    if (earliest !== null && earliestReturnMs < operation.callMs)
      return [violation('the order of the positions contradicts real time', operation, earliest)]
    if ((operation.returnMs ?? Infinity) < earliestReturnMs) earliest = operation
  }
  return []
}

/** Executes the operations one after another: each must have found what those before it left. */
function checkModel(ordered: readonly Positioned[], unknown: UnknownEffects): Violation[] {
  let state = absent
  let last: Positioned | null = null
  let lastWrite: Positioned | null = null
  for (const operation of ordered) {
    const found = finds(operation, state) ? state : unknown.bridge(state, operation)
    if (found === null)
      return [
        violation(
          `an answer does not fit the state ${describeState(state)}`,
          ...(last === null ? [] : [last]),
          operation,
        ),
      ]
    if (isWrite(operation)) {
      if (lastWrite !== null && samePosition(lastWrite, operation))
        return [violation('two writes have one version', lastWrite, operation)]
      lastWrite = operation
    }
    state = stateAfter(operation, found, operation.position.version)
    last = operation
  }
  return []
}

function samePosition(left: Positioned, right: Positioned): boolean {
  return left.position.epoch === right.position.epoch && left.position.version === right.position.version
}

function violation(message: string, ...operations: Operation[]): Violation {
  return { checker: 'witness', message, operations }
}
