// Implements 3.4 and 3.6.1, the voter's side of elections, and 4.2.3, deference to a live leader.
import type { ReplicaId } from './configuration.ts'
import type { VoteRequest } from './message.ts'
import { becomeFollower, leaderOf, resetElectionTimer, send, sendAfterPersist, vote } from './replica.ts'
import type { Replica } from './replica.ts'

/** Whether the sender is a voter in the own configuration does not matter: it may know a newer one (4.2.2, F9). */
export function answerVoteRequest(replica: Replica, from: ReplicaId, message: VoteRequest): void {
  // Before the term is looked at: a request that disturbs a live leader must not even raise the term (A12).
  if (message.term < replica.currentTerm || (!message.transfer && mustDefer(replica))) {
    refuse(replica, from, message)
    return
  }
  if (message.preVote) answerPreVote(replica, from, message)
  else answerVote(replica, from, message)
}

/** Promises nothing, so that nothing is recorded and no timer reset (9.6). */
function answerPreVote(replica: Replica, from: ReplicaId, message: VoteRequest): void {
  if (message.term > replica.currentTerm && isUpToDate(replica, message)) {
    send(replica, from, { type: 'voteReply', term: message.term, preVote: true, granted: true })
  } else {
    refuse(replica, from, message)
  }
}

function answerVote(replica: Replica, from: ReplicaId, message: VoteRequest): void {
  if (message.term > replica.currentTerm) becomeFollower(replica, message.term, null)
  // The same candidate may ask again: its reply may be lost (A7).
  const free = replica.votedFor === null ? leaderOf(replica) === null : replica.votedFor === from
  if (!free || !isUpToDate(replica, message)) {
    refuse(replica, from, message)
    return
  }
  vote(replica, from)
  resetElectionTimer(replica)
  sendAfterPersist(replica, from, {
    type: 'voteReply',
    term: message.term,
    preVote: false,
    granted: true,
  })
}

/** Carries the own term: a candidate that lags learns it here (A13). */
function refuse(replica: Replica, to: ReplicaId, { preVote }: VoteRequest): void {
  send(replica, to, { type: 'voteReply', term: replica.currentTerm, preVote, granted: false })
}

/** A leader hears of itself; a voter that has just started may have heard of one (A16, time.md). */
function mustDefer(replica: Replica): boolean {
  const { now, role, silentUntil, leaderHeardAt, limits } = replica
  if (role.name === 'leader' || now < silentUntil) return true
  return now - leaderHeardAt < limits.electionTimeoutMsMin
}

/** The later last term wins, then the longer log (5.4.1): every committed entry is in the winner's log (A10). */
function isUpToDate({ log }: Replica, { lastTerm, lastIndex }: VoteRequest): boolean {
  return lastTerm === log.lastTerm ? lastIndex >= log.lastIndex : lastTerm > log.lastTerm
}
