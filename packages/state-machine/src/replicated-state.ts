import type { Answer } from '@quorate/protocol'

/** A committed log entry as apply sees it. */
export interface AppliedEntry {
  readonly index: number
  readonly term: number
  readonly type: 'noop' | 'commands' | 'configuration'
  readonly stamp: number
  readonly payload: Uint8Array
}

/** A row in the store's shape; the state machine owns kinds and encodings. */
export interface RowKey {
  readonly kind: number
  readonly slot: number
  readonly key: Uint8Array
}

/** Rows that have to be read in order, since nobody knows their keys. */
export interface RowScan extends RowKey {
  /** Rows of `kind` and `slot` at or above `key`, the first `limit` of them. */
  readonly limit: number
  /**
   * Takes the rows, all that there are or `limit`. Without effect where something that could have changed them happened
   * meanwhile: whoever still needs them asks again. Throws `BadStateError` for a row that is none.
   */
  complete(rows: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[]): void
}

/** An entry that was removed by the system, not by a client: what makes a later miss legal (time.md, eviction). */
export interface Removal {
  /** `expired`: its deadline had come. `evicted`: the shard's leader chose it to make room. */
  readonly cause: 'expired' | 'evicted'
  /** The epoch of the key's slot. */
  readonly slotEpoch: number
  /** Of the removal. */
  readonly version: number
  /** Of the entry that went, with its deadline in ms of the log clock; 0 = none. */
  readonly removedVersion: number
  readonly deadline: number
  readonly key: Uint8Array
}

export interface RowChange extends RowKey {
  /** null deletes. */
  readonly value: Uint8Array | null
}

/** What a checkpoint takes: rows changed since the last one and the head that belongs to them. */
export interface Frozen {
  readonly appliedIndex: number
  readonly appliedTerm: number
  /** Clock, lastVersion, hashes, counters: encoded, versioned. */
  readonly machine: Uint8Array
  readonly changes: Iterable<RowChange>
  readonly changeCount: number
}

/**
 * Replicated state of one group: deterministic, synchronous, knows no disk. The host drives it, one entry at a time:
 * `prefetch` -> (reads those rows from the store) -> `apply`; where `scan` is set behind a `prefetch`, that scan and the
 * `prefetch` once more. Implemented by shards and by the meta group.
 */
export interface ReplicatedState {
  readonly appliedIndex: number
  readonly appliedTerm: number
  /** The log clock, ms (time.md). */
  readonly clock: number
  readonly lastVersion: number
  /**
   * Rows that `apply` of this entry needs and that memory does not hold, without repetition. Changes no state; the payload must
   * stay as it is until `apply`.
   */
  prefetch(entry: AppliedEntry): readonly RowKey[]
  /** What the newest `prefetch` needs before it can say which rows; null almost always. */
  readonly scan: RowScan | null
  /**
   * Applies the entry after `appliedIndex`. `rows` are the values of `prefetch`'s keys in order (undefined = no row).
   * Returns, for each section of the payload in order, the answers to its commands in order. Total: a bad command is a
   * verdict; what is thrown is a broken invariant and stops this replica, never the node.
   */
  apply(entry: AppliedEntry, rows: readonly (Uint8Array | undefined)[]): readonly (readonly Answer[])[]
  /** Freezes the overlay for a checkpoint. At most one is frozen; it stays readable until `release`. */
  freeze(): Frozen
  /** The frozen overlay is durable in the store: forget it (its rows may stay hot). */
  release(): void
  /** Hex digest of the state at `appliedIndex`: equal on all replicas (rule 21). */
  stateHash(): string
}
