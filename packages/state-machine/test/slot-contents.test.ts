// The accounts of the slots against a map of objects.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addHash, emptySum, type Hash } from '../src/hash.ts'
import { hashContent, type SlotContent } from '../src/slot-content.ts'
import { SlotContents } from '../src/slot-contents.ts'

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), slot: fc.nat(40), low: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('remove' as const), slot: fc.nat(40), low: fc.nat() }),
  },
  fc.record({ do: fc.constantFrom('freeze' as const, 'release' as const, 'hash' as const) }),
)

const hashOfAll = (slots: ReadonlyMap<number, readonly number[]>): Hash => {
  const sum = emptySum()
  for (const [slot, lows] of slots) if (lows.length > 0) addHash(sum, hashContent(contentOf(slot, lows)))
  return sum
}

/** Entries of 70 bytes, each with a hash of (low, low * 3). */
function contentOf(slot: number, lows: readonly number[]): SlotContent {
  const hash = emptySum()
  for (const low of lows) addHash(hash, { low, high: low * 3 })
  return { slot, count: lows.length, pinnedBytes: 0, bytes: 70 * lows.length, ...hash }
}

test('slots count what a map of them would, and a frozen part keeps the moment of its freeze', () => {
  fc.assert(
    fc.property(fc.array(step, { size: 'max', maxLength: 120 }), (steps) => {
      const hashes: [found: Hash, expected: Hash][] = []
      const contents = new SlotContents()
      const slots = new Map<number, number[]>()
      let dirty = new Set<number>()
      let frozen: SlotContent[] | null = null
      const bySlot = (list: readonly SlotContent[]): SlotContent[] =>
        list.toSorted((left, right) => left.slot - right.slot)
      for (const one of steps) {
        if (one.do === 'add') {
          slots.set(one.slot, [...(slots.get(one.slot) ?? []), one.low])
          dirty.add(one.slot)
          contents.change(one.slot, 1, 70, one.low, one.low * 3)
        } else if (one.do === 'remove') {
          const low = slots.get(one.slot)?.pop()
          if (low === undefined) continue
          dirty.add(one.slot)
          contents.change(one.slot, -1, -70, -low, -low * 3)
        } else if (one.do === 'freeze' && frozen === null) {
          contents.freeze()
          frozen = [...dirty].map((slot) => contentOf(slot, slots.get(slot) ?? []))
          dirty = new Set()
        } else if (one.do === 'release' && frozen !== null) {
          contents.release()
          frozen = null
        } else if (one.do === 'hash') hashes.push([contents.hash(), hashOfAll(slots)])
        expect(frozen === null || bySlot([...contents.frozen()])).toEqual(frozen === null || bySlot(frozen))
      }
      hashes.push([contents.hash(), hashOfAll(slots)])
      for (const [found, expected] of hashes) expect(found).toEqual(expected)
      for (let slot = 0; slot <= 41; slot++)
        expect(contents.has(slot)).toBe((slots.get(slot)?.length ?? 0) > 0)
    }),
    { numRuns: 100 },
  )
})

test('a slot whose accounts do not add up to nothing without entries is a broken invariant', () => {
  const contents = new SlotContents()
  contents.change(5, 1, 70, 11, 12)
  expect(() => contents.change(5, -1, -70, -11, -13)).toThrow('slot 5')
})
