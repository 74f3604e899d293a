// The slots of a shard: who is served, and what each holds.
import { assert } from './assert.ts'
import { BadStateError } from './bad-state-error.ts'
import { addHash, type Hash } from './hash.ts'
import type { RowChange } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'
import { decodeContentRow, encodeContentRow } from './slot-content.ts'
import { SlotContents } from './slot-contents.ts'
import { isServed, SlotOwnership } from './slot-ownership.ts'

export interface SlotTotals {
  readonly owned: number
  readonly count: number
  readonly bytes: number
  /** The part of `bytes` that is never evicted. */
  readonly pinnedBytes: number
}

const noKey = new Uint8Array(0)

export class SlotTable {
  readonly #ownership: SlotOwnership = new SlotOwnership()
  readonly #contents: SlotContents = new SlotContents()
  #count = 0
  #bytes = 0
  #pinnedBytes = 0
  #stateChanges = 0

  /** Grows whenever the state of any slot changes: an asynchronous read does not outlive it (rule 27). */
  get stateChanges(): number {
    return this.#stateChanges
  }

  get totals(): SlotTotals {
    return {
      owned: this.#ownership.owned,
      count: this.#count,
      bytes: this.#bytes,
      pinnedBytes: this.#pinnedBytes,
    }
  }

  isServed(slot: number): boolean {
    return isServed(this.#ownership.ownerOf(slot).state)
  }

  epoch(slot: number): number {
    return this.#ownership.ownerOf(slot).epoch
  }

  /** Founding (shards.md): repeated or late, it changes nothing. */
  found(bitmap: Uint8Array, epoch: number): void {
    if (this.#ownership.found(bitmap, epoch)) this.#stateChanges += 1
  }

  /** Accounts for an entry that takes the place of another: by how much count, bytes, hash (modulo 2^32) and pinned bytes differ. */
  replace(slot: number, count: number, bytes: number, low: number, high: number, pinned: number): void {
    assert(this.#ownership.ownerOf(slot).state !== 'none', `slot ${slot} is not here`)
    this.#contents.change(slot, count, bytes, low, high, pinned)
    this.#count += count
    this.#bytes += bytes
    this.#pinnedBytes += pinned
  }

  /** See `SlotContents`. */
  nextFilled(slot: number): ReturnType<SlotContents['nextFilled']> {
    return this.#contents.nextFilled(slot)
  }

  restoreOwnership(slot: number, key: Uint8Array, row: Uint8Array): void {
    this.#ownership.restore(slot, key, row)
  }

  restoreContent(slot: number, key: Uint8Array, row: Uint8Array): void {
    if (this.#contents.has(slot)) throw new BadStateError(`slot row ${slot} twice`)
    const content = decodeContentRow(slot, key, row)
    this.#contents.restore(content)
    this.#count += content.count
    this.#bytes += content.bytes
    this.#pinnedBytes += content.pinnedBytes
  }

  hash(): Hash {
    const sum = { ...this.#contents.hash() }
    addHash(sum, this.#ownership.hash)
    return sum
  }

  /** How many rows the freeze holds. */
  freeze(): number {
    this.#ownership.freeze()
    this.#contents.freeze()
    return this.#contents.frozenCount + (this.#ownership.frozenRow === null ? 0 : 1)
  }

  *frozenRows(): Generator<RowChange> {
    const { frozenRow } = this.#ownership
    if (frozenRow !== null) yield { kind: rowKind.ownership, slot: 0, key: noKey, value: frozenRow }
    for (const content of this.#contents.frozen()) {
      const value = content.count === 0 ? null : encodeContentRow(content)
      yield { kind: rowKind.slot, slot: content.slot, key: noKey, value }
    }
  }

  release(): void {
    this.#ownership.release()
    this.#contents.release()
  }
}
