// The state store's rules over any engine: what is checksummed, numbered, atomic and refused (storage.md, the state store).
import assert from 'node:assert/strict'
import type { LogPosition } from '../log/log.ts'
import { encodeHead } from './head-row.ts'
import { headKey, openRows, type OpenedRows, readFirstRows, readHeads } from './open-rows.ts'
import { type RawRow, type RowBatch, type RowEngine, UnreadableRowError } from './row-engine.ts'
import { generationRange, rowKey, SYSTEM_GROUP } from './row-key.ts'
import { sealValue, unsealValue } from './row-seal.ts'
import { RowSnapshot } from './row-snapshot.ts'
import {
  DamagedRowError,
  type ReplicaCheckpoint,
  type ReplicaHead,
  type StateChange,
  type StateRow,
  type StateSnapshot,
  type StateStore,
  StoreFailedError,
} from './state-store.ts'
import { putCheckpointRow, putWriteRow } from './write-chain.ts'

/** What one turn of the event loop puts into a batch: well under a millisecond (measured 2-3 us per small row). */
const SLICE_BYTES = 64 * 1024
/** What a row costs beside its bytes, in bytes that cost as much. */
const ROW_COST_BYTES = 192
const DROP_ROWS = 1_000
/** What one page of a scan brings. */
const SCAN_BYTES = 64 * 1024
/** Kinds of the state machine; the rest is the store's. */
const KIND_MAX = 250
const SLOT_MAX = 16_383

type RowName = Pick<StateRow, 'kind' | 'slot' | 'key'>

/** What a batch changes of the store's own numbers, once it is down. */
interface Commit {
  readonly position?: LogPosition
  readonly lastGeneration?: number
  readonly heads?: readonly ReplicaHead[]
  readonly forgotten?: number
}

/** Opens the store in `engine`, which the caller closes if this rejects. */
export async function openCheckedStateStore(engine: RowEngine, dirId: string): Promise<CheckedStateStore> {
  return new CheckedStateStore(engine, dirId, await openRows(engine, dirId))
}

export class CheckedStateStore implements StateStore {
  readonly dirId: string
  readonly damage: string | null
  checkpointNumber: number
  checkpointPosition: LogPosition
  readonly #engine: RowEngine
  #writeNumber: number
  #lastGeneration: number
  /** Generation that the newest head of each readable group names. */
  readonly #generations: Map<number, number>
  /** Groups that have a head row, readable or not. */
  readonly #headGroups: Set<number>
  readonly #damagedHeads: Set<number>
  readonly #damagedRows: Set<number>
  /** Batches go down one after another: their numbers must be in the order of their writes. */
  #lastWrite: Promise<void> = Promise.resolve()
  /** Generation of each group in the checkpoint under way; null while there is none. */
  #checkpointing: ReadonlyMap<number, number> | null = null
  /** Generations whose rows are being deleted, slice by slice: nobody may name or fill them meanwhile. */
  readonly #dropping: Set<string> = new Set()
  #failure: StoreFailedError | null = null
  #closed = false

  constructor(engine: RowEngine, dirId: string, opened: OpenedRows) {
    this.#engine = engine
    this.dirId = dirId
    this.damage = opened.damage
    this.checkpointNumber = opened.checkpoint.checkpointNumber
    this.checkpointPosition = opened.checkpoint.position
    this.#writeNumber = opened.write.writeNumber
    this.#lastGeneration = opened.write.lastGeneration
    this.#generations = new Map(opened.heads.heads.map((head) => [head.group, head.generation]))
    this.#headGroups = new Set(opened.heads.groups)
    this.#damagedHeads = new Set(opened.heads.damaged)
    this.#damagedRows = new Set(opened.damagedRows)
  }

