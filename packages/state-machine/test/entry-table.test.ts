// Tables of records against a map of entries: the same keys, values and bytes whatever was put, frozen, released and evicted.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { byteSource } from '../src/byte-source.ts'
import { type Entry, type Known, makeEntry } from '../src/entry.ts'
import { EntryTable } from '../src/entry-table.ts'
import { KnownEntries } from '../src/known-entries.ts'
import { keyHash } from '../src/key-hash.ts'

const seed = { low: 0x1234_5678, high: 0x0bad_cafe }

/** Of a key that is neither the first nor the last of its bytes, as in a payload. */
function put(table: EntryTable, key: Uint8Array, hash: number, { value, version, deadline }: Entry): number {
  const payload = new Uint8Array(7 + key.length + value.length)
  payload.set(key, 3)
  payload.set(value, 5 + key.length)
  const before = table.find(payload, 3, key.length, hash)
  const source = byteSource(payload)
  const valueAt = 5 + key.length
  const ref = table.put(
    before,
    payload,
    3,
    key.length,
    hash,
    source,
    valueAt,
    value.length,
    version,
    deadline,
  )
  // What a table keeps is its own.
  payload.fill(0xee)
  return ref
}

const contents = (table: EntryTable): Map<string, Known> => {
  const found = new Map<string, Known>()
  for (let ref = table.next(0); ref !== 0; ref = table.next(ref)) {
    const name = Buffer.from(table.key(ref)).toString('hex')
    expect(found.has(name)).toBe(false)
    found.set(name, table.known(ref))
  }
  return found
}

/** As `toEqual`, of values of a mebibyte too. */
function expectKnown(found: Known | undefined, expected: Known | undefined): void {
  const { value, ...head } = found ?? { value: null }
  const { value: expectedValue, ...expectedHead } = expected ?? { value: null }
  expect(found === null).toBe(expected === null)
  expect(head).toEqual(expectedHead)
  expect(Buffer.compare(value ?? new Uint8Array(0), expectedValue ?? new Uint8Array(0))).toBe(0)
}

function expectContents(table: EntryTable, expected: ReadonlyMap<string, Known>): void {
  const found = contents(table)
  expect([...found.keys()].toSorted()).toEqual([...expected.keys()].toSorted())
  for (const [name, known] of found) expectKnown(known, expected.get(name))
}

const sizes = [1, 2, 9, 10, 64, 129, 1_000, 70_000, 131_100, 200_000, 1_048_577]
const keys = Array.from({ length: 12 }, (_, at) =>
  new TextEncoder().encode('k'.repeat(1 + ((at * 37) % 60)) + String(at)),
)
const someKey = fc.constantFrom(...keys)
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key: someKey,
      size: fc.oneof({ weight: 7, arbitrary: fc.integer({ min: 1, max: 40 }) }, fc.constantFrom(...sizes)),
      deadline: fc.constantFrom(0, 5, Number.MAX_SAFE_INTEGER),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key: someKey }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), key: someKey }) },
  fc.record({ do: fc.constantFrom('freeze' as const, 'iterate' as const, 'release' as const) }),
)

/** Overlay and hot entries above a store, and what they must say. */
class Memory {
  readonly known: KnownEntries
  readonly truth = new Map<string, Known>()
  readonly store = new Map<string, Known>()
  frozen: Map<string, Known> | null = null
  dirty = new Map<string, Known>()
  /** What was read, and a copy of it that nobody else has. */
  readonly reads: { given: Uint8Array; copy: Uint8Array }[] = []

  constructor(hotBytesMax: number, collide: boolean) {
    this.known = new KnownEntries(hotBytesMax, seed)
    if (collide) this.known.hash = () => 7
  }

  put(key: Uint8Array, known: Known): void {
    const name = Buffer.from(key).toString('hex')
    const hash = this.known.hash(key)
    const { active } = this.known.overlay
    if (known === null) active.putKnown(key, hash, null)
    else put(active, key, hash, known)
    this.truth.set(name, known)
    this.dirty.set(name, known)
  }

  read(key: Uint8Array): void {
    const name = Buffer.from(key).toString('hex')
    const hash = this.known.hash(key)
    const memory = this.known.find(key, hash)
    const found = memory === undefined ? (this.store.get(name) ?? null) : memory
    expectKnown(found, this.truth.get(name) ?? null)
    const dirty = this.dirty.has(name) ? this.dirty : this.frozen
    expectKnown(this.known.findDirty(key, hash), dirty?.get(name))
    if (memory === undefined) this.known.hot.remember(key, hash, found)
    if (found !== null) this.reads.push({ given: found.value, copy: new Uint8Array(found.value) })
  }

  freeze(): void {
    if (this.frozen !== null) return
    this.known.overlay.freeze()
    this.frozen = this.dirty
    this.dirty = new Map()
  }

  iterate(): void {
    const { frozen, active } = this.known.overlay
    expectContents(active, this.dirty)
    if (frozen !== null) expectContents(frozen, this.frozen ?? new Map())
  }

