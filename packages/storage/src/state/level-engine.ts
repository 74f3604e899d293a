// LevelDB as the engine of the state store. The only file that knows `level`; LevelDB does its own I/O, so that its
// directory is synced here through node:fs and not through the Disk port.
import { Level } from 'level'
import { existsSync } from 'node:fs'
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers'
import { StorageRefusedError } from '../log/log.ts'
import { liveTables } from './level-manifest.ts'
import { tableDamage } from './level-table.ts'
import { ReadLimit } from './read-limit.ts'
import { type RawRow, type RowBatch, type RowEngine, type RowView, UnreadableRowError } from './row-engine.ts'

export interface LevelEngineOptions {
  /** LevelDB's write buffer, held twice in memory. Default 16 MiB. */
  readonly writeBufferBytes?: number
  /** LevelDB's block cache. Default 32 MiB. */
  readonly cacheBytes?: number
}

/** Few and large enough that a compaction is rare, small enough that its replay at start stays below a second. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024
const CACHE_BYTES = 32 * 1024 * 1024
/** What one read of a view brings at most: it is copied and checked within one turn of the event loop. */
const VIEW_READ_BYTES = 64 * 1024
/** Of libuv's threads, which the log's sync shares (storage.md, the machine around it). */
const READS_IN_FLIGHT_MAX = 4
const TABLE_NAME = /\.(?:ldb|sst)$/

/** The part of ClassicLevel 3 in use; the types of `level` lack explicit snapshots and views of the bytes. */
interface LevelDatabase {
  open(): Promise<void>
  close(): Promise<void>
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  batch(): LevelBatch
  snapshot(): LevelSnapshot
  iterator(options: {
    gte: Uint8Array
    lt: Uint8Array
    snapshot: LevelSnapshot
    highWaterMarkBytes: number
    fillCache: boolean
  }): LevelIterator
}

interface LevelBatch {
  put(key: Uint8Array, value: Uint8Array): unknown
  del(key: Uint8Array): unknown
  write(options: { sync: true }): Promise<void>
  close(): Promise<void>
}

interface LevelSnapshot {
  close(): Promise<void>
}

interface LevelIterator {
  nextv(size: number): Promise<RawRow[]>
  seek(key: Uint8Array): void
  close(): Promise<void>
}

/** Opens or creates the database. Throws `StorageRefusedError` (`IN_USE`, `DAMAGED`, `READ_ONLY`, `NO_SPACE`). */
export async function openLevelEngine(
  directory: string,
  options: LevelEngineOptions = {},
): Promise<RowEngine> {
  if (existsSync(directory)) await refuseDamaged(directory)
  const database = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
    writeBufferSize: options.writeBufferBytes ?? WRITE_BUFFER_BYTES,
    cacheSize: options.cacheBytes ?? CACHE_BYTES,
  }) as unknown as LevelDatabase
  try {
    await database.open()
  } catch (error) {
    throw refusal(directory, error)
  }
  try {
    // What opening wrote (a new manifest, the tables of the replayed log) must not vanish with a power loss.
    await syncDirectory(directory)
  } catch (error) {
    await database.close()
    throw error
  }
  return new LevelEngine(directory, database)
}

class LevelEngine implements RowEngine {
  readonly #directory: string
  readonly #database: LevelDatabase
  readonly #reads: ReadLimit = new ReadLimit(READS_IN_FLIGHT_MAX)

  constructor(directory: string, database: LevelDatabase) {
    this.#directory = directory
    this.#database = database
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#reads.run(() => trusting(this.#database.getMany(keys)))
  }

  newBatch(): RowBatch {
    const batch = this.#database.batch()
    return {
      put: (key, value) => {
        batch.put(key, value)
      },
      del: (key) => {
        batch.del(key)
      },
      write: async () => {
        await batch.write({ sync: true })
        // The batch may stand in a log file whose name is not on disk yet.
        await syncDirectory(this.#directory)
      },
      discard: () => batch.close(),
    }
  }

  openView(from: Uint8Array, to: Uint8Array): RowView {
    const snapshot = this.#database.snapshot()
    const iterator = this.#database.iterator({
      gte: from,
      lt: to,
      snapshot,
      highWaterMarkBytes: VIEW_READ_BYTES,
      fillCache: false,
    })
    return {
      next: (rowsMax) => this.#reads.run(() => trusting(iterator.nextv(rowsMax))),
      seek: (key) => iterator.seek(key),
      close: async () => {
        await iterator.close()
        await snapshot.close()
      },
    }
  }

  verifyFiles(): Promise<string | null> {
    return this.#reads.run(() => verifyTables(this.#directory))
  }

  endOfTurn(): Promise<void> {
    return endOfTurn()
  }

  close(): Promise<void> {
    return this.#database.close()
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** Tells what LevelDB itself found damaged from what makes it unusable. */
async function trusting<Result>(read: Promise<Result>): Promise<Result> {
  try {
    return await read
  } catch (error) {
    if (errorCode(error) !== 'LEVEL_CORRUPTION') throw error
    throw new UnreadableRowError(`LevelDB: ${String(error)}`, { cause: error })
  }
}

/** Checks the tables that the manifest names; null also where there is no database yet. */
async function verifyTables(directory: string): Promise<string | null> {
  const current = await readPresent(join(directory, 'CURRENT'))
  const manifest = current && (await readPresent(join(directory, current.toString('utf8').trimEnd())))
  if (!manifest) return null
  for (const table of liveTables(manifest)) {
    const name = String(table).padStart(6, '0')
    const file =
      (await readPresent(join(directory, `${name}.ldb`))) ??
      (await readPresent(join(directory, `${name}.sst`)))
    const damage = file && (await tableDamage(file, endOfTurn))
    if (damage !== null) return `table ${name}: ${damage}`
  }
  return null
}

/** Null where it is missing: removed by a compaction meanwhile, or for LevelDB to complain of. */
async function readPresent(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (['ENOENT', 'EISDIR', 'ENOTDIR', 'ERR_INVALID_ARG_VALUE'].includes(String(errorCode(error))))
      return null
    throw error
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Looks at the files before LevelDB does. Without its CURRENT file it takes a directory for a new one and begins with
 * nothing; and a flipped byte in a table can end the process by an assertion in C++, at every start anew.
 */
async function refuseDamaged(directory: string): Promise<void> {
  const names = await readdir(directory)
  if (!names.includes('CURRENT') && names.some((name) => TABLE_NAME.test(name) || name.endsWith('.log'))) {
    throw new StorageRefusedError('DAMAGED', `${directory} holds tables or logs but no CURRENT file`)
  }
  const damage = await verifyTables(directory)
  if (damage !== null) throw new StorageRefusedError('DAMAGED', `${directory}: ${damage}`)
}

function refusal(directory: string, error: unknown): StorageRefusedError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const message = `the state store in ${directory} cannot be opened: ${String(cause)}`
  const options: ErrorOptions = { cause }
  switch (errorCode(cause)) {
    case 'LEVEL_LOCKED':
      return new StorageRefusedError('IN_USE', message, options)
    case 'EROFS':
    case 'EACCES':
      return new StorageRefusedError('READ_ONLY', message, options)
    case 'ENOSPC':
      return new StorageRefusedError('NO_SPACE', message, options)
    default:
      if (/no space left/i.test(message)) return new StorageRefusedError('NO_SPACE', message, options)
      if (/read-only file system|permission denied/i.test(message))
        return new StorageRefusedError('READ_ONLY', message, options)
      return new StorageRefusedError('DAMAGED', message, options)
  }
}

function errorCode(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
}
