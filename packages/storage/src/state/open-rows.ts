// What is checked before a store is used: whose it is, that no batch is missing, that every head can be read.
import { StorageRefusedError } from '../log/log.ts'
import { decodeHead, MalformedHeadError, suspectGroup } from './head-row.ts'
import { type RowEngine, UnreadableRowError } from './row-engine.ts'
import {
  asBuffer,
  generationRange,
  KEY_PREFIX_BYTES,
  rowKey,
  rowPlace,
  SYSTEM_GROUP,
  SYSTEM_KIND,
  systemKey,
  systemRange,
} from './row-key.ts'
import { sealValue, unsealValue } from './row-seal.ts'
import type { ReplicaHead } from './state-store.ts'
import { type CheckpointRow, putWriteRow, readChains, type WriteRow } from './write-chain.ts'

/** Version of everything the store writes; a higher one on disk is refused. */
const FORMAT = 1
const FORMAT_KEY: Buffer = systemKey(SYSTEM_KIND.identity, 0)
const DIR_ID_KEY: Buffer = systemKey(SYSTEM_KIND.identity, 1)
const HEAD_ROWS = 256

/** The counters as the newest batch left them. */
export interface OpenedRows {
  readonly write: WriteRow
  readonly checkpoint: CheckpointRow
  readonly heads: ReadHeads
  /** Why nothing in this store is to be believed; null if all is well. */
  readonly damage: string | null
  /** Groups with a bad row among those that opening reads. */
  readonly damagedRows: ReadonlySet<number>
}

export interface ReadHeads {
  readonly heads: readonly ReplicaHead[]
  /** Groups whose head row cannot be believed. */
  readonly damaged: ReadonlySet<number>
  /** Groups by the keys of the rows, readable or not. */
  readonly groups: ReadonlySet<number>
  readonly rowCount: number
}

/** The first row of a generation, with its seal checked. */
export interface FirstRow {
  readonly group: number
  readonly generation: number
  readonly sound: boolean
}

export async function openRows(engine: RowEngine, dirId: string): Promise<OpenedRows> {
  try {
    await checkIdentity(engine, dirId)
    const { write, checkpoint, damage } = await readChains(engine)
    const heads = await readHeads(engine)
    const lost =
      heads.rowCount === write.headCount && heads.groups.size === heads.rowCount
        ? null
        : `${heads.rowCount} heads of ${heads.groups.size} groups where the newest batch left ${write.headCount}`
    const damagedRows = new Set<number>()
    const misplaced = await checkFirstRows(engine, heads, damagedRows)
    return { write, checkpoint, heads, damage: damage ?? lost ?? misplaced, damagedRows }
  } catch (error) {
    if (!(error instanceof UnreadableRowError)) throw error
    throw new StorageRefusedError('DAMAGED', `the state store cannot be read: ${error.message}`, {
      cause: error,
    })
  }
}

/** Reads every head. A bad row hits its replica; both the group of the key and that of the value are suspected. */
export async function readHeads(engine: RowEngine): Promise<ReadHeads> {
  const { from, to } = systemRange(SYSTEM_KIND.head)
  const view = engine.openView(from, to)
  const heads: ReplicaHead[] = []
  const damaged = new Set<number>()
  const groups = new Set<number>()
  let rowCount = 0
  try {
    for (let rows = await view.next(HEAD_ROWS); rows.length > 0; rows = await view.next(HEAD_ROWS)) {
      for (const [key, sealed] of rows) {
        rowCount += 1
        const group = headGroup(key)
        if (group !== null) groups.add(group)
        const head = readHead(key, sealed)
        if (head !== null && head.group === group) heads.push(head)
        else for (const suspect of [group, suspectGroup(sealed)]) if (suspect !== null) damaged.add(suspect)
      }
    }
  } finally {
    await view.close()
  }
  return { heads: heads.filter((head) => !damaged.has(head.group)), damaged, groups, rowCount }
}

export function headKey(group: number): Buffer {
  const key = Buffer.allocUnsafe(4)
  key.writeUInt32BE(group)
  return systemKey(SYSTEM_KIND.head, 0, key)
}

