// A checkpoint read back row by row: what was written agrees with itself, and whatever was changed since does not.
import { type Section, slotOf } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CheckpointRow, createScrub, rowKind } from '../src/index.ts'
import { commandsEntry, foundFor, GROUP, Replica } from './support/replica.ts'
import { Run } from './support/run-scenario.ts'
import { allSteps } from './support/scenario.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const keys = ['a', 'b', 'c', '{a}1', '{a}2'].map(bytesOf)
/** Founded and never written. */
const unused = bytesOf('unused')
const never = Number.MAX_SAFE_INTEGER

function setAll(text: string, from: number): Section {
  return {
    kind: 'commands',
    group: GROUP,
    session: { group: GROUP, version: 1 },
    ackedUpTo: 0,
    commands: keys.map((key, at) => ({
      op: 'set',
      sequence: from + at,
      notAfter: never,
      key,
      value: { type: 'bytes', bytes: bytesOf(text) },
      condition: { type: 'always' },
      // The fourth and fifth share a slot with the first.
      ttl: at === 0 || at === 3 ? 60_000 : 0,
    })),
  }
}

/** Five entries in three slots, an owned slot without entries, two sessions. */
function written(): Replica {
  const replica = new Replica(0)
  const open = { kind: 'openSession', group: GROUP, notAfter: never } as const
  replica.append(commandsEntry(1_000, open, open, foundFor([...keys, unused], 4)))
  replica.append(commandsEntry(1_001, setAll('first', 1)))
  replica.checkpoint()
  return replica
}

function inOrder(rows: readonly CheckpointRow[]): CheckpointRow[] {
  return rows.toSorted(
    (left, right) => left.kind - right.kind || left.slot - right.slot || Buffer.compare(left.key, right.key),
  )
}

function scrubbed(
  rows: readonly CheckpointRow[],
  machine: Uint8Array | null,
  pageRows = 3,
  group = GROUP,
): string | null {
  const scrub = createScrub(group, machine)
  for (let at = 0; at < rows.length; at += pageRows) scrub.rows(rows.slice(at, at + pageRows))
  return scrub.finish()
}

const flip = (bytes: Uint8Array, at: number, bit: number): Uint8Array =>
  bytes.map((byte, place) => (place === at % bytes.length ? byte ^ (1 << bit) : byte))

