// Stale reads may stand behind operations that ended before they were called, but not by more than the age they came with.
import type { Violation } from './violation.ts'
import type { Positioned } from './positioned.ts'

/** Ages are measured by clocks that may run at half the right speed: what was twice as long ago was told as so long ago. */
const SLOWEST_CLOCK = 0.5

/**
 * Of one key. A stale read that was called at c with age a shows a state in which every operation that had ended by c - a is
 * done: its position is not below any of theirs. Whether it shows what that state holds, the model says (witness.ts, expiry.ts).
 */
export function checkStaleness(operations: readonly Positioned[]): Violation[] {
  const ended = operations
    .filter(({ how, returnMs }) => how !== 'stale' && returnMs !== null)
    .toSorted((left, right) => (left.returnMs ?? 0) - (right.returnMs ?? 0))
  const stale = operations.filter(({ how }) => how === 'stale')
  const violations: Violation[] = []
  for (const read of stale) {
    const { age = null, maxAge } = read
    if (maxAge !== undefined && (age === null || age > maxAge))
      violations.push(violation(`a stale read of at most ${maxAge} ms has the age ${String(age)}`, read))
    if (age === null) continue
    const horizonMs = read.callMs - age / SLOWEST_CLOCK
    const missed = ended.find((other) => (other.returnMs ?? Infinity) < horizonMs && isBelow(read, other))
    if (missed !== undefined)
      violations.push(
        violation(`a stale read of age ${age} ms shows less than had ended before`, read, missed),
      )
  }
  return violations
}

function isBelow({ position: own }: Positioned, { position: other }: Positioned): boolean {
  return own.epoch === other.epoch ? own.version < other.version : own.epoch < other.epoch
}

function violation(message: string, ...operations: Positioned[]): Violation {
  return { checker: 'staleness', message, operations }
}
