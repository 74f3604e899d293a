// What a checkpoint writes and what a restore refuses.
import type { Section } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BadStateError,
  type CheckpointRow,
  createShardState,
  restoreShardState,
  rowKind,
} from '../src/index.ts'
import { rowWriter } from '../src/row-writer.ts'
import { SlotOwnership } from '../src/slot-ownership.ts'
import { commandsEntry, GROUP, Replica } from './support/replica.ts'
import { foundSome } from './support/scenario.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const open: Section = { kind: 'openSession', group: GROUP, notAfter: 9e9 }

function small(): Replica {
  const replica = new Replica(0)
  const key = new TextEncoder().encode('a')
  const value = { type: 'bytes', bytes: Uint8Array.of(0xab) } as const
  const set = {
    op: 'set',
    sequence: 1,
    notAfter: 9e9,
    key,
    value,
    condition: { type: 'always' },
    ttl: 0,
  } as const
  const session = { group: GROUP, version: 1 }
  replica.append(commandsEntry(1_000, foundSome(4), open))
  replica.append(
    commandsEntry(1_001, { kind: 'commands', group: GROUP, session, ackedUpTo: 0, commands: [set] }),
  )
  return replica
}

/** Head and rows of a checkpoint, as a host would keep them. */
function checkpointOf(replica: Replica) {
  const { appliedIndex, appliedTerm, machine, changes } = replica.state.freeze()
  const rows: CheckpointRow[] = []
  for (const { kind, slot, key, value } of changes) {
    if (value !== null && kind !== rowKind.entry) rows.push({ kind, slot, key, value })
  }
  return { appliedIndex, appliedTerm, machine, rows }
}

const noKey = new Uint8Array(0)
type Owner = [state: number, move: number, slots: readonly number[]]

/** Of epoch 3 and last move 9. */
function ownershipRow(...owners: readonly Owner[]): Uint8Array {
  const slotCount = owners.reduce((sum, [, , slots]) => sum + slots.length, 0)
  const row = rowWriter(5 + owners.length * 29 + slotCount * 2)
  row.u8(1)
  row.u32(owners.length)
  for (const [state, move, slots] of owners) {
    row.u8(state)
    for (const value of [move, 3, 9]) row.number(value)
    row.u32(slots.length)
    for (const slot of slots) row.bytes(Uint8Array.of(slot & 0xff, slot >> 8))
  }
  return row.finish()
}

function ownershipOf(row: Uint8Array): SlotOwnership {
  const ownership = new SlotOwnership()
  ownership.restore(0, noKey, row)
  return ownership
}

