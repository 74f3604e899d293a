// When a replica is over, and how it goes: silent, then its record, then its rows (shards.md, identity).
import type { MapGroup, ShardMap } from '@quorate/protocol'
import type { Configuration } from '@quorate/raft'
import { DamagedRowError, type Storage } from '@quorate/storage'
import type { Checkpointer } from '../checkpointer.ts'
import type { ReplicaHost } from './host.ts'
import type { Replica } from './replica.ts'

/**
 * True if the map, however old, was made after the incarnation was minted and has it in no group: meta drops one only
 * when its group's log has excluded it, and never takes it back.
 */
export function isOver(map: ShardMap, group: MapGroup | undefined, incarnation: number): boolean {
  if (incarnation >= map.nextIncarnation) return false
  return group?.replicas.every((one) => one.incarnation !== incarnation) ?? true
}

export function isMember({ voters, outgoing, learners }: Configuration, incarnation: number): boolean {
  return voters.includes(incarnation) || outgoing.includes(incarnation) || learners.includes(incarnation)
}

/** Neither in the newest configuration nor in the committed one, which has somebody. */
export function provesExclusion({ raft, appliedConfiguration }: Replica, incarnation: number): boolean {
  if (appliedConfiguration.voters.length === 0) return false
  return !isMember(raft.configuration, incarnation) && !isMember(appliedConfiguration, incarnation)
}

interface RemovalParts {
  readonly host: ReplicaHost
  readonly storage: Storage
  readonly checkpointer: Checkpointer
}

interface Removed {
  readonly group: number
  /** null: its record is in the log already. */
  readonly incarnation: number | null
  /** Of its rows, once nothing installs others any more; null where it never had any. */
  readonly generation: () => number | null
}

/** Alone with the store, so that no checkpoint or install of the group writes behind the record. Rejects where a store fails. */
export async function removeReplica(parts: RemovalParts, removed: Removed): Promise<void> {
  const { host, storage, checkpointer } = parts
  const { group, incarnation } = removed
  let generation: number | null = null
  await checkpointer.exclusively(async () => {
    if (incarnation !== null) await host.whenSynced(host.append({ kind: 'removed', group, incarnation }))
    checkpointer.forget(group)
    generation = removed.generation()
    if (generation !== null && storage.store.damage === null)
      await storage.store.forget(group, storage.log.syncedPosition)
  })
  if (generation === null || storage.store.damage !== null) return
  try {
    await storage.store.dropGeneration(group, generation)
  } catch (error) {
    if (!(error instanceof DamagedRowError)) throw error
    // Nobody reads them any more; the next boot tries again.
    host.event({ code: 'stray_rows_damaged', group, reason: error.message })
  }
}
