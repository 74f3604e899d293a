// What a memory twin's directory holds between and across crashes: the rows, and the faults that wait for them.
import { OrderedRows } from './ordered-rows.ts'
import type { RawRow } from './row-engine.ts'

/** One operation of a batch; a null value deletes. */
export type RowOperation = readonly [key: Uint8Array, value: Uint8Array | null]

/** A batch between the call that wrote it and its answer. */
interface Underway {
  readonly operations: readonly RowOperation[]
  /** What to put back to undo it; null while nothing can be seen of it. */
  undo: readonly RowOperation[] | null
}

export class MemoryDirectory {
  readonly rows: OrderedRows = new OrderedRows()
  /** Number of the store that has it open; older numbers are dead. */
  incarnation = 0
  locked = false
  /** Writes until one fails: 1 is the next; 0 is none. */
  failWriteIn = 0
  skipNextBatch = false
  #underway: Underway | null = null
  /** Rows as they were below batches that the next start will not find. */
  readonly #holes = new Map<string, RowOperation>()

  begin(operations: readonly RowOperation[]): void {
    this.#underway = { operations, undo: null }
  }

  /** The batch under way reaches the log and can be read. */
  becomeVisible(): void {
    const underway = this.#underway
    if (underway === null) return
    underway.undo = this.#before(underway.operations)
    for (const operation of underway.operations) this.#holes.delete(text(operation[0]))
    if (this.skipNextBatch) {
      this.skipNextBatch = false
      for (const before of underway.undo) this.#holes.set(text(before[0]), before)
    }
    this.#apply(underway.operations)
  }

  /** The batch under way is durable: its caller may be told. */
  complete(): void {
    this.#underway = null
  }

  /**
   * The process ends. A batch under way is there afterwards or not, wholly; `survives` is drawn once. What could be read
   * of it is in the page cache and outlives the process, though not a loss of power.
   */
  crash(powerLoss: boolean, survives: () => boolean): void {
    const underway = this.#underway
    this.#underway = null
    this.incarnation += 1
    this.locked = false
    if (underway === null) return
    if (underway.undo === null) {
      if (survives()) this.#apply(underway.operations)
    } else if (powerLoss && !survives()) this.#apply(underway.undo)
  }

  /** Batches that were skipped are gone, as LevelDB drops a damaged record of its log when it opens. */
  restart(): void {
    this.#apply([...this.#holes.values()])
    this.#holes.clear()
  }

  /** Changes one bit of a stored value. False if there is no such row. */
  flipBit(key: Uint8Array, bit: number): boolean {
    const value = this.rows.get(key)
    if (value === undefined || value.length === 0) return false
    const flipped = new Uint8Array(value)
    const at = (bit >>> 3) % flipped.length
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7))
    this.rows.set(key, flipped)
    return true
  }

  all(): RawRow[] {
    return this.rows.range(new Uint8Array(0), new Uint8Array(16).fill(0xff))
  }

  #before(operations: readonly RowOperation[]): RowOperation[] {
    return operations.map(([key]): RowOperation => [key, this.rows.get(key) ?? null])
  }

  #apply(operations: readonly RowOperation[]): void {
    for (const [key, value] of operations) {
      if (value === null) this.rows.delete(key)
      else this.rows.set(key, value)
    }
  }
}

function text(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1')
}
