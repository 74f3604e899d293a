// What a replica is: data that belongs to a role cannot exist in another one (dissertation 3.3).
import type { ReplicaId } from './configuration.ts'
import type { Progress } from './progress.ts'

export type RoleState = FollowerState | PreCandidateState | CandidateState | LeaderState

export interface FollowerState {
  readonly name: 'follower'
  /** The leader of the current term, null while unknown. */
  leader: ReplicaId | null
}

export interface PreCandidateState {
  readonly name: 'preCandidate'
  readonly votes: Map<ReplicaId, boolean>
}

export interface CandidateState {
  readonly name: 'candidate'
  /** The own vote is added when it is durable. */
  readonly votes: Map<ReplicaId, boolean>
}

export interface LeaderState {
  readonly name: 'leader'
  /** The no-op of this term: committed means that reads may be served and members changed. */
  readonly termStartIndex: number
  /** Everyone in the newest configuration but the leader itself. */
  readonly progress: Map<ReplicaId, Progress>
  /** Payload bytes in (commitIndex, lastIndex]. */
  uncommittedBytes: number
  transfer: Transfer | null
  /** True for the rest of the term once a transfer began, whatever became of it: there is no lease any more (D5). */
  transferBegan: boolean
  /** In order of arrival. */
  readonly reads: PendingRead[]
}

/** Leadership transfer under way (dissertation 3.10): proposals are refused until it ends. */
export interface Transfer {
  readonly to: ReplicaId
  readonly endsAt: number
  told: boolean
}

export interface PendingRead {
  readonly tag: number
  /** The first read round that began after the read arrived. */
  readonly round: number
  /** The commit index at the first moment when it was good for a read; null before. */
  index: number | null
}
