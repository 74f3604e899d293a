// The slots of a shard: who is served, and what each holds.
import { limits } from '@quorate/protocol'
import { assert } from './assert.ts'
import { BadStateError } from './bad-state-error.ts'
import { type Entry, entryBytes } from './entry.ts'
import type { Hash } from './hash.ts'
import type { Known } from './overlay.ts'
import type { RowChange } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'
import { decodeSlotRow, encodeSlotRow, hashSlot, isServed, newSlot, type Slot } from './slot.ts'
import { TouchedRecords } from './touched.ts'

export interface SlotTotals {
  readonly owned: number
  readonly count: number
  readonly bytes: number
}

const noKey = new Uint8Array(0)

export class SlotTable {
  /** Only slots that something has ever touched. */
  readonly #slots: TouchedRecords<number, Slot> = new TouchedRecords<number, Slot>({
    clone: (slot) => ({ ...slot }),
    hash: hashSlot,
    name: (slot) => `slot ${slot}`,
  })
  readonly #totals: { owned: number; count: number; bytes: number } = { owned: 0, count: 0, bytes: 0 }
  #stateChanges = 0

  /** Grows whenever the state of any slot changes: an asynchronous read does not outlive it (rule 27). */
  get stateChanges(): number {
    return this.#stateChanges
  }

  get totals(): SlotTotals {
    return this.#totals
  }

  isServed(slot: number): boolean {
    const record = this.#slots.records.get(slot)
    return record !== undefined && isServed(record.state)
  }

  epoch(slot: number): number {
    return this.#slots.records.get(slot)?.epoch ?? 0
  }

  /** Founding (shards.md): repeated or late, it changes nothing. */
  found(bitmap: Uint8Array, epoch: number): void {
    for (let slot = 0; slot < limits.slots; slot++) {
      if (((bitmap[slot >> 3] ?? 0) & (1 << (slot & 7))) !== 0) this.#foundSlot(slot, epoch)
    }
  }

  #foundSlot(slot: number, epoch: number): void {
    const before = this.#slots.records.get(slot)
    if ((before?.state ?? 'none') !== 'none' || (before?.lastMove ?? 0) >= epoch) return
    if (before === undefined) this.#slots.add(slot, newSlot(slot))
    const record = this.#changed(slot)
    record.state = 'owned'
    record.epoch = epoch
    record.lastMove = epoch
    this.#totals.owned += 1
    this.#stateChanges += 1
  }

  /** Accounts for an entry that takes the place of another. */
  replace(slot: number, key: Uint8Array, before: Known, after: Known): void {
    const record = this.#changed(slot)
    if (before !== null) this.#account(record, key, before, -1)
    if (after !== null) this.#account(record, key, after, 1)
    assert(
      record.count >= 0 && record.bytes >= 0,
      `slot ${slot}: ${record.count} entries, ${record.bytes} bytes`,
    )
  }

  #account(record: Slot, key: Uint8Array, entry: Entry, sign: 1 | -1): void {
    const bytes = sign * entryBytes(key, entry)
    record.count += sign
    record.bytes += bytes
    record.low = (record.low + sign * entry.low) >>> 0
    record.high = (record.high + sign * entry.high) >>> 0
    this.#totals.count += sign
    this.#totals.bytes += bytes
  }

  #changed(slot: number): Slot {
    const record = this.#slots.change(slot)
    assert(record !== undefined, `slot ${slot} is not here`)
    return record
  }

  restore(number: number, key: Uint8Array, row: Uint8Array): void {
    if (!Number.isInteger(number) || number < 0 || number >= limits.slots || key.length > 0) {
      throw new BadStateError(`slot row ${number} with ${key.length} bytes of key`)
    }
    if (this.#slots.records.has(number)) throw new BadStateError(`slot row ${number} twice`)
    const slot = decodeSlotRow(number, row)
    this.#slots.restore(number, slot)
    if (slot.state === 'owned') this.#totals.owned += 1
    this.#totals.count += slot.count
    this.#totals.bytes += slot.bytes
  }

  hash(): Hash {
    return this.#slots.hash()
  }

  freeze(): number {
    this.#slots.freeze()
    return this.#slots.frozenRecords().size
  }

  *frozenRows(): Generator<RowChange> {
    for (const [slot, record] of this.#slots.frozenRecords()) {
      yield { kind: rowKind.slot, slot, key: noKey, value: record === null ? null : encodeSlotRow(record) }
    }
  }

  release(): void {
    this.#slots.release()
  }
}
