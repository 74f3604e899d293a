export { BadStateError } from './bad-state-error.ts'
export { BrokenInvariantError } from './assert.ts'
export { ENTRY_OVERHEAD_BYTES } from './entry.ts'
export type { ColdScan } from './cold-cursor.ts'
export { type KeySeed, keySeedOf } from './key-hash.ts'
export type {
  AppliedEntry,
  Frozen,
  Removal,
  ReplicatedState,
  RowChange,
  RowKey,
  RowScan,
} from './replicated-state.ts'
export { rowKind } from './row-kind.ts'
export { createScrub, type Scrub } from './scrub.ts'
export type { ReadStep, ReadTicket } from './shard-read.ts'
export {
  type CheckpointRow,
  createShardState,
  restoreShardState,
  type ShardCheckpoint,
  type ShardCounts,
  type ShardState,
  type ShardStateOptions,
  type ShardStats,
} from './shard-state.ts'
