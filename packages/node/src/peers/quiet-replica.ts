// What the pair heartbeats need of a replica that they serve without stepping it at every beat.
import type { GroupId } from '@quorate/protocol'
import type { Input, Raft } from '@quorate/raft'

type Body<T> = T extends unknown ? Omit<T, 'now' | 'draw'> : never
export type HeardInput = Body<Extract<Input, { readonly type: 'heartbeat' | 'confirmed' | 'leaderLost' }>>

export interface QuietReplica {
  readonly group: GroupId
  readonly incarnation: number
  readonly raft: Raft
  readonly condition: 'live' | 'stopped' | 'condemned' | 'removed'
  readonly installing: boolean
  /** Steps what it missed before the input. */
  step(input: HeardInput): void
  /** Steps what it missed, if anything, at the moments at which it came. */
  catchUp(): void
}

/** Something that a quiet replica was not stepped for when it came; it is before anything else is. */
export interface Missed {
  readonly input: HeardInput
  /** Monotonic ms at which it came. */
  readonly at: number
}
