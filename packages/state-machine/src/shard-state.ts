// What a shard replicates, as its host sees it.
import type { Victim } from '@quorate/protocol'
import type { ColdScan } from './cold-cursor.ts'
import type { KeySeed } from './key-hash.ts'
import type { ReadStep, ReadTicket } from './shard-read.ts'
import { ShardMachine } from './shard-machine.ts'
import type { Removal, ReplicatedState, RowScan } from './replicated-state.ts'

export interface ShardState extends ReplicatedState {
  readonly group: number
  readonly stats: ShardStats
  /** Encoded bytes of all stored answers: at `limits.storedAnswersBytesPerShard` the leader admits no more writes. */
  readonly storedAnswerBytes: number
  /** When the first entry expires, ms; null = none does; `unknown` = `lookAhead` has to be carried out. */
  readonly earliestDeadline: number | null | 'unknown'
  /** Reads from the store what tells `earliestDeadline`; null where it is known. */
  lookAhead(): RowScan | null
  /** What the newest `apply` removed by itself, in order. */
  readonly removals: readonly Removal[]
  /**
   * Since this object was made, which is no part of the replicated state: keys that reads found and did not find, entries that
   * `evict` and `sweep` removed.
   */
  readonly counts: Readonly<ShardCounts>
  /** Entries in memory to evict, worth about `bytes`, at most `count`; looks at a limited number, so that it may give fewer. */
  chooseVictims(bytes: number, count: number): readonly Victim[]
  /** What to read from the store to find entries that memory does not know: the next ones in (slot, key) order, round and round. */
  scanCold(): ColdScan | null
  /** Bytes of dirty entries, active and frozen: the host pauses apply at its limit. */
  readonly overlayBytes: number
  /**
   * Reads up to 1,000 keys at log time `t` (ms), in order. Answers at once, says which rows the store must give, or that
   * the log clock has to reach `t` first. Hit, miss (`entry`, `absent`) or refused `MOVED`, each with the position (slot
   * epoch, lastVersion, t), where `t` is never below the log clock: what it shows is what is not expired at that `t`.
   */
  beginRead(keys: readonly Uint8Array[], t: number): ReadStep
  /**
   * `rows` are the values of the step's rows in order (undefined = no row). Answers, or asks again where something that
   * could change the answers happened meanwhile (rule 27). Throws `BadStateError` for a row that is none.
   */
  completeRead(ticket: ReadTicket, rows: readonly (Uint8Array | undefined)[]): ReadStep
}

export interface ShardStats {
  /** Slots in state `owned`. */
  readonly slots: number
  readonly keys: number
  /** Key + value + ENTRY_OVERHEAD_BYTES, summed over the entries. */
  readonly bytes: number
  /** The part of `bytes` that was written with `evict: false`. */
  readonly pinnedBytes: number
  readonly sessions: number
}

export interface ShardCounts {
  hits: number
  misses: number
  evictions: number
  expiries: number
}

export interface ShardStateOptions {
  /** Clean entries kept in memory, bytes. Default 64 MiB. Has no influence on replicated state. */
  readonly hotBytesMax?: number
  /**
   * Secret of the process from which places of keys in memory follow. Default 0 and 0: whoever lets others choose keys gives
   * one at random. Has no influence on replicated state.
   */
  readonly keySeed?: KeySeed
  /** Deadlines kept at hand. Default 4096. Has no influence on replicated state. */
  readonly deadlineWindow?: number
}

/** What the newest checkpoint of a replica holds. */
export interface ShardCheckpoint {
  readonly appliedIndex: number
  readonly appliedTerm: number
  /** `Frozen.machine` as it was written. */
  readonly machine: Uint8Array
  /** All rows of kinds `ownership`, `slot` and `session`; entries and deadlines stay in the store. */
  readonly rows: Iterable<CheckpointRow>
}

export interface CheckpointRow {
  readonly kind: number
  readonly slot: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A shard to which nothing has been applied: no session, every slot `none`. */
export function createShardState(group: number, options: ShardStateOptions = {}): ShardState {
  return new ShardMachine(group, options)
}

/** The shard as a checkpoint left it. Throws `BadStateError` if head and rows are not what a freeze gave. */
export function restoreShardState(
  group: number,
  checkpoint: ShardCheckpoint,
  options: ShardStateOptions = {},
): ShardState {
  const machine = new ShardMachine(group, options)
  machine.restore(checkpoint)
  return machine
}
