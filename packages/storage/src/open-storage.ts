// Opens a data directory: storage.md, recovery. What cannot be believed is refused or condemned, never shortened.
import path from 'node:path'
import { type Disk, DiskError, type DiskLock } from '@quorate/runtime'
import { checkAgainstStore } from './check-stores.ts'
import { type NodeFile, NodeFileWriter, readNodeFile } from './identity.ts'
import { seedOf } from './log/checksum.ts'
import { SEGMENT_BYTES, SEGMENT_BYTES_MIN } from './log/limits.ts'
import { StorageRefusedError } from './log/log.ts'
import { recoverLog, type RecoveredLog } from './log/recover.ts'
import { listSegments } from './log/segment-files.ts'
import { startLog } from './log/start-log.ts'
import type { SegmentedLog } from './log/write-ahead-log.ts'
import { openedStorage } from './opened-storage.ts'
import { Space } from './space.ts'
import type { StateStore } from './state/state-store.ts'
import type { Storage, StorageOptions } from './storage.ts'

const DIR_ID_BYTES = 16

/**
 * Locks and opens a data directory, or makes a new one. Everything in the result is durable: it may be acted on at once.
 * Rejects with `StorageRefusedError` (or the error of the disk) and leaves nothing open; what the log or the store lost
 * short of that is told by condemned replicas and `damage`.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
  if (!Number.isSafeInteger(segmentBytes) || segmentBytes < SEGMENT_BYTES_MIN) {
    throw new RangeError(`segmentBytes is an integer of at least ${SEGMENT_BYTES_MIN}, got ${segmentBytes}`)
  }
  const opened: Opened = { lock: null, store: null, log: null, recovered: null }
  try {
    return await open(options, segmentBytes, opened)
  } catch (error) {
    await opened.log?.close().catch(() => {})
    if (opened.log === null) closeFiles(opened.recovered)
    await opened.store?.close().catch(() => {})
    opened.lock?.release()
    throw asRefusal(error)
  }
}

/** What is to be closed if opening fails half-way. */
interface Opened {
  lock: DiskLock | null
  store: StateStore | null
  recovered: RecoveredLog | null
  log: SegmentedLog | null
}

async function open(options: StorageOptions, segmentBytes: number, opened: Opened): Promise<Storage> {
  const { disk, clock, timers, directory } = options
  disk.makeDirectory(directory)
  const space = new Space({ disk, clock, directory, segmentBytes })
  const lock = takeLock(disk, path.join(directory, 'lock'), space)
  opened.lock = lock
  space.makeRoom()
  const logDirectory = path.join(directory, 'log')
  const before = identityOf(options, logDirectory)
  const nodeFile = new NodeFileWriter(disk, path.join(directory, 'node.json'), before)
  // The boot number is used up before anything is said under it.
  await nodeFile.change({ boot: before.boot + 1 })
  const store = await openStore(options, before.dirId)
  opened.store = store
  disk.makeDirectory(logDirectory)
  await disk.syncDirectory(directory)

  const dirId = Buffer.from(before.dirId, 'hex')
  const claims = [before.logPosition, store.checkpointPosition]
  const recovered = recoverLog(disk, logDirectory, { dirId, seed: seedOf(dirId) }, claims)
  opened.recovered = recovered
  if (recovered.files.all.length === 0 && recovered.table.nodeDamage !== null) {
    throw new StorageRefusedError('DAMAGED', `the log is lost: ${recovered.table.nodeDamage}`)
  }
  const heads = await store.heads()
  checkAgainstStore(recovered, store, heads)

  const log = await startLog(recovered, {
    disk,
    clock,
    timers,
    directory: logDirectory,
    segmentBytes,
    retainBytes: options.retainBytes ?? 2 * segmentBytes,
    onSynced: options.onSynced,
    onFailure: options.onFailure,
    onSegment: (logPosition) => {
      nodeFile.change({ logPosition }).catch((error: unknown) => log.fail(asError(error)))
    },
    releaseSpace: () => space.release(),
  })
  opened.log = log
  await nodeFile.change({ logPosition: log.syncedPosition })
  await space.keepBallast()
  return openedStorage({ disk, directory, lock, nodeFile, store, log, recovered, heads, space })
}

/** The lock is a file too: on a full disk there is one only once the ballast is given back. */
function takeLock(disk: Disk, file: string, space: Space): DiskLock {
  try {
    return disk.lock(file)
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'ENOSPC' && space.release())) throw error
    return disk.lock(file)
  }
}

async function openStore({ openStateStore, directory }: StorageOptions, dirId: string): Promise<StateStore> {
  const store = await openStateStore(path.join(directory, 'state'), dirId)
  if (store.dirId === dirId) return store
  await store.close()
  throw new StorageRefusedError(
    'WRONG_IDS',
    `the state store belongs to directory ${store.dirId}, not ${dirId}`,
  )
}

/** The identity found, or a new one. Anything else in a directory without an identity is not ours to continue (A8). */
function identityOf({ disk, directory, name, random }: StorageOptions, logDirectory: string): NodeFile {
  const found = readNodeFile(disk, path.join(directory, 'node.json'))
  if (found !== null) {
    if (found.name === name) return found
    throw new StorageRefusedError('WRONG_IDS', `${directory} belongs to node ${found.name}, not ${name}`)
  }
  const hasLog = disk.exists(logDirectory) && listSegments(disk, logDirectory).length > 0
  if (hasLog || disk.exists(path.join(directory, 'state'))) {
    throw new StorageRefusedError('DAMAGED', `${directory} has data, but its node.json is gone`)
  }
  const dirId = Buffer.from(random.bytes(DIR_ID_BYTES)).toString('hex')
  return { format: 1, dirId, clusterId: null, name, boot: 0, logPosition: 0 }
}

function closeFiles(recovered: RecoveredLog | null): void {
  recovered?.files.closeAll()
  for (const { file } of recovered?.discarded ?? []) file.close()
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof DiskError)) return error
  if (error.code === 'LOCKED') return new StorageRefusedError('IN_USE', error.message, { cause: error })
  if (error.code === 'ENOSPC') return new StorageRefusedError('NO_SPACE', error.message, { cause: error })
  if (error.code === 'EROFS' || error.code === 'EACCES' || error.code === 'EPERM') {
    return new StorageRefusedError('READ_ONLY', error.message, { cause: error })
  }
  return error
}