  release(): void {
    if (this.frozen === null) return
    for (const [name, known] of this.frozen) this.store.set(name, known)
    this.frozen = null
    this.known.hot.adopt(this.known.overlay.release())
  }
}

describe('a table of entries', () => {
  test('says what a map would, whatever is frozen, released, evicted and overwritten, and gives only copies', () => {
    fc.assert(
      fc.property(
        fc.array(step, { size: 'max', maxLength: 60 }),
        fc.constantFrom(0, 70, 500, 100_000, 4_000_000),
        fc.boolean(),
        (steps, limit, collide) => {
          const memory = new Memory(limit, collide)
          let version = 0
          for (const one of steps) {
            version += 1
            if (one.do === 'put')
              memory.put(
                one.key,
                makeEntry(one.key, new Uint8Array(one.size).fill(version), version, one.deadline),
              )
            else if (one.do === 'delete') memory.put(one.key, null)
            else if (one.do === 'read') memory.read(one.key)
            else memory[one.do]()
            expect(memory.known.hot.bytes).toBeLessThanOrEqual(limit)
          }
          memory.iterate()
          for (const key of keys) memory.read(key)
          for (const { given, copy } of memory.reads) expect(Buffer.compare(given, copy)).toBe(0)
        },
      ),
      { numRuns: 400 },
    )
  })

  test('of many keys finds each of them and no other, and keeps their order', () => {
    const table = new EntryTable()
    const count = 50_000
    const keyOf = (at: number): Uint8Array => new TextEncoder().encode(`key:${at}`)
    for (let at = 0; at < count; at++) {
      const key = keyOf(at)
      put(
        table,
        key,
        keyHash(seed, key, 0, key.length),
        makeEntry(key, Uint8Array.of(0, at & 255), at + 1, 0),
      )
    }
    expect(table.count).toBe(count)
    for (let at = 0; at < 2 * count; at++) {
      const key = keyOf(at)
      const ref = table.find(key, 0, key.length, keyHash(seed, key, 0, key.length))
      expect(ref === 0 ? 0 : table.records.version(ref)).toBe(at < count ? at + 1 : 0)
    }
    let seen = 0
    for (let ref = table.next(0); ref !== 0; ref = table.next(ref))
      expect(table.records.version(ref)).toBe(++seen)
    expect(seen).toBe(count)
  })

  test('of keys whose hashes are all equal finds each of them', () => {
    const table = new EntryTable()
    const count = 3_500
    const keyOf = (at: number): Uint8Array => new TextEncoder().encode(`key:${at}`)
    for (let at = 0; at < count; at++)
      put(table, keyOf(at), -5, makeEntry(keyOf(at), Uint8Array.of(0), at + 1, 0))
    for (let at = 0; at < count; at += 100) {
      const ref = table.find(keyOf(at), 0, keyOf(at).length, -5)
      expect(table.records.version(ref)).toBe(at + 1)
    }
  })

  test('writes a value that fits over the old one, and holds little more than a value that keeps growing', () => {
    const table = new EntryTable()
    const key = Uint8Array.of(1, 2)
    for (let version = 1; version <= 100; version++)
      put(table, key, 3, makeEntry(key, new Uint8Array(9), version, 0))
    expect(table.bytes).toBe(2 + 9 + 64)
    for (let size = 10; size < 1_000; size++)
      put(table, key, 3, makeEntry(key, new Uint8Array(size), size, 0))
    expect(table.bytes).toBeLessThan(6_000)
    expect(table.count).toBe(1)
  })

  test('gives the memory of a large value back when a small one or a deletion takes its place', () => {
    const table = new EntryTable()
    const key = Uint8Array.of(1, 2)
    for (let round = 0; round < 100_000; round += 1_000) {
      put(table, key, 3, makeEntry(key, new Uint8Array(900_000 + round), 1 + round, 0))
      expect(table.bytes).toBeLessThan(1_300_000)
      put(table, key, 3, makeEntry(key, new Uint8Array(10), 2 + round, 0))
    }
    expect(table.bytes).toBeLessThan(10_000)
    put(table, key, 3, makeEntry(key, new Uint8Array(900_000), 1, 0))
    table.putKnown(key, 3, null)
    expect(table.bytes).toBeLessThan(10_000)
    expect(table.known(table.find(key, 0, 2, 3))).toBeNull()
  })
})

test('HalfSipHash-1-3 of a key does not depend on where the key lies, and depends on the seed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.nat(9), (key, at) => {
      const bytes = new Uint8Array(key.length + 20).fill(0x55)
      bytes.set(key, at)
      const hash = keyHash(seed, bytes, at, key.length)
      expect(hash).toBe(keyHash(seed, key, 0, key.length))
      expect(hash).toBe(hash | 0)
      expect(hash).not.toBe(keyHash({ low: 1, high: 2 }, key, 0, key.length))
    }),
  )
})
