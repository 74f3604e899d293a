import type { ReplicaId } from './configuration.ts'
import type { EntryMeta } from './entry.ts'
import type { Envelope } from './message.ts'

/** What the host must do after a step, in the order of the fields. */
export interface Effects {
  /** May leave before the local write ends (dissertation 10.2.1): appends, refusals, pre-votes. */
  readonly send: readonly Envelope[]
  /** Write this; answer with the input `persisted` when it is durable. */
  readonly persist: Persist | null
  /** Leave only after this step's `persist` (and all before) is durable: votes, vote requests, acknowledgements. */
  readonly sendAfterPersist: readonly Envelope[]
  /** The entry made of this step's `propose` or `proposeConfiguration`, or of winning an election (the no-op). */
  readonly appended: readonly EntryMeta[]
  /** Why this step's proposal was never appended: it certainly has no effect. */
  readonly dropped: DropReason | null
  /** Everything up to here is committed and may be applied (never goes back); null if unchanged by this step. */
  readonly commitIndex: number | null
  /** Reads confirmed: each may be evaluated as soon as the state machine has applied `index`. */
  readonly reads: readonly ReadReady[]
  /** Tags of reads that lost their leader: certainly not answered here. */
  readonly readsDropped: readonly number[]
  /** Peers that need a snapshot because the log in front of them is compacted. */
  readonly snapshotWanted: readonly ReplicaId[]
  /** The role, term or known leader after this step, if any of them changed. */
  readonly status: Status | null
}

export interface Persist {
  /** Strictly increasing from 1 for each replica and boot. */
  readonly number: number
  /** Term and vote, one record (rule 1); null if unchanged. */
  readonly hardState: HardState | null
  /** Appending at index i drops whatever the log has at i and above. May be empty. */
  readonly entries: readonly EntryMeta[]
}

export interface HardState {
  readonly currentTerm: number
  readonly votedFor: ReplicaId | null
}

export type DropReason =
  | 'notLeader'
  /** Leadership is being transferred. */
  | 'transferring'
  /** More than the allowed uncommitted bytes. */
  | 'uncommittedFull'
  /** Another membership change is in flight, or no entry of this term is committed yet. */
  | 'changeInFlight'
  /** The change would remove every voter, promote an unknown or lagging learner, or leave no live quorum. */
  | 'unsafeChange'

export interface ReadReady {
  readonly tag: number
  readonly index: number
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader'

export interface Status {
  readonly role: Role
  readonly currentTerm: number
  readonly leader: ReplicaId | null
}
