// What apply does with entries that no well-behaved leader makes, and with a host that breaks the contract.
import type { Section } from '@quorate/protocol'
import { encodeSection } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BadStateError, createShardState, rowKind } from '../src/index.ts'
import { commandsEntry, foundAll, foundFor, GROUP, payloadOf, Replica } from './support/replica.ts'
import { plain } from './support/model.ts'

const key = new TextEncoder().encode('k')
const otherKey = new TextEncoder().encode('other')
const open: Section = { kind: 'openSession', group: GROUP, notAfter: 9e9 }
const session = { group: GROUP, version: 1 }

function incrSection(sequence: number, keys: readonly Uint8Array[] = [key]): Section {
  const commands = keys.map(
    (each, at) => ({ op: 'incr', sequence: sequence + at, notAfter: 9e9, key: each, by: 1 }) as const,
  )
  return { kind: 'commands', group: GROUP, session, ackedUpTo: 0, commands }
}

function started(hotBytesMax = 0): Replica {
  const replica = new Replica(hotBytesMax)
  replica.append(commandsEntry(1_000, foundFor([key, otherKey], 1), open))
  return replica
}

describe('apply', () => {
  test('E8: gives any bytes the same verdict on every replica, throws nothing, and goes on behind them', () => {
    const good = payloadOf([incrSection(1), open])
    const damaged = fc
      .record({ at: fc.nat(good.length - 1), byte: fc.nat(255), cut: fc.nat(good.length) })
      .map(({ at, byte, cut }) => good.map((old, place) => (place === at ? byte : old)).slice(0, cut))
    fc.assert(
      fc.property(fc.array(fc.oneof(damaged, fc.uint8Array()), { maxLength: 8 }), (payloads) => {
        const [one, other] = [started(0), started(1_000_000)]
        other.checkpoint()
        for (const payload of payloads) {
          const entry = { type: 'commands', stamp: 1_000, payload } as const
          expect(plain(one.append(entry))).toBe(plain(other.append(entry)))
        }
        expect(one.state.stateHash()).toBe(other.state.stateHash())
        expect(one.state.appliedIndex).toBe(payloads.length + 1)
      }),
    )
  })

  test('E8: answers a payload that it cannot decode with one refusal and changes nothing', () => {
    const replica = started()
    const before = replica.state.stateHash()
    const payload = new Uint8Array([...encodeSection(incrSection(1)), 0xff])
    expect(replica.append({ type: 'commands', stamp: 1_000, payload })).toMatchObject([
      [{ type: 'refused', code: 'UNKNOWN_COMMAND' }],
    ])
    expect(replica.state.stateHash()).toBe(before)
  })

  test('E8: trouble of this process alone is no verdict on a payload: the others may have applied it', () => {
    let trouble = false
    const keySeed = {
      high: 2,
      get low(): number {
        if (trouble) throw new RangeError('Array buffer allocation failed')
        return 1
      },
    }
    const state = createShardState(GROUP, { keySeed })
    const begin = { index: 1, term: 1, ...commandsEntry(1_000, foundFor([key], 1), open) }
    state.apply(begin, [])
    const entry = { index: 2, term: 1, ...commandsEntry(1_000, incrSection(1)) }
    trouble = true
    expect(() => state.prefetch(entry)).toThrow(RangeError)
    expect(() => state.apply(entry, [])).toThrow(RangeError)
    trouble = false
    expect(state.prefetch(entry)).toHaveLength(1)
    expect(state.apply(entry, [undefined])).toMatchObject([[{ result: { type: 'counted', integer: 1 } }]])
  })

  test('E8: a row that is none leaves everything as it was', () => {
    const replica = started()
    replica.append(commandsEntry(1_000, incrSection(1)))
    replica.checkpoint()
    const before = replica.state.stateHash()
    const entry = { index: 3, term: 1, ...commandsEntry(1_000, incrSection(2)) }
    const rows = replica.state.prefetch(entry).map((row) => replica.get(row))
    expect(rows).toHaveLength(1)
    expect(() => replica.state.apply(entry, [Uint8Array.of(9, 9)])).toThrow(BadStateError)
    expect(replica.state.stateHash()).toBe(before)
    replica.state.prefetch(entry)
    expect(replica.state.apply(entry, rows)).toMatchObject([[{ result: { type: 'counted', integer: 2 } }]])
  })

  test('asks for a row once, and only for what memory does not hold', () => {
    const replica = started()
    const entry = (sequence: number) => ({
      index: 3,
      term: 1,
      ...commandsEntry(1_000, incrSection(sequence, [key, otherKey, key])),
    })
    replica.append(commandsEntry(1_000, incrSection(1)))
    expect(replica.state.prefetch(entry(2))).toEqual([
      { kind: rowKind.entry, slot: expect.any(Number), key: otherKey },
    ])
    replica.checkpoint()
    expect(replica.state.prefetch(entry(2))).toHaveLength(2)
    expect(replica.state.prefetch({ ...entry(2), type: 'noop' })).toEqual([])
  })

  test('rule 27: keeps what prefetch found although it is released and evicted before apply', () => {
    const replica = started(0)
    replica.append(commandsEntry(1_000, incrSection(1)))
    replica.freeze()
    const entry = { index: 3, term: 1, ...commandsEntry(1_000, incrSection(2)) }
    expect(replica.apply(entry, () => replica.release())).toMatchObject([
      [{ result: { type: 'counted', integer: 2 } }],
    ])
    const next = { index: 4, term: 1, ...commandsEntry(1_000, incrSection(3)) }
    expect(replica.apply(next, () => replica.checkpoint())).toMatchObject([[{ result: { integer: 3 } }]])
  })

  test('refuses a host that leaves out, repeats or mixes up entries', () => {
    const entry = { index: 1, term: 2, ...commandsEntry(1_000, foundFor([key, otherKey], 1), open) }
    const state = createShardState(GROUP)
    expect(() => state.apply({ ...entry, index: 2 }, [])).toThrow(/entry 2 after 0/)
    expect(() => state.apply({ ...entry, stamp: 0.5 }, [])).toThrow(/stamp/)
    expect(() => state.apply(entry, [undefined])).toThrow(/1 rows for 0/)
    state.apply(entry, [])
    expect(() => state.apply(entry, [])).toThrow(/entry 1 after 1/)
    const next = { index: 2, term: 2, ...commandsEntry(1_000, incrSection(1)) }
    expect(() => state.apply({ ...next, term: 1 }, [])).toThrow(/term 1 after term 2/)
    expect(() => state.apply(next, [undefined])).toThrow(/without its prefetch/)
    state.prefetch({ ...next, index: 3 })
    expect(() => state.apply(next, [undefined])).toThrow(/without its prefetch/)
    state.prefetch(next)
    expect(state.apply(next, [undefined])).toMatchObject([[{ result: { integer: 1 } }]])
  })

  test('keeps no part of a frame or of a row: memory of its own for every value', () => {
    const replica = started(1_000_000)
    const bytes = Uint8Array.of(1, 2, 3)
    const set = {
      op: 'set',
      sequence: 1,
      notAfter: 9e9,
      key,
      value: { type: 'bytes', bytes },
      condition: { type: 'always' },
      ttl: 0,
    } as const
    const entry = {
      index: 2,
      term: 1,
      ...commandsEntry(1_000, { kind: 'commands', group: GROUP, session, ackedUpTo: 0, commands: [set] }),
    }
    replica.state.apply(
      entry,
      replica.state.prefetch(entry).map(() => undefined),
    )
    entry.payload.fill(0)
    expect(replica.read([key], 1_000)).toMatchObject([{ result: { value: { bytes } } }])
    const { state } = replica
    const row =
      [...state.freeze().changes].find(({ kind }) => kind === rowKind.entry)?.value ?? new Uint8Array(0)
    row.fill(0)
    expect(replica.read([key], 1_000)).toMatchObject([{ result: { value: { bytes } } }])
  })
})