  get damagedGroups(): readonly number[] {
    return [...new Set([...this.#damagedHeads, ...this.#damagedRows])].toSorted((a, b) => a - b)
  }

  async heads(): Promise<readonly ReplicaHead[]> {
    this.#assertUsable()
    const { heads, damaged } = await this.#reading(SYSTEM_GROUP, readHeads(this.#engine))
    for (const group of damaged) this.#damagedHeads.add(group)
    return heads
  }

  async getMany(
    group: number,
    generation: number,
    keys: readonly RowName[],
  ): Promise<(Uint8Array | undefined)[]> {
    this.#assertUsable()
    if (keys.length === 0) return []
    const rawKeys = keys.map((key) => rowKey(group, generation, key))
    const sealed = await this.#reading(group, this.#engine.getMany(rawKeys))
    return rawKeys.map((key, at) => {
      const row = sealed[at]
      if (row === undefined) return undefined
      const value = unsealValue(key, row)
      if (value !== null) return value
      this.#damagedRows.add(group)
      throw new DamagedRowError(group, `a row of group ${group}, generation ${generation} fails its checksum`)
    })
  }

  async scan(
    group: number,
    generation: number,
    from: RowName & { readonly limit: number },
  ): Promise<readonly StateRow[]> {
    this.#assertUsable()
    const { kind, slot, limit } = from
    const to = rowKey(group, generation, { kind, slot: slot + 1, key: new Uint8Array(0) })
    const snapshot = this.#view(group, generation, rowKey(group, generation, from), to)
    const rows: StateRow[] = []
    try {
      while (rows.length < limit) {
        const page = await snapshot.next(SCAN_BYTES)
        if (page.length === 0) break
        rows.push(...page)
      }
      return rows.slice(0, limit)
    } catch (error) {
      if (error instanceof DamagedRowError) this.#damagedRows.add(group)
      throw error
    } finally {
      await snapshot.close()
    }
  }

  async checkpoint(replicas: readonly ReplicaCheckpoint[], position: LogPosition): Promise<number> {
    this.#assertWritable()
    assert(this.#checkpointing === null, 'one checkpoint at a time')
    assertPosition(position)
    const groups = new Map(replicas.map(({ head }) => [head.group, head.generation]))
    assert(groups.size === replicas.length, 'a checkpoint holds a replica once')
    for (const { head } of replicas) this.#assertGeneration(head.group, head.generation)
    this.#checkpointing = groups
    try {
      // The machine's bytes are the caller's: kept as they are now.
      const encoded = replicas.map(({ head }) => encodeHead(head))
      const number = await this.#batch(
        async (batch) => {
          await this.#fill(
            batch,
            replicas.map(({ head, changes }) => ({ ...head, changes })),
          )
          replicas.forEach(({ head }, at) => {
            const key = headKey(head.group)
            batch.put(key, sealValue(key, encoded[at] ?? new Uint8Array(0)))
          })
        },
        { position, heads: replicas.map(({ head }) => head) },
      )
      return number
    } finally {
      this.#checkpointing = null
    }
  }

  openSnapshot(group: number, generation: number): StateSnapshot {
    this.#assertUsable()
    const { from, to } = generationRange(group, generation)
    return this.#view(group, generation, from, to)
  }

  #view(group: number, generation: number, from: Uint8Array, to: Uint8Array): RowSnapshot {
    return new RowSnapshot(this.#engine.openView(from, to), group, generation, (error) =>
      this.#readFailed(error),
    )
  }

  async nextGeneration(): Promise<number> {
    this.#assertWritable()
    let generation = 0
    await this.#batch(
      async () => {},
      () => {
        generation = this.#lastGeneration + 1
        return { lastGeneration: generation }
      },
    )
    return generation
  }

  async stage(group: number, generation: number, rows: readonly StateRow[]): Promise<void> {
    this.#assertWritable()
    this.#assertGeneration(group, generation)
    this.#assertUnnamed(group, generation)
    await this.#batch((batch) => this.#fill(batch, [{ group, generation, changes: rows }]), {})
  }