describe('the disk format', () => {
  test('is what the README says, byte for byte', () => {
    const { changes, machine } = small().state.freeze()
    const rows = [...changes]
    const entry = rows.find(({ kind }) => kind === rowKind.entry)
    expect(entry).toMatchObject({ slot: 15_495, key: new TextEncoder().encode('a') })
    // format, version 2, deadline 0, tagged value.
    expect(hex(entry?.value ?? new Uint8Array(0))).toBe(
      ['01', '0000000000000040', '0000000000000000', '00', 'ab'].join(''),
    )
    const session = rows.find(({ kind }) => kind === rowKind.session)
    expect(hex(session?.key ?? new Uint8Array(0))).toBe('000000030000000000000001')
    expect(hex(session?.value ?? new Uint8Array(0))).toBe(
      [
        '01', // format
        '0000000000000000', // ackedUpTo
        '0000000000488f40', // lastUse 1,001
        '01000000', // answers
        '000000000000f03f', // sequence 1
        '01', // written
        '0000000000001040', // epoch 4
        '0000000000000040', // version 2
        '0000000000488f40', // t
        '0000000000000040', // the new version
      ].join(''),
    )
    const slot = rows.find((row) => row.kind === rowKind.slot && row.slot === 15_495)
    expect(slot?.value?.length).toBe(25)
    expect(hex(slot?.value?.subarray(0, 17) ?? new Uint8Array(0))).toBe(
      [
        '01', // format
        '000000000000f03f', // count
        '0000000000c05040', // bytes: 1 + 2 + 64
      ].join(''),
    )
    const ownership = rows.find(({ kind }) => kind === rowKind.ownership)
    expect(ownership).toMatchObject({ slot: 0, key: new Uint8Array(0) })
    expect(hex(ownership?.value ?? new Uint8Array(0))).toBe(
      [
        '01', // format
        '01000000', // owners
        '01', // owned
        '0000000000000000', // move
        '0000000000001040', // epoch 4
        '0000000000001040', // lastMove 4
        '05000000', // slots
        'a302e40c77127226873c', // 675, 3,300, 4,727, 9,842, 15,495
      ].join(''),
    )
    expect(machine.length).toBe(69)
  })

  test('holds every state that a slot will ever have', () => {
    const owners: Owner[] = [
      [0, 0, [1]],
      [1, 0, [2, 300]],
      [2, 7, [4]],
      [3, 7, [5]],
      [4, 7, [16_383]],
    ]
    const row = ownershipRow(...owners)
    const ownership = ownershipOf(row)
    expect(hex(ownership.encode())).toBe(hex(row))
    const states = [0, 1, 300, 4, 5, 16_383].map((slot) => ownership.ownerOf(slot).state)
    expect(states).toEqual(['none', 'none', 'owned', 'leaving', 'gone', 'arriving'])
    expect(ownership.ownerOf(5)).toEqual({ state: 'gone', move: 7, epoch: 3, lastMove: 9 })
    expect(ownership.owned).toBe(2)
  })

  test('refuses ownership that no shard would have written', () => {
    const bad: Owner[][] = [
      [],
      [[5, 0, [1]]],
      [[3, 0, [1]]],
      [[1, 7, [1]]],
      [[1, 0, []]],
      [[1, 0, [16_384]]],
      [[1, 0, [2, 1]]],
      [[1, 0, [1, 1]]],
      // Not in the order of their first slots; one that is two; a slot with two owners.
      [
        [1, 0, [2]],
        [2, 7, [1]],
      ],
      [
        [1, 0, [1]],
        [1, 0, [2]],
      ],
      [
        [1, 0, [1, 2]],
        [2, 7, [2]],
      ],
    ]
    for (const owners of bad) expect(() => ownershipOf(ownershipRow(...owners))).toThrow(BadStateError)
    const row = ownershipRow([1, 0, [1]])
    expect(() => ownershipOf(row)).not.toThrow()
    expect(() => ownershipOf(row.subarray(0, -1))).toThrow(BadStateError)
    expect(() => new SlotOwnership().restore(1, noKey, row)).toThrow(BadStateError)
    expect(() => new SlotOwnership().restore(0, Uint8Array.of(1), row)).toThrow(BadStateError)
    expect(() => ownershipOf(row).restore(0, noKey, row)).toThrow(BadStateError)
  })

  test('founding gives each slot what the same founding of that slot alone would give it', () => {
    const bitmapOf = (slots: readonly number[]): Uint8Array => {
      const bitmap = new Uint8Array(2_048)
      for (const slot of slots) bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | (1 << (slot & 7))
      return bitmap
    }
    // Neighbours, so that runs meet, split and join.
    const slots = fc.array(fc.oneof(fc.nat(20), fc.constant(16_383)), { minLength: 1 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(slots, fc.integer({ min: 0, max: 3 })), { maxLength: 6 }),
        (foundings) => {
          const ownership = new SlotOwnership()
          const epochs = new Map<number, number>()
          for (const [named, epoch] of foundings) {
            const fresh = epoch > 0 ? named.filter((slot) => !epochs.has(slot)) : []
            expect(ownership.found(bitmapOf(named), epoch)).toBe(fresh.length > 0)
            for (const slot of fresh) epochs.set(slot, epoch)
          }
          for (const slot of [...Array.from({ length: 22 }, (_, at) => at), 16_382, 16_383]) {
            const epoch = epochs.get(slot) ?? 0
            const state = epochs.has(slot) ? 'owned' : 'none'
            expect(ownership.ownerOf(slot)).toEqual({ state, epoch, lastMove: epoch, move: 0 })
          }
          expect(ownership.owned).toBe(epochs.size)
          fc.pre(epochs.size > 0)
          expect(ownershipOf(ownership.encode()).hash).toEqual(ownership.hash)
        },
      ),
    )
  })

  test('gives back the same state', () => {
    const replica = small()
    const restored = restoreShardState(GROUP, checkpointOf(replica))
    expect(restored.stateHash()).toBe(replica.state.stateHash())
    expect(restored.stats).toEqual(replica.state.stats)
    expect(restored.appliedIndex).toBe(2)
    expect(restored.appliedTerm).toBe(1)
  })

  test('C11: a restore refuses a missing row, a changed bit and a row of a later version', () => {
    const checkpoint = checkpointOf(small())
    const restore = (change: Partial<typeof checkpoint>): unknown =>
      restoreShardState(GROUP, { ...checkpoint, ...change })
    expect(() => restore({})).not.toThrow()
    for (const missing of checkpoint.rows) {
      expect(() => restore({ rows: checkpoint.rows.filter((row) => row !== missing) })).toThrow(BadStateError)
    }
    expect(() => restore({ rows: [...checkpoint.rows, ...checkpoint.rows] })).toThrow(BadStateError)
    const entryRow = { kind: rowKind.entry, slot: 0, key: Uint8Array.of(1), value: Uint8Array.of(1) }
    expect(() => restore({ rows: [...checkpoint.rows, entryRow] })).toThrow(BadStateError)
    expect(() => restoreShardState(GROUP + 1, checkpoint)).toThrow(BadStateError)
    fc.assert(
      fc.property(fc.nat(checkpoint.rows.length), fc.nat(), fc.nat(7), (which, at, bit) => {
        const flip = (bytes: Uint8Array): Uint8Array =>
          bytes.map((byte, place) => (place === at % bytes.length ? byte ^ (1 << bit) : byte))
        const machine = which === checkpoint.rows.length ? flip(checkpoint.machine) : checkpoint.machine
        const rows = checkpoint.rows.map((row, place) =>
          place === which ? { ...row, value: flip(row.value) } : row,
        )
        // Clock and lastVersion stand in the head alone: their row's checksum is the store's.
        const inHeadAlone =
          which === checkpoint.rows.length && at % machine.length >= 5 && at % machine.length < 21
        fc.pre(!inHeadAlone)
        expect(() => restoreShardState(GROUP, { ...checkpoint, machine, rows })).toThrow(BadStateError)
      }),
      { numRuns: 500 },
    )
  })

  test('a restore of any bytes gives a typed error', () => {
    const row = fc.record({
      kind: fc.integer({ min: 1, max: 4 }),
      slot: fc.nat(20_000),
      key: fc.uint8Array(),
      value: fc.uint8Array(),
    })
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 60, maxLength: 75 }), fc.array(row), (machine, rows) => {
        expect(() => restoreShardState(GROUP, { appliedIndex: 1, appliedTerm: 1, machine, rows })).toThrow(
          BadStateError,
        )
      }),
    )
  })
})

describe('a freeze', () => {
  test('holds only what changed since the last one', () => {
    const replica = small()
    replica.checkpoint()
    const nothing = replica.state.freeze()
    expect([...nothing.changes]).toEqual([])
    expect(nothing.changeCount).toBe(0)
    replica.state.release()
    replica.append({ type: 'noop', stamp: 2_000, payload: new Uint8Array(0) })
    expect(replica.state.freeze()).toMatchObject({ changeCount: 0, appliedIndex: 3 })
  })

  test('can be read again and not after its release', () => {
    const { state } = small()
    const frozen = state.freeze()
    expect([...frozen.changes]).toEqual([...frozen.changes])
    expect([...frozen.changes]).toHaveLength(frozen.changeCount)
    state.release()
    expect(() => [...frozen.changes]).toThrow(/after its release/)
    state.freeze()
    expect(() => [...frozen.changes]).toThrow(/after its release/)
  })

  test('is one at a time', () => {
    const state = createShardState(GROUP)
    expect(() => state.release()).toThrow(/nothing to release/)
    state.freeze()
    expect(() => state.freeze()).toThrow(/frozen twice/)
  })
})
