// Whether a leader may answer reads by its lease at this moment (correctness.md, rule 7; D5, D6).
import type { ReplicaHost } from './host.ts'
import type { Replica } from './replica.ts'

/**
 * True: up to now nobody else can have been elected, so the commit index covers all that was ever acknowledged. The core
 * knows of terms, transfers and voters; the host of stalls and clocks.
 */
export function holdsLease(host: ReplicaHost, replica: Replica): boolean {
  // A quiet leader has not been stepped with the newest confirmations yet (decision 0012).
  replica.catchUp()
  if (!replica.isLeader) return false
  const now = host.now()
  const { raft } = replica
  const sentAt = raft.confirmedSentAt(now)
  return sentAt !== null && sentAt > host.leaseVoidedAt() && now < raft.leaseUntil(now)
}
