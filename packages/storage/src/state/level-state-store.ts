// The state store of a real node: the checked rows over LevelDB.
import { openCheckedStateStore } from './checked-state-store.ts'
import { type LevelEngineOptions, openLevelEngine } from './level-engine.ts'
import type { OpenStateStore, StateStore } from './state-store.ts'

export type LevelStateStoreOptions = LevelEngineOptions

/** An `OpenStateStore` with other buffers than the defaults (write buffer 16 MiB, block cache 32 MiB). */
export function createLevelStateStore(options: LevelStateStoreOptions = {}): OpenStateStore {
  return (directory, dirId) => openLevelStateStore(directory, dirId, options)
}

/**
 * Opens or creates the LevelDB in `directory`. Rejects with `StorageRefusedError`: `IN_USE` (another process has it),
 * `WRONG_IDS` (another data directory's), `NEWER_FORMAT`, `DAMAGED` (LevelDB or the identity cannot be read),
 * `READ_ONLY`, `NO_SPACE`. What is damaged beyond that is told by the store's `damage` and `damagedGroups`.
 */
export async function openLevelStateStore(
  directory: string,
  dirId: string,
  options: LevelStateStoreOptions = {},
): Promise<StateStore> {
  const engine = await openLevelEngine(directory, options)
  try {
    return await openCheckedStateStore(engine, dirId)
  } catch (error) {
    await engine.close()
    throw error
  }
}
