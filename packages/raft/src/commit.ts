// Implements 3.6.2 (paper 5.4.2), commitment: only entries of the own term are committed by counting.
import { leaderIsRemoved, leaveJointWhenCommitted } from './configuration-change.ts'
import { quorumValue } from './quorum.ts'
import { releaseReads } from './read-index.ts'
import { becomeFollower, setCommitIndex } from './replica.ts'
import type { Replica } from './replica.ts'
import type { LeaderState } from './role.ts'

/** Called whenever something durable was learned, here or at a peer, and when the configuration changed. */
export function advanceCommitIndex(replica: Replica, leader: LeaderState): void {
  const { log, durability } = replica
  // The leader is one voter like any other: its own log counts up to what its disk holds, and not at all if it is none.
  const index = quorumValue(log.configuration, (voter) =>
    voter === replica.self ? durability.durableIndex : (leader.progress.get(voter)?.matchIndex ?? 0),
  )
  if (index <= replica.commitIndex || log.termAt(index) !== replica.currentTerm) return
  committed(replica, leader, index)
}

/** What a leader does as soon as it knows that everything up to `index` is committed. */
export function committed(replica: Replica, leader: LeaderState, index: number): void {
  leader.uncommittedBytes -= replica.log.bytesBetween(replica.commitIndex, index)
  setCommitIndex(replica, index)
  releaseReads(replica, leader)
  if (leaderIsRemoved(replica)) {
    becomeFollower(replica, replica.currentTerm, null)
    return
  }
  leaveJointWhenCommitted(replica, leader)
}
