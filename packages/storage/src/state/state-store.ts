import type { Configuration } from '@quorate/raft'
import type { LogPosition } from '../log/log.ts'

/** A row of replicated state. `kind` is the state machine's (1..250); `slot` 0..16383 or 0 where it has none. */
export interface StateRow {
  readonly kind: number
  readonly slot: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A row to be written; a null value deletes. */
export interface StateChange {
  readonly kind: number
  readonly slot: number
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/** What a checkpoint says of one replica besides its rows. All of it changes in the same atomic batch as the rows. */
export interface ReplicaHead {
  readonly group: number
  readonly incarnation: number
  /** Which generation of rows is valid. Flipping it is how a snapshot becomes visible. */
  readonly generation: number
  readonly appliedIndex: number
  readonly appliedTerm: number
  readonly configuration: Configuration
  readonly configurationIndex: number
  /** The state machine's own head (clock, lastVersion, hashes), opaque here. */
  readonly machine: Uint8Array
}

export interface ReplicaCheckpoint {
  readonly head: ReplicaHead
  /** Consumed in slices while the batch is built; must not change meanwhile. */
  readonly changes: Iterable<StateChange>
}

/**
 * The state of all replicas of a node: one LevelDB. Every row carries a checksum over generation, key and value, checked
 * on every read; a bad one rejects with `DamagedRowError`. Any write that fails rejects with `StoreFailedError`, after
 * which the store accepts nothing: the node halts.
 */
export interface StateStore {
  readonly dirId: string
  /** Number of the newest checkpoint, 0 if none, and the log position that it named. */
  readonly checkpointNumber: number
  readonly checkpointPosition: LogPosition
  /**
   * Why the whole store is not to be believed, as found when it was opened (a gap in its checkpoints or batches, a lost
   * head); null if all is well. A damaged store is readable and refuses every write.
   */
  readonly damage: string | null
  /** Groups, ascending, whose head or rows failed a checksum so far: `heads` leaves out those without a readable head. */
  readonly damagedGroups: readonly number[]
  /** Heads of the newest checkpoint of each replica. */
  heads(): Promise<readonly ReplicaHead[]>
  /** Values in the order of the keys; undefined where there is no row. */
  getMany(
    group: number,
    generation: number,
    keys: readonly Pick<StateRow, 'kind' | 'slot' | 'key'>[],
  ): Promise<(Uint8Array | undefined)[]>
  /** The first `limit` rows of one kind and slot at or above `key`, in key order, as they stand at this call. */
  scan(
    group: number,
    generation: number,
    from: Pick<StateRow, 'kind' | 'slot' | 'key'> & { readonly limit: number },
  ): Promise<readonly StateRow[]>
  /** Writes all changes and heads as one atomic synced batch and resolves with its number. At most one at a time. */
  checkpoint(replicas: readonly ReplicaCheckpoint[], position: LogPosition): Promise<number>
  /** A frozen view of one generation, in (kind, slot, key) order; unaffected by later writes. */
  openSnapshot(group: number, generation: number): StateSnapshot
  /** A generation number never used before in this directory, synced before it is returned. */
  nextGeneration(): Promise<number>
  /** Writes rows of a generation that no head names yet (snapshot install), synced. */
  stage(group: number, generation: number, rows: readonly StateRow[]): Promise<void>
  /** Deletes every row of a generation that no head names (left-overs of an install, a removed replica), in slices. */
  dropGeneration(group: number, generation: number): Promise<void>
  /** Generations with rows that no head names: residue of a crash. */
  strayGenerations(): Promise<readonly { readonly group: number; readonly generation: number }[]>
  /** Removes a replica's head (and so its visibility) in a checkpoint of its own; its rows become stray. */
  forget(group: number, position: LogPosition): Promise<void>
  /**
   * For the scrubber: reads the store's files, one at a time, and checks them by LevelDB's own checksums. A flipped byte
   * in a table can hide a row or bring an older one back, which no row checksum shows. What is bad in words, or null.
   */
  verifyFiles(): Promise<string | null>
  close(): Promise<void>
}

export interface StateSnapshot {
  /** The next rows, about `maxBytes` of them and at least one; empty at the end. */
  next(maxBytes: number): Promise<readonly StateRow[]>
  close(): Promise<void>
}

export type OpenStateStore = (directory: string, dirId: string) => Promise<StateStore>

export class DamagedRowError extends Error {
  override readonly name = 'DamagedRowError'
  readonly group: number
  constructor(group: number, message: string) {
    super(message)
    this.group = group
  }
}

export class StoreFailedError extends Error {
  override readonly name = 'StoreFailedError'
}
