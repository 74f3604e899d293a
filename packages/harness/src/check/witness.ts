// Linearizability by witness: the system says in which order it executed the operations on a key (epoch, version); this
// verifies that order against a sequential model and against real time. O(n log n); never takes the system's word for it.
import { isWrite, type Operation } from '../workload/history.ts'
import { isBrief } from '../workload/plan.ts'
import { checkExpiry } from './expiry.ts'
import { checkRealTime, isPositioned, type Positioned } from './positioned.ts'
import { absent, describeState, finds, stateAfter } from './register-model.ts'
import { checkStaleness } from './staleness.ts'
import { promoteObserved, UnknownEffects } from './unknown-effects.ts'
import type { Violation } from './violation.ts'

/** Checks every key of the history. An `ok` operation without a position is a violation: it cannot be verified. */
export function checkWitness(history: readonly Operation[]): Violation[] {
  const byKey = new Map<string, Operation[]>()
  for (const operation of history) {
    const operations = byKey.get(operation.key)
    if (operations === undefined) byKey.set(operation.key, [operation])
    else operations.push(operation)
  }
  return [...byKey].flatMap(([key, operations]) =>
    isBrief(key) ? checkExpiry(operations) : checkKey(operations),
  )
}

function checkKey(operations: readonly Operation[]): Violation[] {
  const { promoted, rest } = promoteObserved(operations)
  const ordered: Positioned[] = []
  for (const operation of [...operations.filter(({ type }) => type === 'ok'), ...promoted]) {
    if (!isPositioned(operation)) return [violation('an answer carries no position', operation)]
    ordered.push(operation)
  }
  ordered.sort(byPosition)
  return [
    ...checkRealTime(ordered),
    ...checkStaleness(ordered),
    ...checkModel(ordered, new UnknownEffects(rest)),
  ]
}

/**
 * By (epoch, version), a write before the reads at it. Reads at one version show the same state, so real time orders
 * them; `t` decides only where deadlines are in play (expiry.ts).
 */
function byPosition(left: Positioned, right: Positioned): number {
  return (
    left.position.epoch - right.position.epoch ||
    left.position.version - right.position.version ||
    Number(isWrite(right)) - Number(isWrite(left)) ||
    left.callMs - right.callMs
  )
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
