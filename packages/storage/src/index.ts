export { openStorage } from './open-storage.ts'
export {
  DamageError,
  type LogPosition,
  type LogStats,
  type RecoveredReplica,
  StorageRefusedError,
  type WriteAheadLog,
} from './log/log.ts'
export { durationBoundsMs, type Durations } from './log/duration-counts.ts'
export type { CompactionPoint, LogEntry, LogRecord, ReplicaKey } from './log/record.ts'
export {
  createLevelStateStore,
  type LevelStateStoreOptions,
  openLevelStateStore,
} from './state/level-state-store.ts'
export {
  createMemoryStateWorld,
  type MemoryLatency,
  type MemoryStateWorld,
  type MemoryStateWorldOptions,
} from './state/memory-state-world.ts'
export {
  DamagedRowError,
  type OpenStateStore,
  type ReplicaCheckpoint,
  type ReplicaHead,
  type StateChange,
  type StateRow,
  type StateSnapshot,
  type StateStore,
  StoreFailedError,
} from './state/state-store.ts'
export type { DirectoryIdentity, Storage, StorageOptions } from './storage.ts'
