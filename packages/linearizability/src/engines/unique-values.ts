// Registers whose values are each written once, in O(n log n): the zones of Gibbons and Korach ("Testing Shared Memories", SIAM
// J. Comput. 1997, section 4), extended to compare-and-set.
//
// The operations that write or see one value stand together in every order: a cluster. A won compare-and-set from e to w joins
// the cluster of w directly to that of e: a block. Block A must come before B when some operation of A ends before one of B
// begins, that is when A's earliest end is before B's latest call. If no two blocks demand it of each other there is an
// order, by the left ends of their zones: for where A.end < B.call and not B.end < A.call, A's left end is the smaller one.
import { isOpen } from './problem.ts'
import { countWriters, type ValueOperation, type ValueProblem } from './value-problem.ts'
import { chainBlocks } from './value-blocks.ts'
import { orderBlocks } from './zones.ts'

/** A part of the problem that has no order by itself. `loose`: what this one needs does not matter. */
export interface Conflict {
  readonly operations: readonly { readonly at: number; readonly loose: boolean }[]
}

export type UniqueFinding =
  | { readonly kind: 'order'; readonly order: Int32Array }
  | { readonly kind: 'conflict'; readonly conflict: Conflict }
  /** A value is written twice, something is open, or rejects a value. */
  | { readonly kind: 'inapplicable' }

export function checkUniqueValues(problem: ValueProblem): UniqueFinding {
  if (!isApplicable(problem)) return { kind: 'inapplicable' }
  const blocks = chainBlocks(problem)
  if ('conflict' in blocks) return { kind: 'conflict', conflict: blocks.conflict }
  return orderBlocks(problem, blocks)
}

function isApplicable(problem: ValueProblem): boolean {
  return (
    problem.operations.every(mustSimplyHappen) &&
    countWriters(problem).every((writers, value) => (value === 0 ? writers === 0 : writers <= 1))
  )
}

function mustSimplyHappen(operation: ValueOperation): boolean {
  return operation.rejects < 0 && !isOpen(operation)
}
