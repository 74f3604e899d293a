/** What is known of an operation that failed. `not-done` is never followed by the effect (sessions.md). */
export type Outcome = 'not-done' | 'unknown'

/** Every code a user can meet; `docs/errors.md` has a heading for each. Stable. */
export const errorCodes = [
  'NOT_LEADER',
  'NO_LEADER',
  'OVERLOADED',
  'DISK_FULL',
  'WRONG_SHARD',
  'MOVED',
  'STALE',
  'LATE',
  'SESSION_EXPIRED',
  'SESSION_WINDOW',
  'SESSIONS_FULL',
  'NOT_A_NUMBER',
  'OVERFLOW',
  'KEY_INVALID',
  'VALUE_INVALID',
  'VALUE_TOO_LARGE',
  'ARGUMENT_INVALID',
  'UNKNOWN_COMMAND',
  'BAD_FRAME',
  'PROTOCOL_VERSION',
  'WRONG_CLUSTER',
  'CANNOT_CONNECT',
  'TIMEOUT',
  'ABORTED',
  'CLOSED',
  'LEADERSHIP_LOST',
  'REPLICA_STOPPED',
  'TOO_OLD',
  'CONFLICT',
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** A failure of operation. Programming mistakes are assertions instead and carry no code. */
export class QuorateError extends Error {
  override readonly name = 'QuorateError'
  readonly code: ErrorCode
  readonly outcome: Outcome
  /** What a person can do about it. */
  readonly hint: string | undefined
  constructor(
    code: ErrorCode,
    outcome: Outcome,
    message: string,
    options: ErrorOptions & { hint?: string } = {},
  ) {
    super(message, options)
    this.code = code
    this.outcome = outcome
    this.hint = options.hint
  }
}
