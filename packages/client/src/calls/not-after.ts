// The time of the log clock after which a command must not be executed any more (sessions.md).
import { limits } from '@quorate/protocol'
import type { LogTime } from './call.ts'

/**
 * The leader's L of the last reply + own monotonic time since that reply's request left + the remaining deadline. L was
 * read somewhere between the request and its reply, so counting from the request never ends before the deadline does;
 * counting from the reply never overstates L, which keeps the 60 s that a leader accepts. No wall clock enters.
 */
export function notAfterOf(time: LogTime, now: number, deadlineAt: number): number {
  const wanted = time.leaderTime + (now - time.sentAt) + Math.max(0, deadlineAt - now)
  const allowed = time.leaderTime + (now - time.receivedAt) + limits.operationTimeoutMsMax
  return Math.floor(Math.min(Math.ceil(wanted), allowed, Number.MAX_SAFE_INTEGER))
}