describe('founding', () => {
  test('gives each slot its first epoch once', () => {
    const replica = new Replica(0)
    expect(replica.read([key], 5)).toEqual([
      { type: 'refused', code: 'MOVED', position: { epoch: 0, version: 0, t: 5 } },
    ])
    replica.append(commandsEntry(1_000, foundAll(0)))
    expect(replica.state.stats.slots).toBe(0)
    replica.append(commandsEntry(1_000, foundAll(7)))
    const hash = replica.state.stateHash()
    replica.append(commandsEntry(1_000, foundAll(7), foundAll(9), foundAll(11, GROUP + 1)))
    expect(replica.state.stateHash()).toBe(hash)
    expect(replica.state.stats.slots).toBe(16_384)
    expect(replica.read([key], 1_005)).toEqual([
      { type: 'applied', position: { epoch: 7, version: 0, t: 1_005 }, result: { type: 'absent' } },
    ])
  })

  test('ends a read that was under way', () => {
    const replica = new Replica(0)
    const half = foundAll(7)
    if (half.kind === 'found') half.slots.fill(0, 0, 1)
    replica.append(commandsEntry(1_000, half))
    const step = replica.state.beginRead([key], 5)
    if (step.type !== 'fetch') throw new Error(step.type)
    replica.append(commandsEntry(1_000, foundAll(8)))
    expect(replica.state.completeRead(step.ticket, [undefined])).toMatchObject({ type: 'fetch' })
  })
})
