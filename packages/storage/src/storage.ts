import type { Clock, Disk, Random, Timers } from '@quorate/runtime'
import type { LogPosition, RecoveredReplica, WriteAheadLog } from './log/log.ts'
import type { OpenStateStore, ReplicaHead, StateStore } from './state/state-store.ts'

/** `node.json`: who this directory is. Written atomically, first of all files. */
export interface DirectoryIdentity {
  readonly format: 1
  readonly dirId: string
  /** null while blank. */
  readonly clusterId: string | null
  readonly name: string
  /** Number of the present boot, from 1. */
  readonly boot: number
}

export interface StorageOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly directory: string
  readonly name: string
  readonly openStateStore: OpenStateStore
  /** Default 64 MiB; at least 64 KiB. */
  readonly segmentBytes?: number
  /** Log bytes kept behind checkpoints for slow followers before `compactionWanted` speaks. Default 2 segments. */
  readonly retainBytes?: number
  readonly onSynced: (ticket: number, position: LogPosition) => void
  /** A write or sync failed: nothing more is written; the node halts. Called at most once. */
  readonly onFailure: (error: Error) => void
}

/** Both stores, opened and checked against each other. */
export interface Storage {
  readonly identity: DirectoryIdentity
  readonly log: WriteAheadLog
  readonly store: StateStore
  /** One per replica in the log, removed ones included (tombstones); `head` is null before its first checkpoint. */
  readonly replicas: readonly { readonly log: RecoveredReplica; readonly head: ReplicaHead | null }[]
  /**
   * Why nothing is known for certain of this directory (a lost segment, an unreadable header): every replica is condemned
   * and others may have existed. No replica may be made under an incarnation that was minted before; null if all is well.
   */
  readonly damage: string | null
  /** How far the log could be read when it was opened: peers compare it with what they were told (RESTORED). */
  readonly recoveredPosition: LogPosition
  /** Forms or joins a cluster: writes `clusterId` into the identity, synced. */
  adoptCluster(clusterId: string): Promise<void>
  /** A small file replaced atomically (temporary file, sync, rename, directory sync): the cached map. */
  writeFile(name: string, bytes: Uint8Array): Promise<void>
  readFile(name: string): Uint8Array | null
  /** Below 1 GiB free (or two segments, if that is less). Re-checked at most once a second. */
  readonly lowOnSpace: boolean
  close(): Promise<void>
}
