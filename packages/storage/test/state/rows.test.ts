// The pieces under the state store: keys, seals, heads, chains, slices, CRC-32C.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStateWorld } from '../../src/index.ts'
import { head, row } from '../../src/state/conformance/world.ts'
import { crc32c } from '../../src/state/crc32c.ts'
import { decodeHead, encodeHead, MalformedHeadError } from '../../src/state/head-row.ts'
import { MemoryDirectory, type RowOperation } from '../../src/state/memory-directory.ts'
import { MemoryEngine } from '../../src/state/memory-engine.ts'
import { OrderedRows } from '../../src/state/ordered-rows.ts'
import {
  generationRange,
  rowKey,
  rowPlace,
  SYSTEM_KIND,
  systemKey,
  userKey,
} from '../../src/state/row-key.ts'
import { sealValue, unsealValue } from '../../src/state/row-seal.ts'
import type { RowBatch } from '../../src/state/row-engine.ts'
import { CHAIN_ROWS, putCheckpointRow, putWriteRow, readChains } from '../../src/state/write-chain.ts'
import { seededRandom, VirtualTimers } from './virtual-timers.ts'

const place = fc.record({
  group: fc.integer({ min: 0, max: 0xffff_fffe }),
  generation: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 }),
  kind: fc.integer({ min: 1, max: 250 }),
  slot: fc.integer({ min: 0, max: 16_383 }),
  key: fc.uint8Array({ maxLength: 20 }),
})

describe('row keys', () => {
  it('a key says what it was made of, and lies in the range of its generation only', () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        const key = rowKey(one.group, one.generation, one)
        const { group, generation, kind, slot } = one
        expect(rowPlace(key)).toEqual({ group, generation, kind, slot })
        expect(userKey(key)).toEqual(one.key)
        const { from, to } = generationRange(other.group, other.generation)
        const inside = Buffer.compare(key, from) >= 0 && Buffer.compare(key, to) < 0
        expect(inside).toBe(group === other.group && generation === other.generation)
      }),
    )
  })

  it('keys sort as kind, slot and user key do', () => {
    fc.assert(
      fc.property(place, place, (one, other) => {
        const expected = one.kind - other.kind || one.slot - other.slot || Buffer.compare(one.key, other.key)
        expect(Math.sign(Buffer.compare(rowKey(1, 2, one), rowKey(1, 2, other)))).toBe(Math.sign(expected))
      }),
    )
  })
})

describe('seals', () => {
  it('a sealed value comes back under its key, and any flipped bit of key or value is noticed', () => {
    fc.assert(
      fc.property(place, fc.uint8Array({ maxLength: 60 }), fc.nat(), (at, value, draw) => {
        const key = rowKey(at.group, at.generation, at)
        const sealed = sealValue(key, value)
        expect(unsealValue(key, sealed)).toEqual(value)
        const whole = Buffer.concat([key, sealed])
        const bit = draw % (whole.length * 8)
        whole[bit >>> 3] = (whole[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
        expect(unsealValue(whole.subarray(0, key.length), whole.subarray(key.length))).toBeNull()
      }),
    )
  })

  it('CRC-32C is the one of RFC 3720', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283)
    expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa)
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43)
    expect(crc32c(new Uint8Array(0))).toBe(0)
  })
})

function outcome(noise: Uint8Array): string {
  try {
    decodeHead(noise)
    return 'a head'
  } catch (error) {
    return error instanceof Error ? error.name : 'no error'
  }
}

describe('head rows', () => {
  it('a head comes back as it was', () => {
    const number = fc.nat({ max: Number.MAX_SAFE_INTEGER })
    const list = fc.array(number, { maxLength: 5 })
    const configuration = fc.record({ voters: list, outgoing: list, learners: list, learnersNext: list })
    fc.assert(
      fc.property(
        configuration,
        fc.array(number, { minLength: 5, maxLength: 5 }),
        fc.uint8Array(),
        (members, numbers, machine) => {
          const [incarnation = 0, generation = 0, appliedIndex = 0, appliedTerm = 0, configurationIndex = 0] =
            numbers
          const heads = { incarnation, generation, appliedIndex, appliedTerm, configurationIndex }
          const whole = { group: 7, ...heads, configuration: members, machine }
          expect(decodeHead(encodeHead(whole))).toEqual(whole)
        },
      ),
    )
  })

  it('bytes that are no head are refused with a typed error, whatever they are', () => {
    const bytes = encodeHead({ ...head(1, 2, 3), machine: new Uint8Array(0) })
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeHead(bytes.subarray(0, length))).toThrow(MalformedHeadError)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(outcome(noise)).toMatch(/^(?:a head|MalformedHeadError)$/)
      }),
    )
  })
})

