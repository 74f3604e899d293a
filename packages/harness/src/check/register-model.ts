// The sequential model of one key: which state an operation proves to have found, and which it leaves.
import type { Operation, Seen } from '../workload/history.ts'

export const absent: Seen = { value: null, version: null }

/** Whether the operation, executed in this state, would have answered what it answered. */
export function finds(operation: Operation, state: Seen): boolean {
  const { f, applied, seen, argument, expectedVersion } = operation
  const version = state.version ?? 0
  switch (f) {
    case 'get':
      return sameEntry(seen, state)
    case 'set':
      return applied
    case 'cas':
      if (applied) return version === expectedVersion
      return version !== expectedVersion && (seen === null || sameEntry(seen, state))
    case 'del':
      return applied === (state.version !== null)
    case 'incr':
      return applied && numberOf(state) === foundByIncrement(operation) && argument !== null
    case 'evict':
      return version !== 0 && version === expectedVersion
    case 'touch':
    case 'persist':
      // Of keys that expire: expiry.ts.
      return false
  }
}

/** The state behind an operation that found `state`; `version` is the operation's own. */
export function stateAfter(operation: Operation, state: Seen, version: number): Seen {
  if (!operation.applied) return state
  switch (operation.f) {
    case 'get':
    case 'touch':
    case 'persist':
      return state
    case 'set':
    case 'cas':
      return { value: operation.argument, version }
    case 'del':
    case 'evict':
      return absent
    case 'incr':
      return { value: operation.seen?.value ?? null, version }
  }
}

/** What the counter held before this increment, by its answer; NaN where the answer tells nothing. */
export function foundByIncrement({ seen, argument }: Operation): number {
  return typeof seen?.value === 'number' && typeof argument === 'number' ? seen.value - argument : Number.NaN
}

/** A missing counter counts from 0. */
export function numberOf(state: Seen): number {
  if (state.version === null) return 0
  return typeof state.value === 'number' ? state.value : Number.NaN
}

export function describeState(state: Seen): string {
  return state.version === null ? 'absent' : `${String(state.value)}#${state.version}`
}

function sameEntry(seen: Seen | null, state: Seen): boolean {
  return seen !== null && seen.version === state.version && seen.value === state.value
}
