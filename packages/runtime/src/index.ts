export type { Clock } from './clock.ts'
export { type Disk, DiskError, type DiskFile, type DiskLock } from './disk.ts'
export {
  type BoundaryHook,
  type CrashOptions,
  createMemoryDisk,
  type DiskOperation,
  type MemoryDisk,
  type MemoryDiskOptions,
} from './memory/memory-disk.ts'
export {
  type Connection,
  type ConnectionHandlers,
  type Listener,
  type Network,
  NetworkError,
} from './network.ts'
export type { Random } from './random.ts'
export { createRealDisk } from './real/disk.ts'
export { createRealRuntime, type RealRuntimeOptions } from './real/runtime.ts'
export type { Runtime } from './runtime.ts'
export { createSeededRandom } from './seeded-random.ts'
export type { Timer, Timers } from './timers.ts'
