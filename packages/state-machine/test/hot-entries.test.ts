// The cache of clean entries: what it may forget and what it must not say.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, makeEntry } from '../src/entry.ts'
import { createHotEntries } from '../src/hot-entries.ts'
import { createMapOverlay, type Known } from '../src/overlay.ts'

function entry(name: string, version: number, size = 1): Entry {
  return makeEntry(Buffer.from(name), new Uint8Array(size), version, 0)
}

const names = ['a', 'b', 'c', 'd', 'e', 'f']
const step = fc.oneof(
  fc.record({ do: fc.constant('write' as const), name: fc.constantFrom(...names), absent: fc.boolean() }),
  fc.record({
    do: fc.constant('read' as const),
    name: fc.constantFrom(...names),
    absent: fc.constant(false),
  }),
  fc.record({
    do: fc.constantFrom('freeze' as const, 'release' as const),
    name: fc.constant(''),
    absent: fc.constant(false),
  }),
)

test('rule 27: overlay before hot entries before store is always the newest, whatever is evicted', () => {
  fc.assert(
    fc.property(
      fc.array(step, { size: 'max', maxLength: 80 }),
      fc.constantFrom(0, 70, 200, 500, 100_000),
      (steps, limit) => {
        const overlay = createMapOverlay()
        const hot = createHotEntries(limit)
        const truth = new Map<string, Known>()
        const store = new Map<string, Known>()
        let frozen: Map<string, Known> | null = null
        let version = 0
        const wrong: string[] = []
        for (const { do: what, name, absent } of steps) {
          if (what === 'write') {
            version += 1
            const known = absent ? null : entry(name, version)
            truth.set(name, known)
            overlay.put(name, known)
          } else if (what === 'read') {
            const dirty = overlay.find(name)
            const memory = dirty === undefined ? hot.find(name) : dirty
            const found = memory === undefined ? (store.get(name) ?? null) : memory
            if (found !== (truth.get(name) ?? null)) wrong.push(`${name}: ${found?.version ?? 'absent'}`)
            if (memory === undefined) hot.remember(name, found)
          } else if (what === 'freeze' && frozen === null) {
            overlay.freeze()
            frozen = new Map(overlay.frozenEntries())
          } else if (what === 'release' && frozen !== null) {
            for (const [key, known] of frozen) store.set(key, known)
            frozen = null
            hot.adopt(overlay.release())
          }
          expect(hot.bytes).toBeLessThanOrEqual(limit)
        }
        expect(wrong).toEqual([])
      },
    ),
    { numRuns: 500 },
  )
})

test('a large released overlay is taken over as it is and then shrinks to the limit', () => {
  const limit = 100_000
  const hot = createHotEntries(limit)
  hot.remember('early', entry('early', 1))
  const release = (from: number, version: number): void => {
    const overlay = createMapOverlay()
    for (let at = from; at < from + 10_000; at++) overlay.put(`key${at}`, entry(`key${at}`, version))
    overlay.freeze()
    hot.adopt(overlay.release())
  }
  release(1, 2)
  expect(hot.find('early')).toBeUndefined()
  release(5_001, 3)
  for (let call = 0; call < 100; call++) hot.trim()
  expect(hot.bytes).toBeLessThanOrEqual(limit)
  expect(hot.bytes).toBeGreaterThan(limit - 100)
  expect(hot.find('key5001')).toBeUndefined()
  expect(hot.find('key15000')?.version).toBe(3)
})

test('an overlay counts the bytes that it holds', () => {
  const overlay = createMapOverlay()
  overlay.put('ab', entry('ab', 1, 10))
  expect(overlay.bytes).toBe(76)
  overlay.put('ab', null)
  expect(overlay.bytes).toBe(66)
  overlay.freeze()
  overlay.put('ab', entry('ab', 2, 1))
  expect(overlay.bytes).toBe(133)
  expect(overlay.frozenCount).toBe(1)
  overlay.release()
  expect(overlay.bytes).toBe(67)
})

test('rule 27: of two large released overlays the newer one speaks', () => {
  const hot = createHotEntries(100_000_000)
  for (const version of [1, 2, 3]) {
    const overlay = createMapOverlay()
    for (let at = 0; at < 5_000; at++)
      overlay.put(`key${at}`, version === 3 ? null : entry(`key${at}`, version))
    overlay.freeze()
    hot.adopt(overlay.release())
    expect(hot.find('key77')).toEqual(version === 3 ? null : entry('key77', version))
  }
})
