// The log index against a plain array of entries.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EntryMeta } from '../src/index.ts'
import { LogIndex } from '../src/log-index.ts'
import { RECOVERED_ENTRY_BYTES } from '../src/limits.ts'
import { configurationOf } from './support/world.ts'

const initial = configurationOf([1])

function emptyLog(): LogIndex {
  return new LogIndex({
    compacted: { index: 0, term: 0 },
    terms: [],
    lastIndex: 0,
    configurations: [{ index: 0, configuration: initial }],
  })
}

const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      newTerm: fc.boolean(),
      bytes: fc.nat(50),
      members: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), at: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const), at: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('reset' as const), ahead: fc.integer({ min: -4, max: 3 }) }),
  },
)

describe('the log index', () => {
  test('answers like a plain list through appends, truncations (B8, B9), compactions and resets (C2, F6)', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), fc.nat(), fc.nat(4), (actions, probe, hintTerm) => {
        const log = emptyLog()
        let entries: EntryMeta[] = []
        let compacted = { index: 0, term: 0 }
        let base = { index: 0, configuration: initial }
        const placedAt = (index: number) => {
          const entry = entries.findLast((each) => each.index <= index && each.configuration !== undefined)
          return entry?.configuration === undefined
            ? base
            : { index: entry.index, configuration: entry.configuration }
        }
        for (const each of actions) {
          const last = entries.at(-1) ?? { ...compacted, bytes: 0 }
          if (each.kind === 'append') {
            const entry = {
              index: last.index + 1,
              term: Math.max(last.term + (each.newTerm ? 1 : 0), 1),
              bytes: each.bytes,
              ...(each.members === null ? {} : { configuration: configurationOf([each.members]) }),
            }
            entries.push(entry)
            log.append(entry)
          } else if (each.kind === 'reset') {
            // Also below the end of a log that contradicts it.
            const index = Math.max(compacted.index, last.index + each.ahead) + 1
            compacted = { index, term: last.term + 1 }
            base = { index: compacted.index - 1, configuration: configurationOf([9]) }
            entries = []
            log.reset(compacted.index, compacted.term, base.configuration, base.index)
          } else if (entries.length > 0) {
            const { index, term } = entries[each.at % entries.length] ?? last
            if (each.kind === 'truncate') {
              entries = entries.filter((entry) => entry.index < index)
              log.truncateFrom(index)
            } else {
              base = placedAt(index)
              compacted = { index, term }
              entries = entries.filter((entry) => entry.index > index)
              log.compact(index)
            }
          }
        }
        const last = entries.at(-1) ?? compacted
        expect([log.lastIndex, log.lastTerm, log.compactedIndex]).toEqual([
          last.index,
          last.term,
          compacted.index,
        ])
        expect(log.termAt(compacted.index)).toBe(compacted.term)
        expect(log.termAt(compacted.index - 1)).toBe(null)
        expect(log.termAt(last.index + 1)).toBe(null)
        for (const entry of entries) expect(log.termAt(entry.index)).toBe(entry.term)
        expect(log.entriesFrom(compacted.index + 1, Infinity)).toEqual(entries)
        expect({ index: log.configurationIndex, configuration: log.configuration }).toEqual(
          placedAt(last.index),
        )
        const below = compacted.index + (probe % (last.index - compacted.index + 2))
        expect(log.configurationAt(below)).toEqual(placedAt(below))
        const expected =
          entries.findLast((entry) => entry.index <= below && entry.term <= hintTerm)?.index ??
          compacted.index
        expect(log.lastIndexWithTermAtMost(below, hintTerm)).toBe(expected)
        expect(log.bytesBetween(compacted.index, last.index)).toBe(
          entries.reduce((sum, { bytes }) => sum + bytes, 0),
        )
      }),
      { numRuns: 300 },
    )
  })

  test('an append takes its first entry whatever its size, and stops before the limit', () => {
    const log = emptyLog()
    for (const [place, bytes] of [500, 10, 10, 90].entries()) log.append({ index: place + 1, term: 1, bytes })
    expect(log.entriesFrom(1, 100).map(({ index }) => index)).toEqual([1])
    expect(log.entriesFrom(2, 100).map(({ index }) => index)).toEqual([2, 3])
    expect(log.entriesFrom(5, 100)).toEqual([])
  })

  test('entries found at start count with an assumed size', () => {
    const log = new LogIndex({
      compacted: { index: 2, term: 1 },
      terms: [{ firstIndex: 3, term: 1 }],
      lastIndex: 4,
      configurations: [],
    })
    expect(log.entriesFrom(3, Infinity)).toEqual([
      { index: 3, term: 1, bytes: RECOVERED_ENTRY_BYTES },
      { index: 4, term: 1, bytes: RECOVERED_ENTRY_BYTES },
    ])
  })

  test('refuses gaps, falling terms, and truncation of what is compacted', () => {
    const log = emptyLog()
    expect(() => log.append({ index: 2, term: 1, bytes: 0 })).toThrow('LOG_SHAPE')
    log.append({ index: 1, term: 2, bytes: 0 })
    expect(() => log.append({ index: 2, term: 1, bytes: 0 })).toThrow('LOG_SHAPE')
    log.compact(1)
    expect(() => log.truncateFrom(1)).toThrow('LOG_SHAPE')
  })

  test('refuses configurations that are not well formed', () => {
    const log = emptyLog()
    const bad = [
      { voters: [2, 1], outgoing: [], learners: [], learnersNext: [] },
      { voters: [1], outgoing: [], learners: [1], learnersNext: [] },
      { voters: [1], outgoing: [2], learners: [2], learnersNext: [] },
      { voters: [1], outgoing: [], learners: [], learnersNext: [2] },
      { voters: [], outgoing: [1], learners: [], learnersNext: [] },
      { voters: [1.5], outgoing: [], learners: [], learnersNext: [] },
    ]
    for (const configuration of bad) {
      expect(() => log.append({ index: 1, term: 1, bytes: 0, configuration })).toThrow('CONFIGURATION')
    }
  })
})
