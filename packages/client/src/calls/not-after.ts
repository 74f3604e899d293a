// The time of the log clock after which a command must not be executed any more (sessions.md).
import { limits } from '@quorate/protocol'
import type { LogTime } from './call.ts'

/**
 * The leader's L of a reply (`tighterTime`) + own monotonic time from when that reply's request left to the deadline. L was read
 * somewhere between the request and its reply, so counting from the request never ends before the deadline does;
 * counting from the reply never overstates L, which keeps the 60 s that a leader accepts. No wall clock enters. Behind
 * the deadline (a stalled process) it lies in the past: what leaves then must not take effect any more.
 */
export function notAfterOf(time: LogTime, now: number, deadlineAt: number): number {
  const wanted = time.leaderTime + (deadlineAt - time.sentAt)
  const allowed = time.leaderTime + (now - time.receivedAt) + limits.operationTimeoutMsMax
  return Math.max(0, Math.floor(Math.min(Math.ceil(wanted), allowed, Number.MAX_SAFE_INTEGER)))
}

/**
 * Which of two replies bounds L better from now on. L less own time lay between `leaderTime - receivedAt` and
 * `leaderTime - sentAt`: a reply that came late (a stalled leader) leaves much room, and every millisecond of it would let
 * a command take effect that long after its deadline. So the smaller upper bound wins, until a reply proves it wrong: L
 * was pulled up, or another leader's L is ahead.
 */
export function tighterTime(known: LogTime | null, heard: LogTime): LogTime {
  if (known === null) return heard
  const knownMax = known.leaderTime - known.sentAt
  const isTighter = heard.leaderTime - heard.sentAt <= knownMax
  const refutes = heard.leaderTime - heard.receivedAt > knownMax
  return isTighter || refutes ? heard : known
}
