// Numbered rows that make a hole visible. LevelDB opens cleanly over a damaged batch in the middle of its log; but each
// batch writes one numbered row here, and numbers without a gap mean that no batch is missing below the newest.
import { rowPlace, readUint64, SYSTEM_KIND, systemKey, systemRange, writeUint53 } from './row-key.ts'
import type { RowBatch, RowEngine } from './row-engine.ts'
import { sealValue, unsealValue } from './row-seal.ts'

/** Rows kept per chain: number n stands in the row n mod this. More than LevelDB ever holds unsorted in its logs. */
export const CHAIN_ROWS = 65_536

const READ_ROWS = 1_000
const NUMBER_BYTES = 8

/** The row of one batch, of whatever purpose: all counters of the store, as they are once the batch is down. */
export interface WriteRow {
  readonly writeNumber: number
  readonly checkpointNumber: number
  readonly lastGeneration: number
  readonly headCount: number
}

/** The row of one checkpoint: its number and the log position that it names. */
export interface CheckpointRow {
  readonly checkpointNumber: number
  readonly position: number
}

interface Chain {
  /** The numbers of the newest row; null where the chain is empty. */
  readonly newest: readonly number[] | null
  readonly damage: string | null
}

export function putWriteRow(batch: RowBatch, row: WriteRow): void {
  const { writeNumber, checkpointNumber, lastGeneration, headCount } = row
  putNumbers(batch, SYSTEM_KIND.write, [writeNumber, checkpointNumber, lastGeneration, headCount])
}

export function putCheckpointRow(batch: RowBatch, row: CheckpointRow): void {
  putNumbers(batch, SYSTEM_KIND.checkpoint, [row.checkpointNumber, row.position])
}

/** Reads both chains. `damage` says in words what is missing, null if nothing is. */
export async function readChains(
  engine: RowEngine,
): Promise<{ write: WriteRow; checkpoint: CheckpointRow; damage: string | null }> {
  const writes = await readChain(engine, SYSTEM_KIND.write, 4)
  const checkpoints = await readChain(engine, SYSTEM_KIND.checkpoint, 2)
  const [writeNumber = 0, named = 0, lastGeneration = 0, headCount = 0] = writes.newest ?? []
  const [checkpointNumber = 0, position = 0] = checkpoints.newest ?? []
  const damage =
    writes.damage ??
    checkpoints.damage ??
    (writes.newest === null ? 'no batch has its row' : null) ??
    (named === checkpointNumber
      ? null
      : `batch ${writeNumber} names checkpoint ${named}, the newest is ${checkpointNumber}`)
  return {
    write: { writeNumber, checkpointNumber: named, lastGeneration, headCount },
    checkpoint: { checkpointNumber, position },
    damage,
  }
}

function putNumbers(batch: RowBatch, kind: number, numbers: readonly number[]): void {
  const [number = 0] = numbers
  const key = systemKey(kind, number % CHAIN_ROWS)
  const value = Buffer.allocUnsafe(numbers.length * NUMBER_BYTES)
  numbers.forEach((each, at) => writeUint53(value, each, at * NUMBER_BYTES))
  batch.put(key, sealValue(key, value))
}

async function readChain(engine: RowEngine, kind: number, width: number): Promise<Chain> {
  const name = kind === SYSTEM_KIND.write ? 'batch' : 'checkpoint'
  const { from, to } = systemRange(kind)
  const view = engine.openView(from, to)
  const found: number[] = []
  let newest: readonly number[] | null = null
  try {
    for (let rows = await view.next(READ_ROWS); rows.length > 0; rows = await view.next(READ_ROWS)) {
      for (const [key, sealed] of rows) {
        const numbers = readNumbers(key, sealed, width)
        if (numbers === null) return { newest, damage: `a row of the ${name} numbers fails its checksum` }
        const [number = 0] = numbers
        found.push(number)
        if (number > (newest?.[0] ?? 0)) newest = numbers
      }
    }
  } finally {
    await view.close()
  }
  return { newest, damage: gap(found, newest?.[0] ?? 0, name) }
}

/** Each row stands where its number says (checked), so that the right count of recent enough numbers has no gap. */
function gap(found: readonly number[], newest: number, name: string): string | null {
  const expected = Math.min(newest, CHAIN_ROWS)
  const stale = found.find((number) => number <= newest - CHAIN_ROWS)
  if (stale !== undefined) return `${name} ${stale + CHAIN_ROWS} is missing below ${newest}`
  if (found.length === expected) return null
  const present = new Set(found)
  let missing = newest
  while (present.has(missing)) missing -= 1
  return `${name} ${missing} is missing below ${newest}`
}

function readNumbers(key: Uint8Array, sealed: Uint8Array, width: number): number[] | null {
  const value = unsealValue(key, sealed)
  if (value === null || value.length !== width * NUMBER_BYTES) return null
  const bytes = Buffer.from(value)
  const numbers = Array.from({ length: width }, (_, at) => readUint64(bytes, at * NUMBER_BYTES))
  const [number = 0] = numbers
  if (number === 0 || !numbers.every(Number.isSafeInteger)) return null
  return rowPlace(key)?.slot === number % CHAIN_ROWS ? numbers : null
}
