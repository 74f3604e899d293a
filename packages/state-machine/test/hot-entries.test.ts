// The cache of clean entries: what it may forget and what it must not say.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, type Known, makeEntry } from '../src/entry.ts'
import { HotEntries } from '../src/hot-entries.ts'
import { keyHash } from '../src/key-hash.ts'
import { KnownEntries } from '../src/known-entries.ts'
import { Overlay } from '../src/overlay.ts'

function entry(name: string, version: number, size = 1): Entry {
  return makeEntry(Buffer.from(name), new Uint8Array(size), version, 0)
}

const bytesOf = (name: string): Uint8Array => new Uint8Array(Buffer.from(name))
const hashOf = (name: string): number => keyHash({ low: 1, high: 2 }, bytesOf(name), 0, name.length)

function put(overlay: Overlay, name: string, known: Known): void {
  overlay.active.putKnown(bytesOf(name), hashOf(name), known)
}

function find(hot: HotEntries, name: string): Known | undefined {
  const key = bytesOf(name)
  for (const table of hot.tables.toReversed()) {
    const ref = table.find(key, 0, key.length, hashOf(name))
    if (ref !== 0) return table.known(ref)
  }
  return undefined
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
        const known = new KnownEntries(limit, { low: 1, high: 2 })
        const { overlay, hot } = known
        const truth = new Map<string, Known>()
        const store = new Map<string, Known>()
        let dirty = new Map<string, Known>()
        let frozen: Map<string, Known> | null = null
        let version = 0
        const wrong: string[] = []
        for (const { do: what, name, absent } of steps) {
          if (what === 'write') {
            version += 1
            const written = absent ? null : entry(name, version)
            truth.set(name, written)
            dirty.set(name, written)
            put(overlay, name, written)
          } else if (what === 'read') {
            const memory = known.find(bytesOf(name), hashOf(name))
            const found = memory === undefined ? (store.get(name) ?? null) : memory
            if (found?.version !== truth.get(name)?.version)
              wrong.push(`${name}: ${found?.version ?? 'absent'}`)
            if (memory === undefined) hot.remember(bytesOf(name), hashOf(name), found)
          } else if (what === 'freeze' && frozen === null) {
            overlay.freeze()
            frozen = dirty
            dirty = new Map()
          } else if (what === 'release' && frozen !== null) {
            for (const [key, written] of frozen) store.set(key, written)
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
  const hot = new HotEntries(limit)
  hot.remember(bytesOf('early'), hashOf('early'), entry('early', 1))
  const release = (from: number, version: number): void => {
    const overlay = new Overlay()
    for (let at = from; at < from + 10_000; at++) put(overlay, `key${at}`, entry(`key${at}`, version))
    overlay.freeze()
    hot.adopt(overlay.release())
  }
  release(1, 2)
  expect(find(hot, 'early')).toBeUndefined()
  release(5_001, 3)
  for (let call = 0; call < 200; call++) hot.trim()
  expect(hot.bytes).toBeLessThanOrEqual(limit)
  expect(hot.bytes).toBeGreaterThan(limit - 100)
  expect(find(hot, 'key5001')).toBeUndefined()
  expect(find(hot, 'key15000')?.version).toBe(3)
})

test('a released overlay of few large entries is not copied: a node would stand still as long', () => {
  const hot = new HotEntries(67_108_864)
  const known = { ...entry('large', 1), value: new Uint8Array(1_000_000) }
  const overlay = new Overlay()
  for (let at = 0; at < 10; at++) put(overlay, `key${at}`, known)
  overlay.freeze()
  const released = overlay.release()
  hot.adopt(released)
  expect(hot.tables).toHaveLength(1)
  expect(hot.tables[0]).toBe(released)
  expect(find(hot, 'key9')?.value).toHaveLength(1_000_000)
})

test('an overlay counts the memory that it holds: a smaller value or a deletion leaves the room of the one before', () => {
  const overlay = new Overlay()
  put(overlay, 'ab', entry('ab', 1, 10))
  expect(overlay.bytes).toBe(76)
  put(overlay, 'ab', null)
  expect(overlay.bytes).toBe(76)
  overlay.freeze()
  put(overlay, 'ab', entry('ab', 2, 1))
  expect(overlay.bytes).toBe(143)
  expect(overlay.frozen?.count).toBe(1)
  overlay.release()
  expect(overlay.bytes).toBe(67)
})

test('rule 27: of two large released overlays the newer one speaks', () => {
  const hot = new HotEntries(100_000_000)
  for (const version of [1, 2, 3]) {
    const overlay = new Overlay()
    for (let at = 0; at < 5_000; at++)
      put(overlay, `key${at}`, version === 3 ? null : entry(`key${at}`, version))
    overlay.freeze()
    hot.adopt(overlay.release())
    expect(find(hot, 'key77')).toEqual(version === 3 ? null : entry('key77', version))
  }
})

test('what was found while hot entries are pinned is found until they are not, whatever comes', () => {
  const hot = new HotEntries(200)
  const remember = (name: string): void => hot.remember(bytesOf(name), hashOf(name), entry(name, 1))
  remember('found')
  hot.pin()
  for (let at = 0; at < 20; at++) {
    remember(`key${at}`)
    const overlay = new Overlay()
    for (let other = 0; other < 5_000; other++) put(overlay, `other${at}.${other}`, null)
    overlay.freeze()
    hot.adopt(overlay.release())
  }
  expect(find(hot, 'found')?.version).toBe(1)
  for (let call = 0; call < 200; call++) hot.unpin()
  expect(find(hot, 'found')).toBeUndefined()
  expect(hot.bytes).toBeLessThanOrEqual(200)
})
