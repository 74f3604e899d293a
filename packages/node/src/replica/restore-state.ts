// Builds a group's replicated state from its rows in the store; user entries stay there and are fetched when needed.
import { BadFrameError, META_GROUP } from '@quorate/protocol'
import {
  createShardState,
  type ReplicatedState,
  restoreShardState,
  rowKind,
  type ShardStateOptions,
} from '@quorate/state-machine'
import type { ReplicaHead, StateRow, StateStore } from '@quorate/storage'
import { MetaState } from '../meta/meta-state.ts'

const PAGE_BYTES = 1_048_576

/** `head` null: brand new. Rejects with `DamagedRowError`, `BadStateError` or `BadFrameError` where bytes are not believable. */
export async function restoreState(
  store: StateStore,
  group: number,
  clusterId: string,
  head: Pick<ReplicaHead, 'generation' | 'appliedIndex' | 'appliedTerm' | 'machine'> | null,
  options: ShardStateOptions,
): Promise<ReplicatedState> {
  const rows = head === null ? [] : await rowsBeforeEntries(store, group, head.generation)
  return stateFrom(group, clusterId, head, rows, options)
}

/** `head` null: brand new. Throws `BadStateError` or `BadFrameError` where head and rows do not belong together. */
export function stateFrom(
  group: number,
  clusterId: string,
  head: Pick<ReplicaHead, 'appliedIndex' | 'appliedTerm' | 'machine'> | null,
  rows: readonly StateRow[],
  options: ShardStateOptions,
): ReplicatedState {
  if (head === null)
    return group === META_GROUP ? MetaState.create(clusterId) : createShardState(group, options)
  if (group !== META_GROUP) return restoreShardState(group, { ...head, rows }, options)
  const [map] = rows
  if (map === undefined) throw new BadFrameError('the checkpoint of the meta group has no map')
  return MetaState.restore({ index: head.appliedIndex, term: head.appliedTerm }, head.machine, map.value)
}

/** Rows come in order of their kind: slots and sessions (or the map), then entries. */
export async function rowsBeforeEntries(
  store: StateStore,
  group: number,
  generation: number,
): Promise<StateRow[]> {
  const rows: StateRow[] = []
  const view = store.openSnapshot(group, generation)
  try {
    for (;;) {
      const page = await view.next(PAGE_BYTES)
      for (const row of page) {
        if (row.kind === rowKind.entry) return rows
        rows.push(row)
      }
      if (page.length === 0) return rows
    }
  } finally {
    await view.close()
  }
}
