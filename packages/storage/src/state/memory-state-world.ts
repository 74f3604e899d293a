// The disks of simulated nodes as their state stores see them: outlives every crash, has LevelDB's faults.
import type { Random, Timers } from '@quorate/runtime'
import { StorageRefusedError } from '../log/log.ts'
import { openCheckedStateStore } from './checked-state-store.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { MemoryEngine } from './memory-engine.ts'
import type { RawRow } from './row-engine.ts'
import type { OpenStateStore } from './state-store.ts'

export interface MemoryStateWorldOptions {
  readonly timers: Timers
  readonly random: Random
  /** What an operation takes, ms, drawn uniformly. Default 0.05 to 1. */
  readonly latency?: MemoryLatency
}

export interface MemoryLatency {
  readonly minMs: number
  readonly maxMs: number
}

/** A world with any number of directories. Everything it does follows from `timers` and `random`. */
export interface MemoryStateWorld {
  /** Same checks and errors as `openLevelStateStore`; `IN_USE` while a store is open and its process lives. */
  readonly open: OpenStateStore
  /**
   * The process that has `directory` open (default: every process) is killed; with `powerLoss` its machine goes dark too.
   * Its promises never settle. Batches that were answered survive; one under way is there or not, as a whole.
   */
  crash(options: { readonly powerLoss: boolean; readonly directory?: string }): void
  /** The next batch is written and read as usual, but the next start does not find it: a hole. */
  skipNextBatch(directory: string): void
  /** The nth write from now (1 is the next) fails with EIO; it may or may not be found later. */
  failWrite(directory: string, nth: number): void
  /** Flips one random bit in one random row, among those whose key passes `match`. False if there is none. */
  flipBit(directory: string, match?: (key: Uint8Array) => boolean): boolean
  setLatency(latency: MemoryLatency): void
  /** The directory is lost, as with a replaced disk. */
  erase(directory: string): void
  /** Keys and sealed values as they are stored, in order. */
  rows(directory: string): readonly RawRow[]
  /** Writes a stored row past all checks; null removes it. */
  tamper(directory: string, key: Uint8Array, sealed: Uint8Array | null): void
}

const DEFAULT_LATENCY: MemoryLatency = { minMs: 0.05, maxMs: 1 }

export function createMemoryStateWorld(options: MemoryStateWorldOptions): MemoryStateWorld {
  const { timers, random } = options
  let latency = options.latency ?? DEFAULT_LATENCY
  const directories = new Map<string, MemoryDirectory>()
  const at = (name: string): MemoryDirectory => {
    const directory = directories.get(name) ?? new MemoryDirectory()
    directories.set(name, directory)
    return directory
  }
  const open: OpenStateStore = async (name, dirId) => {
    const directory = at(name)
    if (directory.locked)
      throw new StorageRefusedError('IN_USE', `the state store in ${name} is open already`)
    directory.locked = true
    directory.restart()
    const engine = new MemoryEngine(directory, { timers, random, latency: () => latency })
    try {
      return await openCheckedStateStore(engine, dirId)
    } catch (error) {
      await engine.close()
      throw error
    }
  }
  return {
    open,
    crash: ({ powerLoss, directory }) => {
      const hit = directory === undefined ? [...directories.values()] : [at(directory)]
      for (const each of hit) each.crash(powerLoss, () => random.next() < 0.5)
    },
    skipNextBatch: (name) => {
      at(name).skipNextBatch = true
    },
    failWrite: (name, nth) => {
      at(name).failWriteIn = nth
    },
    flipBit: (name, match = () => true) => {
      const candidates = at(name)
        .all()
        .filter(([key]) => match(key))
      const chosen = candidates[Math.floor(random.next() * candidates.length)]
      if (chosen === undefined) return false
      return at(name).flipBit(chosen[0], Math.floor(random.next() * chosen[1].length * 8))
    },
    setLatency: (next) => {
      latency = next
    },
    erase: (name) => {
      at(name).crash(true, () => false)
      directories.delete(name)
    },
    rows: (name) => at(name).all(),
    tamper: (name, key, sealed) => {
      if (sealed === null) at(name).rows.delete(key)
      else at(name).rows.set(key, new Uint8Array(sealed))
    },
  }
}
