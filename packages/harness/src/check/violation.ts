// What a checker found: one sentence for people, and the operations that prove it.
import type { Operation } from '../workload/history.ts'

export interface Violation {
  readonly checker: string
  readonly message: string
  readonly operations: readonly Operation[]
}

/** One line per operation, for messages. */
export function describeOperation(operation: Operation): string {
  const { process, type, f, key, argument, seen, position, callMs, returnMs } = operation
  const at = position === null ? '-' : `${position.epoch}.${position.version}@${Math.round(position.t)}`
  const shown = seen === null ? '?' : `${String(seen.value)}#${seen.version ?? '-'}`
  const end = returnMs === null ? '...' : returnMs.toFixed(2)
  return `${process} ${type} ${f} ${key} ${String(argument)} -> ${shown} at ${at} [${callMs.toFixed(2)}, ${end}]`
}
