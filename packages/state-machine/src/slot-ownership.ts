// Who owns the slots of a shard (shards.md, moving slots), as one row of kind 1. Slots are scattered over the shards, but most
// slots of a shard share one history: each different one is kept once, with the slots that have it.
import { limits } from '@quorate/protocol'
import { assert } from './assert.ts'
import { BadStateError } from './bad-state-error.ts'
import { emptySum, type Hash, hashOf } from './hash.ts'
import { rowReader } from './row-reader.ts'
import { rowWriter } from './row-writer.ts'

/** `leaving`, `gone` and `arriving` belong to the move m; `none` and `owned` to none (m = 0). */
export type SlotState = 'none' | 'owned' | 'leaving' | 'gone' | 'arriving'

export interface SlotOwner {
  readonly state: SlotState
  /** The move of the present state; 0 where the state has none. */
  readonly move: number
  /** Under which the slot is or was last owned here; 0 = never. */
  readonly epoch: number
  /** The highest move (or founding) that touched the slot; 0 = never touched, and then all of it is 0. */
  readonly lastMove: number
}

const untouched: SlotOwner = { state: 'none', move: 0, epoch: 0, lastMove: 0 }

const states: readonly SlotState[] = ['none', 'owned', 'leaving', 'gone', 'arriving']

const OWNERSHIP_FORMAT = 1
const HEADER_BYTES = 5
const OWNER_BYTES = 29
const SLOT_BYTES = 2

/** Commands and reads are answered here. */
export function isServed(state: SlotState): boolean {
  return state === 'owned' || state === 'leaving'
}

export class SlotOwnership {
  /** Different owners; the first stands for slots that nothing has touched. None is removed: a row leaves out what is unused. */
  readonly #owners: SlotOwner[] = [untouched]
  /** Place in `#owners`, by slot. */
  readonly #places: Uint16Array = new Uint16Array(limits.slots)
  #owned = 0
  #hash: Hash = emptySum()
  #dirty = false
  #frozenRow: Uint8Array | null = null

  /** Slots in state `owned`. */
  get owned(): number {
    return this.#owned
  }

  /** Zero where nothing has been touched, as where there is no row. */
  get hash(): Hash {
    return this.#hash
  }

  /** The row that the checkpoint which is frozen has to write; null where nothing has changed. */
  get frozenRow(): Uint8Array | null {
    return this.#frozenRow
  }

  ownerOf(slot: number): SlotOwner {
    return this.#owners[this.#places[slot] ?? 0] ?? untouched
  }

  /** Slots of the bitmap that are `none` and that nothing as late has touched become `owned`. Whether there were any. */
  found(bitmap: Uint8Array, epoch: number): boolean {
    const found: number[] = []
    for (let slot = 0; slot < limits.slots; slot++) {
      if (((bitmap[slot >> 3] ?? 0) & (1 << (slot & 7))) === 0) continue
      const { state, lastMove } = this.ownerOf(slot)
      if (state === 'none' && lastMove < epoch) found.push(slot)
    }
    if (found.length === 0) return false
    this.#assign({ state: 'owned', move: 0, epoch, lastMove: epoch }, found)
    this.#dirty = true
    this.#hash = rowHash(this.encode())
    return true
  }

  #assign(owner: SlotOwner, slots: readonly number[]): void {
    let place = this.#owners.findIndex((other) => sameOwner(other, owner))
    if (place < 0) place = this.#owners.push(owner) - 1
    for (const slot of slots) {
      this.#owned += Number(owner.state === 'owned') - Number(this.ownerOf(slot).state === 'owned')
      this.#places[slot] = place
    }
  }

  /** One encoding for equal ownership: owners in the order of their first slots. */
  encode(): Uint8Array {
    const slotsOf = new Map<number, number[]>()
    for (let slot = 0; slot < limits.slots; slot++) {
      const place = this.#places[slot] ?? 0
      if (place === 0) continue
      const slots = slotsOf.get(place)
      if (slots === undefined) slotsOf.set(place, [slot])
      else slots.push(slot)
    }
    const parts = [...slotsOf.values()]
    const slotCount = parts.reduce((sum, slots) => sum + slots.length, 0)
    const row = rowWriter(HEADER_BYTES + parts.length * OWNER_BYTES + slotCount * SLOT_BYTES)
    row.u8(OWNERSHIP_FORMAT)
    row.u32(parts.length)
    for (const slots of parts) {
      const { state, move, epoch, lastMove } = this.ownerOf(slots[0] ?? 0)
      row.u8(states.indexOf(state))
      row.number(move)
      row.number(epoch)
      row.number(lastMove)
      row.u32(slots.length)
      for (const slot of slots) {
        row.u8(slot & 0xff)
        row.u8(slot >>> 8)
      }
    }
    return row.finish()
  }

  /** The row that the store holds. Throws `BadStateError` for anything that `encode` would not have written. */
  restore(slot: number, key: Uint8Array, bytes: Uint8Array): void {
    if (slot !== 0 || key.length > 0) throw refuse(`slot ${slot}, ${key.length} bytes of key`)
    if (this.#owners.length > 1) throw refuse('twice')
    const row = rowReader(bytes, 'ownership row')
    const format = row.u8()
    if (format !== OWNERSHIP_FORMAT) throw refuse(`format ${format}`)
    const count = row.u32()
    if (count === 0 || count > limits.slots) throw refuse(`${count} owners`)
    for (let at = 0; at < count; at++) {
      const state = states[row.u8()]
      if (state === undefined) throw refuse(`owner ${at} has an unknown state`)
      const owner = { state, move: row.number(), epoch: row.number(), lastMove: row.number(1) }
      const moving = state === 'leaving' || state === 'gone' || state === 'arriving'
      if (moving !== owner.move > 0) throw refuse(`owner ${at} is ${state} with move ${owner.move}`)
      const length = row.u32()
      if (length > row.remaining / SLOT_BYTES) throw refuse(`owner ${at} has ${length} slots`)
      const slots: number[] = []
      for (let left = length; left > 0; left--) slots.push(row.u8() + row.u8() * 256)
      if (slots.some((each) => each >= limits.slots)) throw refuse(`owner ${at} has a slot out of range`)
      this.#assign(owner, slots)
    }
    row.end()
    // One encoding: order, owners that are one and slots with two owners all show here.
    if (Buffer.compare(this.encode(), bytes) !== 0) throw refuse('another order')
    this.#hash = rowHash(bytes)
  }

  freeze(): void {
    assert(this.#frozenRow === null, 'ownership frozen twice')
    this.#frozenRow = this.#dirty ? this.encode() : null
    this.#dirty = false
  }

  release(): void {
    this.#frozenRow = null
  }
}

function sameOwner(left: SlotOwner, right: SlotOwner): boolean {
  return (
    left.state === right.state &&
    left.move === right.move &&
    left.epoch === right.epoch &&
    left.lastMove === right.lastMove
  )
}

function rowHash(row: Uint8Array): Hash {
  return hashOf([], [row])
}

function refuse(why: string): BadStateError {
  return new BadStateError(`ownership row: ${why}`)
}
