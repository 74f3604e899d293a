// Invariants: what must never be false. They are checked in production, and a broken one stops the replica.

/** Which invariant broke. Stable: hosts and operators act on it. */
export type InvariantCode =
  /** A leader knows as held here what this log does not hold: the disk lost what was acknowledged. */
  | 'LOST_ACKNOWLEDGED'
  /** A committed entry would be replaced, or the leader's log contradicts it. */
  | 'COMMITTED_CONFLICT'
  /** Two leaders in one term (Figure 3.2, election safety). */
  | 'TWO_LEADERS'
  /** The commit index would go back or leave the log. */
  | 'COMMIT_OUT_OF_RANGE'
  /** A peer's matchIndex lies outside the leader's log, or its nextIndex is not above it. */
  | 'PROGRESS_OUT_OF_RANGE'
  /** The log would get a gap, a falling term, or lose entries that it must keep. */
  | 'LOG_SHAPE'
  /** Compaction beyond what is applied and durable. */
  | 'COMPACTED_TOO_FAR'
  /** A configuration that is not well formed, or a second change while one is in flight. */
  | 'CONFIGURATION'
  /** The host broke its contract: an index, number or time that cannot be. */
  | 'HOST'

/**
 * Thrown by `step` when continuing could break a promise. The replica's state is undefined afterwards: the host must
 * not step it again. `LOST_ACKNOWLEDGED` condemns the replica (it needs a new identity); others are bugs.
 */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation'
  readonly code: InvariantCode

  constructor(code: InvariantCode, message: string) {
    super(`${code}: ${message}`)
    this.code = code
  }
}

export function violated(code: InvariantCode, message: string): never {
  throw new InvariantViolation(code, message)
}