describe('a scrub', () => {
  test('G2: finds nothing in any checkpoint of any history, whatever the pages', () => {
    fc.assert(
      fc.property(allSteps, fc.integer({ min: 1, max: 9 }), (steps, pageRows) => {
        const run = new Run(0)
        for (const step of steps) {
          run.step(step)
          if (step.do !== 'release' && step.do !== 'write') continue
          const { storedRows, storedMachine } = run.replica
          expect(scrubbed(inOrder(storedRows), storedMachine, pageRows)).toBeNull()
        }
        if (run.replica.checkpointOpen) run.replica.release()
        run.replica.checkpoint()
        const { storedRows, storedMachine } = run.replica
        expect(storedMachine).not.toBeNull()
        expect(scrubbed(inOrder(storedRows), storedMachine, pageRows)).toBeNull()
      }),
      { numRuns: 150 },
    )
  })

  test('G2: finds every single missing row', () => {
    const { storedRows, storedMachine } = written()
    expect(new Set(storedRows.map(({ kind }) => kind))).toEqual(new Set([1, 2, 3, 4, 5]))
    for (const missing of storedRows)
      expect(scrubbed(inOrder(storedRows.filter((row) => row !== missing)), storedMachine)).not.toBeNull()
  })

  test('G2: finds a missing entry, and a missing slot row of an entry, also without the head', () => {
    const { storedRows } = written()
    expect(scrubbed(inOrder(storedRows), null)).toBeNull()
    const used = new Set(keys.map(slotOf))
    const counted = storedRows.filter(
      ({ kind, slot }) => (kind === rowKind.slot || kind === rowKind.entry) && used.has(slot),
    )
    expect(counted.length).toBe(used.size + keys.length)
    for (const missing of counted)
      expect(scrubbed(inOrder(storedRows.filter((row) => row !== missing)), null)).toMatch(/^slot \d+: /)
  })

  test('G2: finds every flipped bit', () => {
    const { storedRows, storedMachine } = written()
    const rows = inOrder(storedRows)
    for (const [place, row] of rows.entries())
      for (let at = 0; at < row.value.length; at++)
        for (const bit of [0, 3, 7]) {
          const changed = rows.with(place, { ...row, value: flip(row.value, at, bit) })
          expect(scrubbed(changed, storedMachine), `row ${place}, byte ${at}, bit ${bit}`).not.toBeNull()
        }
  })

  test('G2: finds every row that is still, or again, as an older checkpoint wrote it', () => {
    const replica = written()
    const old = inOrder(replica.storedRows)
    replica.append(commandsEntry(2_000, setAll('other', 11)))
    replica.checkpoint()
    const rows = inOrder(replica.storedRows)
    let stale = 0
    for (const [place, row] of old.entries()) {
      if (Buffer.compare(row.value, rows[place]?.value ?? new Uint8Array(0)) === 0) continue
      stale += 1
      expect(scrubbed(rows.with(place, row), replica.storedMachine)).not.toBeNull()
    }
    // Every entry, their slots, the session that wrote them.
    expect(stale).toBe(keys.length + new Set(keys.map(slotOf)).size + 1)
  })

  test('G2: finds an extra row, one of another kind, one in the wrong slot, one twice', () => {
    const { storedRows, storedMachine } = written()
    const rows = inOrder(storedRows)
    const entry = rows.find(({ kind }) => kind === rowKind.entry)
    const session = rows.find(({ kind }) => kind === rowKind.session)
    const deadline = rows.find(({ kind }) => kind === rowKind.deadline)
    if (entry === undefined || session === undefined || deadline === undefined)
      throw new Error('a kind is missing')
    const newSession = new Uint8Array(session.key)
    newSession[11] = 9
    const extras: CheckpointRow[] = [
      { ...entry, slot: slotOf(unused), key: unused },
      { ...entry, slot: slotOf(bytesOf('foreign')), key: bytesOf('foreign') },
      { ...entry, slot: entry.slot + 1 },
      { ...session, key: newSession },
      { ...session, slot: 1 },
      { ...entry, kind: 6 },
      { ...deadline, key: deadline.key.with(7, deadline.key[7] === 0 ? 1 : 0) },
      { ...deadline, slot: 1 },
      { ...deadline, key: deadline.key.subarray(0, 8) },
    ]
    for (const extra of extras) expect(scrubbed(inOrder([...rows, extra]), storedMachine)).not.toBeNull()
    for (const twice of rows) expect(scrubbed(inOrder([...rows, twice]), storedMachine)).toMatch(/order/)
  })

  test('refuses rows out of order, the head of another checkpoint and another group', () => {
    const replica = written()
    const rows = inOrder(replica.storedRows)
    const before = replica.storedMachine
    expect(scrubbed(rows.toReversed(), before)).toMatch(/out of order/)
    expect(scrubbed(rows, before, 3, GROUP + 1)).toMatch(/do not add up/)
    replica.append(commandsEntry(2_000, setAll('other', 11)))
    replica.checkpoint()
    expect(scrubbed(inOrder(replica.storedRows), before)).toMatch(/do not add up/)
  })

  test('says a difference as soon as it is known and sticks to it', () => {
    const { storedRows, storedMachine } = written()
    const rows = inOrder(storedRows)
    const scrub = createScrub(GROUP, storedMachine)
    const said = scrub.rows([{ kind: 1, slot: 0, key: new Uint8Array(0), value: new Uint8Array(3) }])
    expect(said).not.toBeNull()
    expect(scrub.rows(rows)).toBe(said)
    expect(scrub.finish()).toBe(said)
    expect(() => scrub.rows(rows)).toThrow(/behind the end/)
  })

  test('answers any bytes with words, never with an exception', () => {
    const row = fc.record({
      kind: fc.integer({ min: 0, max: 5 }),
      slot: fc.nat(70_000),
      key: fc.uint8Array(),
      value: fc.uint8Array(),
    })
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 75 }), fc.array(row, { minLength: 1 }), (machine, rows) => {
        expect(scrubbed(inOrder(rows), machine)).not.toBeNull()
      }),
    )
  })
})
