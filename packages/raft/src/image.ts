// A replica's whole consensus state as plain data: what a recording begins with and what its replay must come to.
import type { ReplicaId } from './configuration.ts'
import { Durability, type DurabilityImage } from './durability.ts'
import { LogIndex, type LogImage } from './log-index.ts'
import { newOutbox } from './outbox.ts'
import type { Progress } from './progress.ts'
import type { RaftLimits } from './raft.ts'
import type { Replica } from './replica.ts'
import type { LeaderState, RoleState } from './role.ts'

export interface RaftImage {
  readonly self: ReplicaId
  readonly limits: RaftLimits
  readonly log: LogImage
  readonly durability: DurabilityImage
  readonly silentUntil: number
  readonly currentTerm: number
  readonly votedFor: ReplicaId | null
  readonly role: RoleImage
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly electionDeadline: number
  readonly leaderHeardAt: number
  readonly now: number
  readonly draw: number
}

/** A `RoleState` whose maps are rows, in their order. */
export type RoleImage =
  | { readonly name: 'follower'; readonly leader: ReplicaId | null }
  | {
      readonly name: 'preCandidate' | 'candidate'
      readonly votes: readonly (readonly [ReplicaId, boolean])[]
    }
  | (Omit<LeaderState, 'progress'> & { readonly progress: readonly (readonly [ReplicaId, Progress])[] })

/** A copy: later steps do not change it. */
export function imageOf(replica: Replica): RaftImage {
  const { log, durability, role, out: _, ...plain } = replica
  return { ...plain, log: log.image(), durability: durability.image(), role: imageOfRole(role) }
}

/** The replica that `imageOf` saw. Throws `InvariantViolation` where an image cannot be one. */
export function replicaOf(image: RaftImage): Replica {
  const { log, durability, role, ...plain } = image
  return {
    ...plain,
    log: LogIndex.of(log),
    durability: Durability.of(durability),
    role: roleOf(role),
    out: newOutbox(),
  }
}

function imageOfRole(role: RoleState): RoleImage {
  switch (role.name) {
    case 'follower':
      return { ...role }
    case 'leader':
      return structuredClone({ ...role, progress: [...role.progress] })
    case 'preCandidate':
    case 'candidate':
      return { name: role.name, votes: [...role.votes] }
  }
}

function roleOf(image: RoleImage): RoleState {
  switch (image.name) {
    case 'follower':
      return { ...image }
    case 'leader':
      return structuredClone({ ...image, progress: new Map(image.progress) })
    case 'preCandidate':
    case 'candidate':
      return { name: image.name, votes: new Map(image.votes) }
  }
}