describe('ordered rows', () => {
  it('hold what a sorted map would, and a range once taken does not change', () => {
    const step = fc.tuple(
      fc.uint8Array({ maxLength: 2 }),
      fc.option(fc.uint8Array({ maxLength: 2 })),
      fc.boolean(),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.uint8Array({ maxLength: 2 }), (steps, bound) => {
        const rows = new OrderedRows()
        const model = new Map<string, Uint8Array>()
        const high = new Uint8Array([255, 255, 255])
        const expected = (from: Uint8Array): string[] =>
          [...model.keys()]
            .toSorted((a, b) => Buffer.compare(Buffer.from(a, 'hex'), Buffer.from(b, 'hex')))
            .filter((key) => Buffer.compare(Buffer.from(key, 'hex'), from) >= 0)
            .map((key) => `${key}:${Buffer.from(model.get(key) ?? []).toString('hex')}`)
        const found = (range: readonly (readonly [Uint8Array, Uint8Array])[]): string[] =>
          range.map(
            ([key, value]) => `${Buffer.from(key).toString('hex')}:${Buffer.from(value).toString('hex')}`,
          )
        for (const [key, value, look] of steps) {
          const before = look ? rows.range(bound, high) : []
          const asSeen = found(before)
          if (value === null) rows.delete(key)
          else rows.set(key, value)
          if (value === null) model.delete(Buffer.from(key).toString('hex'))
          else model.set(Buffer.from(key).toString('hex'), value)
          expect(found(before)).toEqual(asSeen)
        }
        expect(found(rows.range(bound, high))).toEqual(expected(bound))
        expect(rows.size).toBe(model.size)
      }),
    )
  })
})

describe('chains of numbers', () => {
  const newest = CHAIN_ROWS + 10
  const operations: RowOperation[] = []
  const collect = {
    put: (key: Uint8Array, value: Uint8Array) => operations.push([key, value]),
  } as unknown as RowBatch
  for (let number = newest - CHAIN_ROWS + 1; number <= newest; number += 1) {
    putWriteRow(collect, { writeNumber: number, checkpointNumber: number, lastGeneration: 4, headCount: 2 })
    putCheckpointRow(collect, { checkpointNumber: number, position: number * 3 })
  }

  async function damageAfter(hurt: (directory: MemoryDirectory) => void): Promise<string | null> {
    const directory = new MemoryDirectory()
    for (const [key, value] of operations) directory.rows.set(key, value ?? new Uint8Array(0))
    hurt(directory)
    const engine = new MemoryEngine(directory, {
      timers: new VirtualTimers(),
      random: seededRandom(1),
      latency: () => ({ minMs: 0, maxMs: 0 }),
    })
    const { write, checkpoint, damage } = await readChains(engine)
    expect([write.writeNumber, write.lastGeneration, write.headCount]).toEqual([newest, 4, 2])
    expect([checkpoint.checkpointNumber, checkpoint.position]).toEqual([newest, newest * 3])
    return damage
  }

  it('G2: after more numbers than rows a complete chain has no gap, and a row of the round before is one', async () => {
    expect(await damageAfter(() => {})).toBeNull()
    const stale = systemKey(SYSTEM_KIND.checkpoint, 5)
    const rows: RowOperation[] = []
    putCheckpointRow(
      { put: (key: Uint8Array, value: Uint8Array) => rows.push([key, value]) } as unknown as RowBatch,
      {
        checkpointNumber: 5,
        position: 15,
      },
    )
    const before = rows[0]?.[1] ?? new Uint8Array(0)
    expect(await damageAfter((directory) => directory.rows.set(stale, before))).toBe(
      `checkpoint ${CHAIN_ROWS + 5} is missing below ${newest}`,
    )
    expect(await damageAfter((directory) => directory.rows.delete(systemKey(SYSTEM_KIND.write, 300)))).toBe(
      `batch 300 is missing below ${newest}`,
    )
  })
})

describe('slices', () => {
  it('no turn of the event loop puts more than about a millisecond of rows into a batch', async () => {
    const timers = new VirtualTimers()
    const store = await createMemoryStateWorld({ timers, random: seededRandom(1) }).open('node', 'd')
    const generation = await store.nextGeneration()
    let turn = 0
    let done = false
    const count = (): void => {
      turn += 1
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    const perTurn = new Map<number, number>()
    const bytesEach = 100
    function* changes() {
      for (let at = 0; at < 5_000; at += 1) {
        perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1)
        yield row(`k${at}`, 'v'.repeat(bytesEach))
      }
    }
    await store.checkpoint([{ head: head(1, generation, 1), changes: changes() }], 1)
    done = true
    // 64 KiB per slice at about 320 bytes a row, counted with its fixed cost.
    expect(Math.max(...perTurn.values())).toBeLessThan(250)
    expect([...perTurn.values()].reduce((sum, rows) => sum + rows, 0)).toBe(5_000)
  })
})
