// Implements 6.4.1, reads on a lease, as far as the core decides: until when no other leader can have been elected.
import { LEASE_PART } from './limits.ts'
import { isVoter } from './membership.ts'
import { quorumValue } from './quorum.ts'
import { servesReads } from './replica.ts'
import type { Replica } from './replica.ts'
import type { LeaderState } from './role.ts'

/**
 * When the newest heartbeat left that a quorum has answered: at that moment nobody led a later term. Null before an
 * entry of this term is committed, as the commit index may until then miss what a predecessor acknowledged.
 */
export function confirmedSentAt(replica: Replica, leader: LeaderState, now: number): number | null {
  if (!servesReads(replica, leader)) return null
  const sentAt = quorumValue(replica.log.configuration, (voter) =>
    voter === replica.self ? now : (leader.progress.get(voter)?.confirmedSentAt ?? -Infinity),
  )
  return sentAt === -Infinity ? null : sentAt
}

/**
 * Whoever answered a heartbeat neither votes nor campaigns for the shortest election timeout from then on, and any other
 * leader needs one of them. Two have no such promise behind them and so no lease for the rest of their term:
 *
 * * A leader that began a transfer. Its `timeoutNow` may be late, and the votes it leads to are given at once (D5).
 * * A leader that is no voter. The only voter left does not wait after a restart, having nobody to wait for.
 */
export function leaseUntil(replica: Replica, leader: LeaderState, now: number): number {
  if (leader.transferBegan || !isVoter(replica.log.configuration, replica.self)) return 0
  const sentAt = confirmedSentAt(replica, leader, now)
  return sentAt === null ? 0 : sentAt + replica.limits.electionTimeoutMsMin / LEASE_PART
}
