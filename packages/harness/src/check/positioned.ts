// Operations in the order that the system says it executed them in, held against real time.
import type { Operation } from '../workload/history.ts'
import type { Violation } from './violation.ts'

export type Positioned = Operation & { readonly position: NonNullable<Operation['position']> }

export function isPositioned(operation: Operation): operation is Positioned {
  return operation.position !== null
}

/** No operation may stand behind one that was called only after it had returned; stale reads may (staleness.ts). */
export function checkRealTime(ordered: readonly Positioned[]): Violation[] {
  let earliest: Positioned | null = null
  for (const operation of ordered.toReversed()) {
    if (operation.how === 'stale') continue
    const earliestReturnMs: number = earliest?.returnMs ?? Infinity
    if (earliest !== null && earliestReturnMs < operation.callMs)
      return [
        {
          checker: 'witness',
          message: 'the order of the positions contradicts real time',
          operations: [operation, earliest],
        },
      ]
    if ((operation.returnMs ?? Infinity) < earliestReturnMs) earliest = operation
  }
  return []
}
