// A data directory that was opened: what the node holds of it until it closes it.
import type { Disk, DiskLock } from '@quorate/runtime'
import type { NodeFileWriter } from './identity.ts'
import { type RecoveredReplica, StorageRefusedError } from './log/log.ts'
import { describeReplica, type RecoveredLog } from './log/recover.ts'
import type { SegmentedLog } from './log/write-ahead-log.ts'
import { readSmallFile, replaceFile, sealFile, smallFilePath, unsealFile } from './small-file.ts'
import type { Space } from './space.ts'
import type { ReplicaHead, StateStore } from './state/state-store.ts'
import type { DirectoryIdentity, Storage } from './storage.ts'

export interface OpenedParts {
  readonly disk: Disk
  readonly directory: string
  readonly lock: DiskLock
  readonly nodeFile: NodeFileWriter
  readonly store: StateStore
  readonly log: SegmentedLog
  readonly recovered: RecoveredLog
  readonly heads: readonly ReplicaHead[]
  readonly space: Space
}

export function openedStorage(parts: OpenedParts): Storage {
  const { disk, directory, lock, nodeFile, store, log, recovered, heads, space } = parts
  const { dirId } = nodeFile.content
  let lastWrite: Promise<void> = Promise.resolve()
  return {
    get identity(): DirectoryIdentity {
      const { format, clusterId, name, boot } = nodeFile.content
      return { format, dirId, clusterId, name, boot }
    },
    log,
    store,
    replicas: recovered.table.all().map((replica) => withHead(describeReplica(replica), heads)),
    recoveredPosition: recovered.readUpTo,
    damage: recovered.table.nodeDamage,
    adoptCluster: async (clusterId) => {
      const known = nodeFile.content.clusterId
      if (known !== null && known !== clusterId) {
        throw new StorageRefusedError('WRONG_IDS', `this directory belongs to cluster ${known}`)
      }
      if (known === null) await nodeFile.change({ clusterId })
    },
    writeFile: (name, bytes) => {
      const file = smallFilePath(directory, name)
      const sealed = sealFile(bytes, dirId)
      // One after another: two at once would share a temporary file.
      const done = lastWrite.then(() => replaceFile(disk, file, sealed))
      lastWrite = done.catch(() => {})
      return done
    },
    readFile: (name) => unsealFile(readSmallFile(disk, smallFilePath(directory, name)), name, dirId),
    get lowOnSpace(): boolean {
      return space.isLow
    },
    close: async () => {
      await lastWrite
      await log.close()
      await nodeFile.settled()
      await store.close()
      lock.release()
    },
  }
}

function withHead(
  log: RecoveredReplica,
  heads: readonly ReplicaHead[],
): { log: RecoveredReplica; head: ReplicaHead | null } {
  const isTheirs = (head: ReplicaHead): boolean =>
    head.group === log.group && head.incarnation === log.incarnation
  return { log, head: heads.find(isTheirs) ?? null }
}
