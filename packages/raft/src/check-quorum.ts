// Implements 6.2, CheckQuorum: a leader that hears of no quorum steps down, so that its clients look elsewhere.
import { isQuorum } from './quorum.ts'
import { becomeFollower } from './replica.ts'
import type { Replica } from './replica.ts'
import type { LeaderState } from './role.ts'

/** True if the leader may stay. Any message of this term counts as contact, also about snapshots (F10). */
export function checkQuorum(replica: Replica, leader: LeaderState): boolean {
  const { checkQuorumMs } = replica.limits
  const inContact = isQuorum(replica.log.configuration, (voter) => {
    if (voter === replica.self) return true
    const progress = leader.progress.get(voter)
    return progress !== undefined && replica.now - progress.heardAt < checkQuorumMs
  })
  if (!inContact) becomeFollower(replica, replica.currentTerm, null)
  return inContact
}
