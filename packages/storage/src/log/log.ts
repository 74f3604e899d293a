import type { Durations } from './duration-counts.ts'
import type { HardState } from '@quorate/raft'
import type { CompactionPoint, LogEntry, LogRecord, ReplicaKey } from './record.ts'

/**
 * A place in the write-ahead log: segment number * 2^32 + offset. Grows over all boots of a data directory, so that
 * the state store and peers can say how far the log once reached.
 */
export type LogPosition = number

/** The one write-ahead log of a node, for all its groups (storage.md). Single writer. */
export interface WriteAheadLog {
  /**
   * Queues a record behind all earlier ones and returns its ticket (from 1, strictly increasing in this boot). It can be
   * read back at once; it is on disk after the `onSynced` callback with a ticket at or above it.
   */
  append(record: LogRecord): number
  /** Writes and syncs what is queued: now, or when the sync in flight ends. Called once per event-loop turn. */
  flush(): void
  readonly syncedTicket: number
  /** End of the newest synced batch. */
  readonly syncedPosition: LogPosition
  /**
   * Entries from..to of a group (inclusive), cut when their payloads exceed `maxBytes` but never empty. Null where the
   * log no longer or not yet holds `from`. Throws `DamageError` if bytes on disk fail their checksum.
   */
  entries(group: number, from: number, to: number, maxBytes: number): LogEntry[] | null
  /**
   * Groups whose entries keep the log above `retainBytes` (oldest segment first): for each the index up to which it would
   * have to compact. The host answers with `compacted` records where a checkpoint covers that, or does nothing.
   */
  compactionWanted(): readonly { readonly group: number; readonly index: number }[]
  readonly stats: LogStats
  /** How long the writes took, each with its sync, since the start. */
  readonly durations: Durations
  /** Syncs what is queued and releases the files. */
  close(): Promise<void>
}

export interface LogStats {
  readonly batches: number
  readonly syncs: number
  readonly bytesWritten: number
  readonly segments: number
  /** Monotonic ms at which the write or sync in flight began; null if idle (for the disk watchdog). */
  readonly busySince: number | null
}

/** One replica as recovery found it. Everything in it is durable again before `openLog` resolves (storage.md, recovery 3). */
export interface RecoveredReplica extends ReplicaKey {
  readonly state: 'live' | 'removed' | 'condemned'
  /** Why it is condemned. */
  readonly reason: string | null
  readonly hardState: HardState
  readonly initialConfiguration: Uint8Array
  readonly compacted: CompactionPoint | null
  readonly lastIndex: number
  /** Runs of equal term over the entries present, ascending. */
  readonly terms: readonly { readonly firstIndex: number; readonly term: number }[]
  /** Every `configuration` entry present, ascending. */
  readonly configurationEntries: readonly LogEntry[]
  /** Highest stamp of the entries present, 0 if none. */
  readonly lastStamp: number
}

/** Bytes that were once synced are not what was written: never a shorter log that votes (rule 12). */
export class DamageError extends Error {
  override readonly name = 'DamageError'
}

/** The directory cannot be used as it is: other ids, a newer format, in use, two parts that disagree. */
export class StorageRefusedError extends Error {
  override readonly name = 'StorageRefusedError'
  readonly code: 'IN_USE' | 'WRONG_IDS' | 'NEWER_FORMAT' | 'DAMAGED' | 'READ_ONLY' | 'NO_SPACE'
  constructor(code: StorageRefusedError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
