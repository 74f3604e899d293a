// Implements 3.4, leader election, and 9.6, PreVote: the candidate's side.
import type { ReplicaId } from './configuration.ts'
import { isSoleVoter, isVoter, votersOf } from './membership.ts'
import type { VoteReply, VoteRequest } from './message.ts'
import { appendOwnEntry, watchMembers } from './own-entry.ts'
import { NOOP_ENTRY_BYTES } from './limits.ts'
import { voteOutcome } from './quorum.ts'
import { adoptTerm, becomeFollower, resetElectionTimer, send, sendAfterPersist, vote } from './replica.ts'
import type { Replica } from './replica.ts'
import type { CandidateState, LeaderState, PreCandidateState } from './role.ts'

/** At a tick of a replica that leads nothing. */
export function campaignWhenDue(replica: Replica): void {
  if (replica.now < replica.electionDeadline) return
  // Whoever was followed has been silent for an election timeout.
  if (replica.role.name === 'follower') replica.role.leader = null
  const alone = isSoleVoter(replica.log.configuration, replica.self)
  if (!mayCampaign(replica) || (replica.now < replica.silentUntil && !alone)) return
  beginPreVote(replica)
}

/** The leader has asked for it (3.10): no pre-vote, no silence after the start, no deference to the live leader. */
export function campaignAtOnce(replica: Replica): void {
  if (replica.role.name === 'leader' || !mayCampaign(replica)) return
  beginElection(replica, true)
}

export function acceptVoteReply(replica: Replica, from: ReplicaId, message: VoteReply): void {
  const { role, currentTerm } = replica
  if (message.preVote) {
    if (role.name !== 'preCandidate') return
    if (message.granted && message.term !== currentTerm + 1) return
    recordVote(replica, role, from, message.granted)
  } else {
    // A refusal for an older term may be the answer to an older request.
    if (role.name !== 'candidate' || message.term !== currentTerm) return
    recordVote(replica, role, from, message.granted)
  }
}

/** The own vote counts like any other only when it is durable: else a crash could give the same term to another. */
export function countOwnVoteWhenDurable(replica: Replica, candidate: CandidateState): void {
  if (replica.durability.durableTerm !== replica.currentTerm) return
  if (!isVoter(replica.log.configuration, replica.self)) return
  recordVote(replica, candidate, replica.self, true)
}

/**
 * Only voters, and only when every committed change of members is applied (rule 8, A17). A voter whose removal is not
 * known to be committed still counts: the entry may be in its log only, and then nobody else could win (4.2.2).
 */
function mayCampaign(replica: Replica): boolean {
  const { log, appliedIndex, commitIndex, self } = replica
  if (log.hasConfigurationIn(appliedIndex, commitIndex)) return false
  return log.configurationsFrom(commitIndex).some((configuration) => isVoter(configuration, self))
}

function beginPreVote(replica: Replica): void {
  const preCandidate: PreCandidateState = { name: 'preCandidate', votes: new Map() }
  replica.role = preCandidate
  resetElectionTimer(replica)
  const request = voteRequest(replica, replica.currentTerm + 1, true, false)
  for (const voter of votersOf(replica.log.configuration)) {
    if (voter !== replica.self) send(replica, voter, request)
  }
  recordVote(replica, preCandidate, replica.self, true)
}

function beginElection(replica: Replica, transfer: boolean): void {
  adoptTerm(replica, replica.currentTerm + 1)
  vote(replica, replica.self)
  replica.role = { name: 'candidate', votes: new Map() }
  resetElectionTimer(replica)
  const request = voteRequest(replica, replica.currentTerm, false, transfer)
  for (const voter of votersOf(replica.log.configuration)) {
    if (voter !== replica.self) sendAfterPersist(replica, voter, request)
  }
}

function recordVote(
  replica: Replica,
  campaign: PreCandidateState | CandidateState,
  from: ReplicaId,
  granted: boolean,
): void {
  // A second reply of the same voter is a duplicate (A6); what it granted once stays granted.
  if (campaign.votes.get(from) !== true) campaign.votes.set(from, granted)
  switch (voteOutcome(replica.log.configuration, campaign.votes)) {
    case 'pending':
      return
    case 'lost':
      becomeFollower(replica, replica.currentTerm, null)
      return
    case 'won':
      if (campaign.name === 'preCandidate') beginElection(replica, false)
      else becomeLeader(replica)
  }
}

/** Appends a no-op at once: nothing older can be committed, and nothing read, before an entry of this term is (6.4). */
function becomeLeader(replica: Replica): void {
  const { log } = replica
  const progress: LeaderState['progress'] = new Map()
  watchMembers(replica, progress)
  const leader: LeaderState = {
    name: 'leader',
    termStartIndex: log.lastIndex + 1,
    progress,
    uncommittedBytes: log.bytesBetween(replica.commitIndex, log.lastIndex),
    transfer: null,
    transferBegan: false,
    reads: [],
  }
  replica.role = leader
  appendOwnEntry(replica, leader, NOOP_ENTRY_BYTES)
}

function voteRequest(replica: Replica, term: number, preVote: boolean, transfer: boolean): VoteRequest {
  const { lastIndex, lastTerm } = replica.log
  return { type: 'voteRequest', term, preVote, lastIndex, lastTerm, transfer }
}