/** Every generation that has rows, found by seeking from one to the next. */
export async function readFirstRows(engine: RowEngine): Promise<FirstRow[]> {
  const view = engine.openView(generationRange(0, 0).from, generationRange(SYSTEM_GROUP, 0).from)
  const found: FirstRow[] = []
  try {
    for (;;) {
      const [row] = await view.next(1)
      if (row === undefined) return found
      const place = rowPlace(row[0])
      if (place === null || !Number.isSafeInteger(place.generation + 1)) {
        throw new UnreadableRowError('a key is no row')
      }
      const { group, generation } = place
      found.push({ group, generation, sound: unsealValue(row[0], row[1]) !== null })
      view.seek(rowKey(group, generation + 1, { kind: 0, slot: 0, key: new Uint8Array(0) }))
    }
  } finally {
    await view.close()
  }
}

async function checkFirstRows(
  engine: RowEngine,
  heads: ReadHeads,
  damagedRows: Set<number>,
): Promise<string | null> {
  const generations = new Map(heads.heads.map((head) => [head.group, head.generation]))
  for (const { group, generation, sound } of await readFirstRows(engine)) {
    if (sound || heads.damaged.has(group)) continue
    // A bad row in a generation that nobody names may be anybody's, with a flipped key.
    if (generations.get(group) !== generation)
      return `a bad row in generation ${generation} of group ${group}, which no head names`
    damagedRows.add(group)
  }
  return null
}

function readHead(key: Uint8Array, sealed: Uint8Array): ReplicaHead | null {
  const value = unsealValue(key, sealed)
  if (value === null) return null
  try {
    return decodeHead(value)
  } catch (error) {
    if (error instanceof MalformedHeadError) return null
    throw error
  }
}

function headGroup(key: Uint8Array): number | null {
  return key.length === KEY_PREFIX_BYTES + 4 ? asBuffer(key).readUInt32BE(KEY_PREFIX_BYTES) : null
}

async function checkIdentity(engine: RowEngine, dirId: string): Promise<void> {
  const [format, owner] = await engine.getMany([FORMAT_KEY, DIR_ID_KEY])
  if (format === undefined && owner === undefined && (await isEmpty(engine)))
    return writeIdentity(engine, dirId)
  const formatBytes = format && unsealValue(FORMAT_KEY, format)
  if (!formatBytes || formatBytes.length !== 4) {
    throw new StorageRefusedError('DAMAGED', 'the state store does not say which format it has')
  }
  const version = Buffer.from(formatBytes).readUInt32BE(0)
  if (version > FORMAT) {
    throw new StorageRefusedError(
      'NEWER_FORMAT',
      `the state store has format ${version}, this program knows ${FORMAT}`,
    )
  }
  const ownerBytes = owner && unsealValue(DIR_ID_KEY, owner)
  if (!ownerBytes) throw new StorageRefusedError('DAMAGED', 'the state store does not say whose it is')
  const found = Buffer.from(ownerBytes).toString('utf8')
  if (found !== dirId) {
    throw new StorageRefusedError('WRONG_IDS', `the state store belongs to directory ${found}, not ${dirId}`)
  }
}

async function writeIdentity(engine: RowEngine, dirId: string): Promise<void> {
  const format = Buffer.alloc(4)
  format.writeUInt32BE(FORMAT)
  const batch = engine.newBatch()
  batch.put(FORMAT_KEY, sealValue(FORMAT_KEY, format))
  batch.put(DIR_ID_KEY, sealValue(DIR_ID_KEY, Buffer.from(dirId, 'utf8')))
  putWriteRow(batch, { writeNumber: 1, checkpointNumber: 0, lastGeneration: 0, headCount: 0 })
  await batch.write()
}

async function isEmpty(engine: RowEngine): Promise<boolean> {
  const view = engine.openView(new Uint8Array(0), Buffer.alloc(16, 0xff))
  try {
    return (await view.next(1)).length === 0
  } finally {
    await view.close()
  }
}