  async dropGeneration(group: number, generation: number): Promise<void> {
    this.#assertWritable()
    this.#assertUnnamed(group, generation)
    const name = nameOf(group, generation)
    assert(!this.#dropping.has(name), `${name} is being dropped already`)
    this.#dropping.add(name)
    try {
      await this.#dropRows(group, generation)
    } finally {
      this.#dropping.delete(name)
    }
  }

  async #dropRows(group: number, generation: number): Promise<void> {
    const { from, to } = generationRange(group, generation)
    for (;;) {
      this.#assertWritable()
      const view = this.#engine.openView(from, to)
      let rows: readonly RawRow[]
      try {
        rows = await this.#reading(group, view.next(DROP_ROWS))
      } finally {
        await view.close()
      }
      if (rows.length === 0) return
      await this.#batch(async (batch) => {
        for (const [key] of rows) batch.del(key)
      }, {})
    }
  }

  async strayGenerations(): Promise<readonly { readonly group: number; readonly generation: number }[]> {
    this.#assertUsable()
    const found = await this.#reading(SYSTEM_GROUP, readFirstRows(this.#engine))
    return found
      .filter(
        ({ group, generation }) =>
          !this.#damagedHeads.has(group) && this.#generations.get(group) !== generation,
      )
      .map(({ group, generation, sound }) => {
        if (!sound)
          throw new DamagedRowError(group, `generation ${generation} of group ${group} begins with a bad row`)
        return { group, generation }
      })
  }

  async verifyFiles(): Promise<string | null> {
    this.#assertUsable()
    return this.#reading(SYSTEM_GROUP, this.#engine.verifyFiles())
  }

  async forget(group: number, position: LogPosition): Promise<void> {
    this.#assertWritable()
    assert(this.#checkpointing?.has(group) !== true, `group ${group} is in the checkpoint under way`)
    assertPosition(position)
    await this.#batch(async (batch) => batch.del(headKey(group)), { position, forgotten: group })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#lastWrite
    await this.#engine.close()
  }

  /** Fills a batch, then writes it behind all earlier ones; resolves with the newest checkpoint's number. */
  async #batch(fill: (batch: RowBatch) => Promise<void>, commit: Commit | (() => Commit)): Promise<number> {
    const batch = this.#engine.newBatch()
    try {
      await fill(batch)
    } catch (error) {
      await batch.discard()
      throw error
    }
    const written = this.#lastWrite.then(() =>
      this.#write(batch, typeof commit === 'function' ? commit() : commit),
    )
    this.#lastWrite = settled(written)
    return written
  }

  async #write(batch: RowBatch, commit: Commit): Promise<number> {
    if (this.#failure !== null) {
      await batch.discard()
      throw this.#failure
    }
    const writeNumber = this.#writeNumber + 1
    const checkpointNumber = this.checkpointNumber + (commit.position === undefined ? 0 : 1)
    const position = Math.max(commit.position ?? 0, this.checkpointPosition)
    const lastGeneration = commit.lastGeneration ?? this.#lastGeneration
    const headGroups = new Set(this.#headGroups)
    for (const head of commit.heads ?? []) headGroups.add(head.group)
    if (commit.forgotten !== undefined) headGroups.delete(commit.forgotten)
    putWriteRow(batch, { writeNumber, checkpointNumber, lastGeneration, headCount: headGroups.size })
    if (commit.position !== undefined) putCheckpointRow(batch, { checkpointNumber, position })
    try {
      await batch.write()
    } catch (error) {
      throw this.#fail('a write failed', error)
    }
    this.#writeNumber = writeNumber
    this.checkpointNumber = checkpointNumber
    this.checkpointPosition = position
    this.#lastGeneration = lastGeneration
    this.#adopt(commit)
    return checkpointNumber
  }

  /** Memory follows the disk, never the other way round (G9). */
  #adopt({ heads = [], forgotten }: Commit): void {
    for (const { group, generation } of heads) {
      if (this.#generations.get(group) !== generation) this.#damagedRows.delete(group)
      this.#damagedHeads.delete(group)
      this.#headGroups.add(group)
      this.#generations.set(group, generation)
    }
    if (forgotten === undefined) return
    this.#headGroups.delete(forgotten)
    this.#generations.delete(forgotten)
    this.#damagedHeads.delete(forgotten)
    this.#damagedRows.delete(forgotten)
  }

  async #fill(
    batch: RowBatch,
    parts: readonly { group: number; generation: number; changes: Iterable<StateChange> }[],
  ): Promise<void> {
    let sliceBytes = 0
    for (const { group, generation, changes } of parts) {
      for (const change of changes) {
        const { kind, slot, value } = change
        assert(
          kind >= 1 && kind <= KIND_MAX && slot <= SLOT_MAX,
          `no row of a state machine: kind ${kind}, slot ${slot}`,
        )
        const key = rowKey(group, generation, change)
        if (value === null) batch.del(key)
        else batch.put(key, sealValue(key, value))
        sliceBytes += ROW_COST_BYTES + key.length + (value?.length ?? 0)
        if (sliceBytes < SLICE_BYTES) continue
        sliceBytes = 0
        await this.#engine.endOfTurn()
        this.#assertWritable()
      }
    }
  }

  async #reading<Result>(group: number, read: Promise<Result>): Promise<Result> {
    try {
      return await read
    } catch (error) {
      if (!(error instanceof UnreadableRowError)) throw this.#readFailed(error)
      this.#damagedRows.add(group)
      throw new DamagedRowError(group, error.message)
    }
  }

  #readFailed(error: unknown): Error {
    return this.#closed
      ? new StoreFailedError('the state store is closed', { cause: error })
      : this.#fail('a read failed', error)
  }

  #fail(what: string, cause: unknown): StoreFailedError {
    this.#failure ??= new StoreFailedError(`state store: ${what}: ${String(cause)}`, { cause })
    return this.#failure
  }

  #assertUsable(): void {
    if (this.#failure !== null) throw this.#failure
    if (this.#closed) throw new StoreFailedError('the state store is closed')
  }

  #assertWritable(): void {
    this.#assertUsable()
    // A batch above a hole would bury it.
    if (this.damage !== null) throw new StoreFailedError(`the state store is damaged: ${this.damage}`)
  }

  #assertGeneration(group: number, generation: number): void {
    assert(Number.isInteger(group) && group >= 0 && group < SYSTEM_GROUP, `no group: ${group}`)
    assert(
      generation >= 1 && generation <= this.#lastGeneration,
      `generation ${generation} was not handed out (newest ${this.#lastGeneration})`,
    )
    const name = nameOf(group, generation)
    assert(!this.#dropping.has(name), `${name} is being dropped`)
  }

  #assertUnnamed(group: number, generation: number): void {
    const named = this.#checkpointing?.get(group) === generation
    assert(!named, `generation ${generation} of group ${group} is named by the checkpoint under way`)
    assert(
      this.#generations.get(group) !== generation,
      `generation ${generation} of group ${group} is in use`,
    )
    assert(!this.#damagedHeads.has(group), `which generation of group ${group} is in use cannot be read`)
  }
}

function nameOf(group: number, generation: number): string {
  return `generation ${generation} of group ${group}`
}

function assertPosition(position: LogPosition): void {
  assert(Number.isSafeInteger(position) && position >= 0, `not a log position: ${position}`)
}

/** Resolves when the write has ended, either way: its caller hears how. */
async function settled(write: Promise<unknown>): Promise<void> {
  await Promise.allSettled([write])
}
