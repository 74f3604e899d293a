// One slot of a shard: its ownership (shards.md, moving slots) and what it holds; as a row of kind 1.
import { BadStateError } from './bad-state-error.ts'
import { type Hash, hashOf } from './hash.ts'
import { rowReader } from './row-reader.ts'
import { rowWriter } from './row-writer.ts'

/** `leaving`, `gone` and `arriving` belong to the move m; `none` and `owned` to none (m = 0). */
export type SlotState = 'none' | 'owned' | 'leaving' | 'gone' | 'arriving'

export interface Slot {
  readonly slot: number
  state: SlotState
  /** The move of the present state; 0 where the state has none. */
  move: number
  /** Under which the slot is or was last owned here; 0 = never. */
  epoch: number
  /** The highest move (or founding) that touched the slot. */
  lastMove: number
  count: number
  /** Key + value + ENTRY_OVERHEAD_BYTES, summed over the entries. */
  bytes: number
  /** Sum of the entries' hashes. */
  low: number
  high: number
}

const states: readonly SlotState[] = ['none', 'owned', 'leaving', 'gone', 'arriving']

const SLOT_FORMAT = 1
const SLOT_ROW_BYTES = 50

export function newSlot(slot: number): Slot {
  return { slot, state: 'none', move: 0, epoch: 0, lastMove: 0, count: 0, bytes: 0, low: 0, high: 0 }
}

/** Commands and reads are answered here. */
export function isServed(state: SlotState): boolean {
  return state === 'owned' || state === 'leaving'
}

export function hashSlot(slot: Slot): Hash {
  const { slot: number, state, move, epoch, lastMove, count, bytes, low, high } = slot
  return hashOf([number, states.indexOf(state), move, epoch, lastMove, count, bytes, low, high], [])
}

export function encodeSlotRow(slot: Slot): Uint8Array {
  const row = rowWriter(SLOT_ROW_BYTES)
  row.u8(SLOT_FORMAT)
  row.u8(states.indexOf(slot.state))
  row.number(slot.move)
  row.number(slot.epoch)
  row.number(slot.lastMove)
  row.number(slot.count)
  row.number(slot.bytes)
  row.u32(slot.low)
  row.u32(slot.high)
  return row.finish()
}

export function decodeSlotRow(slot: number, bytes: Uint8Array): Slot {
  const row = rowReader(bytes, `slot row ${slot}`)
  const format = row.u8()
  if (format !== SLOT_FORMAT) throw new BadStateError(`slot row ${slot}: format ${format}`)
  const state = states[row.u8()]
  if (state === undefined) throw new BadStateError(`slot row ${slot}: unknown state`)
  const move = row.number()
  const decoded: Slot = {
    slot,
    state,
    move,
    epoch: row.number(),
    lastMove: row.number(),
    count: row.number(),
    bytes: row.number(),
    low: row.u32(),
    high: row.u32(),
  }
  row.end()
  const moving = state === 'leaving' || state === 'gone' || state === 'arriving'
  if (moving !== move > 0) throw new BadStateError(`slot row ${slot}: ${state} with move ${move}`)
  return decoded
}
