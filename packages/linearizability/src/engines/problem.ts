// What the engines work on: intervals in the order of their calls, and a step from state to state.
import { type Interval, OPEN, type Subject } from '../history/subject.ts'
import type { ValueEffect } from '../models/model.ts'

export interface Problem {
  /** By call. */
  readonly operations: readonly Interval[]
  readonly initial: number
  /** The state after the operation with this index, or REFUSED. */
  step(state: number, index: number): number
  /** Equal texts: the two steps are the same function. Asked for open operations only. */
  likeness(index: number): string
  /** Where every state is a value 0..values-1: what each operation needs, rejects and leads to. */
  readonly effects?: { readonly of: readonly ValueEffect[]; readonly values: number }
}

/** Indexes of the operations in an order that explains the history; a proof that there is none; or neither. */
export type Finding =
  | { readonly kind: 'order'; readonly order: Int32Array }
  | { readonly kind: 'illegal' }
  | { readonly kind: 'unknown'; readonly reason: string }

export function problemOf({ machine, operations }: Subject): Problem {
  return {
    operations,
    initial: machine.initial,
    step: (state, index) => {
      const operation = operations[index]
      if (operation === undefined) throw new RangeError(`there is no operation ${index}`)
      return machine.step(state, operation)
    },
    likeness: (index) => {
      const operation = operations[index]
      if (operation === undefined) return ''
      const { kind, argument, extra, result, clock } = operation
      return `${kind} ${argument} ${extra} ${result} ${clock}`
    },
  }
}

export function isOpen(operation: Interval): boolean {
  return operation.return === OPEN
}
