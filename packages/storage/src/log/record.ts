import type { HardState } from '@quorate/raft'

/** Whose record it is. Written with every record: nothing of another incarnation is ever taken for this one's. */
export interface ReplicaKey {
  readonly group: number
  readonly incarnation: number
}

/** A Raft log entry as stored and shipped. `payload` is opaque here. */
export interface LogEntry {
  readonly index: number
  readonly term: number
  readonly type: 'noop' | 'commands' | 'configuration'
  /** Log clock stamp, ms. */
  readonly stamp: number
  readonly payload: Uint8Array
}

export type LogRecord = ReplicaKey &
  /** Consecutive entries. Replaying entries at index i drops what the group has at i and above. */
  (
    | { readonly kind: 'entries'; readonly entries: readonly LogEntry[] }
    /** Term and vote in one record, written twice in two blocks. */
    | { readonly kind: 'hardState'; readonly hardState: HardState }
    /** The log now begins behind `index`; a durable checkpoint with this number or a later one covers it. */
    | ({ readonly kind: 'compacted' } & CompactionPoint)
    /** As `compacted`, and every entry that the group had is discarded: a snapshot replaced the log. */
    | ({ readonly kind: 'reset' } & CompactionPoint)
    /** First record of a replica, synced before it speaks. `configuration` is the initial one, encoded by the host. */
    | { readonly kind: 'created'; readonly configuration: Uint8Array }
    /** Last record of a replica: a tombstone that outlives its data. */
    | { readonly kind: 'removed' }
    /** Damaged, diverged or lost what it acknowledged; synced before the replica's next message. */
    | { readonly kind: 'condemned'; readonly reason: string }
  )

export interface CompactionPoint {
  readonly index: number
  readonly term: number
  readonly checkpoint: number
  /** The configuration in force at `index`, encoded by the host, and the index of its entry. */
  readonly configuration: Uint8Array
  readonly configurationIndex: number
}
