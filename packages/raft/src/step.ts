// The table of inputs: which section of the dissertation answers what. Rules for terms (3.3) stand here, once for all.
import { acceptAppend } from './append.ts'
import { acceptAppendAccepted, acceptAppendRejected } from './append-reply.ts'
import { checkQuorum } from './check-quorum.ts'
import { advanceCommitIndex } from './commit.ts'
import { proposeConfiguration } from './configuration-change.ts'
import type { ReplicaId } from './configuration.ts'
import type { DropReason } from './effects.ts'
import { acceptVoteReply, campaignAtOnce, campaignWhenDue, countOwnVoteWhenDurable } from './election.ts'
import type { Input } from './input.ts'
import { violated } from './invariant.ts'
import { beginTransfer, endTransferWhenLate } from './leadership-transfer.ts'
import type { Message } from './message.ts'
import { appendOwnEntry } from './own-entry.ts'
import { acceptConfirmation, acceptRead } from './read-index.ts'
import { becomeFollower, followLeader, resetElectionTimer, send, setCommitIndex } from './replica.ts'
import type { Replica } from './replica.ts'
import { appendUnavailable, retryAppends, snapshotFailed, snapshotSent } from './replication.ts'
import { compact, snapshotInstalled } from './snapshot.ts'
import { answerVoteRequest } from './voting.ts'

type InputOf<Type extends Input['type']> = Extract<Input, { readonly type: Type }>

export function handleInput(replica: Replica, input: Input): void {
  switch (input.type) {
    case 'tick':
      return tick(replica)
    case 'message':
      return receive(replica, input.from, input.message)
    case 'heartbeat':
      return heartbeat(replica, input)
    case 'leaderLost':
      return leaderLost(replica, input.from)
    case 'propose':
    case 'proposeConfiguration':
      replica.out.dropped = propose(replica, input)
      return
    case 'stepDown':
      if (replica.role.name !== 'follower') becomeFollower(replica, replica.currentTerm, null)
      return
    case 'persisted':
      return persisted(replica, input.number)
    case 'applied':
      return applied(replica, input.index)
    case 'compacted':
      return compact(replica, input.index)
    case 'snapshotInstalled':
      return snapshotInstalled(replica, input)
    case 'confirmed':
    case 'read':
    case 'transferLeadership':
    case 'unavailable':
    case 'snapshotSent':
    case 'snapshotFailed':
      return handleLeaderInput(replica, input)
  }
}

type LeaderInput = InputOf<
  'confirmed' | 'read' | 'transferLeadership' | 'unavailable' | 'snapshotSent' | 'snapshotFailed'
>

/** What only a leader can do anything about; elsewhere it is late. */
function handleLeaderInput(replica: Replica, input: LeaderInput): void {
  const { role } = replica
  if (role.name !== 'leader') {
    if (input.type === 'read') replica.out.readsDropped.push(input.tag)
    return
  }
  switch (input.type) {
    case 'confirmed':
      if (input.term === replica.currentTerm) {
        acceptConfirmation(replica, role, input.from, input.round, input.sentAt)
      }
      return
    case 'read':
      return acceptRead(replica, role, input.tag, input.round)
    case 'transferLeadership':
      return beginTransfer(replica, role, input.to)
    case 'unavailable':
      return appendUnavailable(replica, role, input.peer)
    case 'snapshotSent':
      return snapshotSent(replica, role, input.peer, input.index)
    case 'snapshotFailed':
      return snapshotFailed(replica, role, input.peer)
  }
}

function tick(replica: Replica): void {
  const { role } = replica
  if (role.name !== 'leader') {
    campaignWhenDue(replica)
  } else if (checkQuorum(replica, role)) {
    endTransferWhenLate(replica, role)
    retryAppends(replica, role)
  }
}

/** "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower" (Figure 3.1). */
function receive(replica: Replica, from: ReplicaId, message: Message): void {
  if (message.type === 'voteRequest') {
    answerVoteRequest(replica, from, message)
    return
  }
  if (message.term > replica.currentTerm && !isPromise(message)) {
    becomeFollower(replica, message.term, null)
  }
  switch (message.type) {
    case 'appendRequest':
      if (message.term < replica.currentTerm) {
        send(replica, from, { type: 'termNotice', term: replica.currentTerm })
        return
      }
      followLeader(replica, from)
      return acceptAppend(replica, from, message)
    case 'voteReply':
      return acceptVoteReply(replica, from, message)
    case 'appendAccepted':
    case 'appendRejected':
      return acceptAppendReply(replica, from, message)
    case 'timeoutNow':
      if (message.term === replica.currentTerm) campaignAtOnce(replica)
      return
    case 'termNotice':
      // Its term has been adopted above, or is old news.
      return
  }
}

/** A granted pre-vote names a term in which nobody has campaigned yet (9.6). */
function isPromise(message: Message): boolean {
  return message.type === 'voteReply' && message.preVote && message.granted
}

function acceptAppendReply(
  replica: Replica,
  from: ReplicaId,
  message: Extract<Message, { readonly type: 'appendAccepted' | 'appendRejected' }>,
): void {
  const { role } = replica
  if (role.name !== 'leader' || message.term !== replica.currentTerm) return
  if (message.type === 'appendAccepted') acceptAppendAccepted(replica, role, from, message)
  else acceptAppendRejected(replica, role, from, message)
}

function heartbeat(replica: Replica, { from, term, commitIndex }: InputOf<'heartbeat'>): void {
  if (term < replica.currentTerm) {
    send(replica, from, { type: 'termNotice', term: replica.currentTerm })
    return
  }
  if (term > replica.currentTerm) becomeFollower(replica, term, null)
  followLeader(replica, from)
  // The leader capped it by what this replica has acknowledged in this term.
  if (commitIndex > replica.log.lastIndex) {
    violated(
      'LOST_ACKNOWLEDGED',
      `leader ${from} knows ${commitIndex} as held here, the log ends at ${replica.log.lastIndex}`,
    )
  }
  if (commitIndex > replica.commitIndex) setCommitIndex(replica, commitIndex)
}

/** Nobody is followed any more; its lease, if it has one, is respected all the same (`leaderHeardAt`). */
function leaderLost(replica: Replica, from: ReplicaId): void {
  const { role } = replica
  if (role.name !== 'follower' || role.leader !== from) return
  role.leader = null
  resetElectionTimer(replica)
}

function propose(replica: Replica, input: InputOf<'propose' | 'proposeConfiguration'>): DropReason | null {
  const { role, limits } = replica
  if (role.name !== 'leader') return 'notLeader'
  if (role.transfer !== null) return 'transferring'
  if (input.type === 'proposeConfiguration') {
    return proposeConfiguration(replica, role, input.voters, input.learners)
  }
  const { bytes } = input
  if (!Number.isSafeInteger(bytes) || bytes < 0) violated('HOST', `a proposal of ${bytes} bytes`)
  const { uncommittedBytes } = role
  if (uncommittedBytes > 0 && uncommittedBytes + bytes > limits.uncommittedBytes) return 'uncommittedFull'
  appendOwnEntry(replica, role, bytes)
  return null
}

function persisted(replica: Replica, number: number): void {
  replica.durability.end(number, replica.log.lastIndex)
  const { role } = replica
  if (role.name === 'candidate') countOwnVoteWhenDurable(replica, role)
  else if (role.name === 'leader') advanceCommitIndex(replica, role)
}

function applied(replica: Replica, index: number): void {
  if (index > replica.commitIndex) {
    violated('HOST', `applied ${index}, committed ${replica.commitIndex}`)
  }
  replica.appliedIndex = Math.max(replica.appliedIndex, index)
}
