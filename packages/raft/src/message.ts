import type { EntryMeta } from './entry.ts'
import type { ReplicaId } from './configuration.ts'

/**
 * Messages between replicas of one group. The host's envelope adds group, both incarnations and, to appends, the
 * payloads. Heartbeats are no messages of the core: one per pair of nodes serves all groups (inputs `heartbeat`,
 * `confirmed`).
 */
export type Message =
  | VoteRequest
  | VoteReply
  | AppendRequest
  | AppendAccepted
  | AppendRejected
  | TimeoutNow
  | TermNotice

/** Dissertation 3.4 and 9.6. For `preVote`, `term` is the term the sender would campaign in. */
export interface VoteRequest {
  readonly type: 'voteRequest'
  readonly term: number
  readonly preVote: boolean
  readonly lastIndex: number
  readonly lastTerm: number
  /** Set after `timeoutNow`: the receiver does not defer to the live leader (dissertation 4.2.3, 3.10). */
  readonly transfer: boolean
}

/** `term` echoes the request's when granted; a refusal carries the replier's own term. */
export interface VoteReply {
  readonly type: 'voteReply'
  readonly term: number
  readonly preVote: boolean
  readonly granted: boolean
}

export interface AppendRequest {
  readonly type: 'appendRequest'
  readonly term: number
  readonly previousIndex: number
  readonly previousTerm: number
  readonly entries: readonly EntryMeta[]
  readonly commitIndex: number
}

export interface AppendAccepted {
  readonly type: 'appendAccepted'
  readonly term: number
  /** The last index that this append proved equal to the leader's *and* that is durable here. */
  readonly matchIndex: number
}

export interface AppendRejected {
  readonly type: 'appendRejected'
  readonly term: number
  /** `previousIndex` of the append that was rejected: a late rejection is recognised by it. */
  readonly rejectedIndex: number
  /** The largest index at or below it whose term is at most the append's `previousTerm`, and that term. */
  readonly hintIndex: number
  readonly hintTerm: number
}

/** Leadership transfer (dissertation 3.10): campaign at once, without PreVote. */
export interface TimeoutNow {
  readonly type: 'timeoutNow'
  readonly term: number
}

/** Tells a replica with an older term of the newer one; also answers appends of a deposed leader. */
export interface TermNotice {
  readonly type: 'termNotice'
  readonly term: number
}

export interface Envelope {
  readonly to: ReplicaId
  readonly message: Message
}
