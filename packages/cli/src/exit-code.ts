// The exit codes of every command: documented in docs/operating.md, stable.
import { type ErrorCode, QuorateError } from '@quorate/protocol'
import { CommanderError } from 'commander'

export const exitCodes = {
  done: 0,
  /** It failed, and it certainly had no effect. */
  failed: 1,
  usage: 2,
  /** No such key, or the condition did not hold. */
  notFound: 3,
  cannotConnect: 4,
  /** `status`: some shard has no leader that serves. */
  unhealthy: 5,
  /** A write that may or may not have happened. */
  unknown: 6,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A mistake in what was typed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

const unreachable: ReadonlySet<ErrorCode> = new Set(['CANNOT_CONNECT', 'WRONG_CLUSTER', 'PROTOCOL_VERSION'])
const mistaken: ReadonlySet<ErrorCode> = new Set([
  'KEY_INVALID',
  'VALUE_INVALID',
  'VALUE_TOO_LARGE',
  'ARGUMENT_INVALID',
])

/**
 * What kept a client from connecting, as what it is: whatever the other side said or did not say, it is no node of a cluster
 * that serves. Mistakes of usage and Ctrl-C stay what they are.
 */
export function connectFailure(error: unknown): unknown {
  if (!(error instanceof QuorateError) || unreachable.has(error.code)) return error
  if (mistaken.has(error.code) || error.code === 'ABORTED') return error
  const { message, hint } = error
  return new QuorateError('CANNOT_CONNECT', 'not-done', message, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

/** What a failure means to the shell. An unknown outcome outranks its cause: only the caller can tell what to do about it. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCodes.usage
  // Commander throws for `--help` and `--version` too, with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  if (!(error instanceof QuorateError)) return exitCodes.failed
  if (error.outcome === 'unknown') return exitCodes.unknown
  if (unreachable.has(error.code)) return exitCodes.cannotConnect
  return mistaken.has(error.code) ? exitCodes.usage : exitCodes.failed
}
