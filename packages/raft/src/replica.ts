// One replica's consensus state, and the few changes to it that every section needs.
import type { ReplicaId } from './configuration.ts'
import type { Durability } from './durability.ts'
import type { EntryMeta } from './entry.ts'
import { violated } from './invariant.ts'
import type { LogIndex } from './log-index.ts'
import type { Message } from './message.ts'
import type { Outbox } from './outbox.ts'
import type { RaftLimits } from './raft.ts'
import type { LeaderState, RoleState } from './role.ts'

export interface Replica {
  readonly self: ReplicaId
  readonly limits: RaftLimits
  readonly log: LogIndex
  readonly durability: Durability
  /** Before this no vote, pre-vote or campaign: a restarted voter has forgotten which heartbeats it answered. */
  readonly silentUntil: number
  currentTerm: number
  votedFor: ReplicaId | null
  role: RoleState
  /** Never goes back; at most lastIndex (B6). */
  commitIndex: number
  /** At most commitIndex. */
  appliedIndex: number
  /** When a replica that hears of no leader campaigns. */
  electionDeadline: number
  /**
   * When a leader of any term was last heard. It outlives the loss of that leader: its lease may count on this replica
   * not to vote for another one yet.
   */
  leaderHeardAt: number
  /** Of the input in work. */
  now: number
  draw: number
  out: Outbox
}

export function leaderOf(replica: Replica): ReplicaId | null {
  if (replica.role.name === 'leader') return replica.self
  return replica.role.name === 'follower' ? replica.role.leader : null
}

export function send(replica: Replica, to: ReplicaId, message: Message): void {
  replica.out.send.push({ to, message })
}

export function sendAfterPersist(replica: Replica, to: ReplicaId, message: Message): void {
  replica.out.sendAfterPersist.push({ to, message })
}

/** Randomised, so that split votes are rare (dissertation 3.4). */
export function resetElectionTimer(replica: Replica): void {
  const { electionTimeoutMsMin, electionTimeoutMsMax } = replica.limits
  replica.electionDeadline =
    replica.now + electionTimeoutMsMin + replica.draw * (electionTimeoutMsMax - electionTimeoutMsMin)
}

/** A new term knows no vote yet; the vote of the present term is never forgotten (A3). */
export function adoptTerm(replica: Replica, term: number): void {
  if (term <= replica.currentTerm) violated('HOST', `term ${term} is not above ${replica.currentTerm}`)
  replica.currentTerm = term
  replica.votedFor = null
  replica.out.hardStateChanged = true
}

export function vote(replica: Replica, candidate: ReplicaId): void {
  if (replica.votedFor === candidate) return
  if (replica.votedFor !== null) violated('HOST', `a second vote in term ${replica.currentTerm}`)
  replica.votedFor = candidate
  replica.out.hardStateChanged = true
}

/** Also from a higher term; `leader` is null while it is not known. Reads and transfers end with leadership. */
export function becomeFollower(replica: Replica, term: number, leader: ReplicaId | null): void {
  if (term !== replica.currentTerm) adoptTerm(replica, term)
  if (replica.role.name === 'leader') {
    for (const { tag } of replica.role.reads) replica.out.readsDropped.push(tag)
  }
  replica.role = { name: 'follower', leader }
  resetElectionTimer(replica)
}

/** A sign of life from the leader of the current term (Figure 3.2: at most one per term). */
export function followLeader(replica: Replica, leader: ReplicaId): void {
  const known = leaderOf(replica)
  if (known !== null && known !== leader) {
    violated('TWO_LEADERS', `${known} and ${leader} in term ${replica.currentTerm}`)
  }
  if (replica.role.name === 'follower') {
    replica.role.leader = leader
    resetElectionTimer(replica)
  } else {
    becomeFollower(replica, replica.currentTerm, leader)
  }
  replica.leaderHeardAt = replica.now
}

/** Puts entries at the end of the log, or, at a proven conflict, in place of what it has from the first of them on. */
export function writeEntries(replica: Replica, entries: readonly EntryMeta[]): void {
  const { log, durability, out } = replica
  const [first] = entries
  if (first === undefined) return
  if (first.index <= replica.commitIndex) {
    violated('COMMITTED_CONFLICT', `write at ${first.index}, committed up to ${replica.commitIndex}`)
  }
  if (first.index <= log.lastIndex) log.truncateFrom(first.index)
  for (const entry of entries) log.append(entry)
  durability.overwritten(first.index)
  out.entries = out.entries.length === 0 ? entries : [...out.entries, ...entries]
}

export function setCommitIndex(replica: Replica, commitIndex: number): void {
  if (commitIndex < replica.commitIndex || commitIndex > replica.log.lastIndex) {
    violated(
      'COMMIT_OUT_OF_RANGE',
      `commit ${commitIndex} after ${replica.commitIndex}, log up to ${replica.log.lastIndex}`,
    )
  }
  replica.commitIndex = commitIndex
}

/** True once an entry of the leader's own term is committed (dissertation 6.4). */
export function servesReads(replica: Replica, leader: LeaderState): boolean {
  return replica.commitIndex >= leader.termStartIndex
}
