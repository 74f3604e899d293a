// What operations under way will say is kept in memory that is used again: never while it is needed.
import { type Draft, DraftChunk, commandDraftBytes } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { WriteBody } from '../src/calls/call.ts'
import { type DraftOwner, Drafts, NO_DRAFT } from '../src/calls/drafts.ts'
import { DRAFT_CHUNK_BYTES_MAX } from '../src/limits.ts'
import { createScripted, ending, refused } from './scripted.ts'

const GROUPS = 2
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('write' as const), group: fc.nat(GROUPS), bytes: sizes() }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('release' as const), which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('isolate' as const), which: fc.nat() }) },
)

describe('drafts', () => {
  test('nobody’s draft changes until it is released', () => {
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const drafts = new Drafts()
      const live = new Map<DraftOwner, Uint8Array>()
      const released: DraftOwner[] = []
      for (const [index, one] of steps.entries()) {
        if (one.type === 'write') {
          const body = set(index, one.bytes)
          const owner: DraftOwner = { ...NO_DRAFT }
          drafts.write(owner, one.group, body)
          const alone = new DraftChunk(0)
          alone.command(body)
          live.set(owner, written({ chunk: alone, offset: 0, length: commandDraftBytes(body) }))
        } else {
          const [owner] = [...live.keys()].slice(one.which % Math.max(live.size, 1))
          if (owner === undefined) continue
          if (one.type === 'isolate') drafts.isolate(owner)
          else {
            drafts.release(owner)
            live.delete(owner)
            released.push(owner)
          }
        }
        for (const [owner, bytes] of live) expect(Buffer.compare(written(owner), bytes)).toBe(0)
      }
      for (const owner of released) expect(owner).toEqual(NO_DRAFT)
    })
    fc.assert(property, { numRuns: 200 })
  })

  test('memory is used again as soon as nothing in it is needed, and grows with what is under way at once', () => {
    const drafts = new Drafts()
    const turn = (operations: number): Set<DraftChunk> => {
      const owners = Array.from({ length: operations }, (_, index): DraftOwner => {
        const owner: DraftOwner = { ...NO_DRAFT }
        drafts.write(owner, 1, set(index, 128))
        return owner
      })
      const chunks = new Set(owners.map(({ chunk }) => chunk))
      for (const owner of owners) drafts.release(owner)
      return chunks
    }
    const [first] = turn(10)
    for (let round = 0; round < 100; round += 1) expect([...turn(10)]).toEqual([first])
    // 160 bytes each: more than fits the first chunk, less than fits the largest.
    for (let round = 0; round < 5; round += 1) turn(300)
    const settled = [...turn(300)]
    expect(settled).toHaveLength(1)
    expect(settled[0]?.capacity).toBe(DRAFT_CHUNK_BYTES_MAX)
  })

  test('an operation that has to wait keeps its own bytes and no more', () => {
    const drafts = new Drafts()
    const [stuck, other]: DraftOwner[] = [{ ...NO_DRAFT }, { ...NO_DRAFT }]
    if (stuck === undefined || other === undefined) throw new Error('two owners')
    drafts.write(stuck, 1, set(1, 100))
    const { chunk, length } = stuck
    drafts.write(other, 1, set(2, 100))
    expect(other.chunk).toBe(chunk)
    drafts.isolate(stuck)
    expect(stuck.chunk).not.toBe(chunk)
    expect([stuck.chunk.capacity, stuck.offset, stuck.length, chunk.live]).toEqual([length, 0, length, 1])
    const own = stuck.chunk
    drafts.isolate(stuck)
    expect(stuck.chunk).toBe(own)
    // One with nothing to say has nothing to keep.
    const none: DraftOwner = { ...NO_DRAFT }
    drafts.isolate(none)
    expect(none).toEqual(NO_DRAFT)
  })
})

test('a retry says the same again, however many operations came and went meanwhile', async () => {
  const scripted = await createScripted({ codec: 'raw' })
  const { cluster, cache } = scripted
  const value = new Uint8Array(200).fill(7)
  const key = Uint8Array.from(Buffer.from('stuck'))
  scripted.say('silent')
  const stuck = ending(cache.set(key, value, { timeout: 3_000 }))
  // The caller's arrays are its own again.
  value.fill(1)
  key.fill(1)
  await cluster.time.advance(20)
  for (let index = 0; index < 200; index += 1) {
    await cluster.time.until(cache.set(`k${index % 7}`, new Uint8Array(index).fill(index)))
  }
  await cluster.time.until(stuck)
  const told = scripted.events.at(-1)
  expect(told).toMatchObject({ op: 'set', outcome: 'ok', key: new Uint8Array(Buffer.from('stuck')) })
  expect(told?.attempts).toBeGreaterThan(1)
  expect(await cluster.time.until(cache.get('stuck'))).toEqual(new Uint8Array(200).fill(7))
  await cluster.time.until(cache.close())
})

test('every operation gives its memory back at its end, whatever that is, and waits with its own', async () => {
  const spies = (['write', 'release', 'isolate'] as const).map((name) => vi.spyOn(Drafts.prototype, name))
  const calls = (): readonly number[] => spies.map((spy) => spy.mock.calls.length)
  const scripted = await createScripted()
  const { cluster, cache } = scripted
  const [before = 0, , isolated = 0] = calls()
  await cluster.time.until(cache.get('ok'))
  expect(calls()).toEqual([before + 1, before + 1, isolated])
  // Refused, paused, tried again; then open until the deadline; then aborted; then closed.
  scripted.say(refused('OVERLOADED'), 'serve')
  await cluster.time.until(cache.set('paused', 1))
  expect(calls()).toEqual([before + 2, before + 2, isolated + 1])
  scripted.say('silent', 'silent', 'silent')
  await cluster.time.until(ending(cache.set('passed over', 1, { timeout: 900 })))
  const [, , again = 0] = calls()
  expect(calls()).toEqual([before + 3, before + 3, again])
  expect(again).toBeGreaterThan(isolated + 1)
  scripted.say('silent', 'silent')
  const abort = new AbortController()
  const aborted = ending(cache.set('aborted', 1, { signal: abort.signal }))
  const closed = ending(cache.set('closed', 1))
  await cluster.time.advance(10)
  abort.abort()
  await cluster.time.until(aborted)
  await cluster.time.until(cache.close())
  await cluster.time.until(closed)
  const [writes = 0, releases = 0] = calls()
  expect([writes, releases]).toEqual([before + 5, before + 5])
  await cluster.time.until(ending(cache.get('refused before it began')))
  expect(calls().slice(0, 2)).toEqual([writes, releases])
  for (const spy of spies) spy.mockRestore()
})

function sizes(): fc.Arbitrary<number> {
  return fc.oneof(fc.nat(300), fc.constantFrom(DRAFT_CHUNK_BYTES_MAX - 30, DRAFT_CHUNK_BYTES_MAX + 1))
}

function written({ chunk, offset, length }: Draft): Uint8Array {
  return chunk.writer.written(offset, offset + length).slice()
}

function set(seed: number, bytes: number): WriteBody {
  const key = Uint8Array.of(1 + (seed % 200))
  const value = { type: 'bytes', bytes: new Uint8Array(bytes).fill(seed) } as const
  const condition = { type: 'always' } as const
  return { kind: 'write', op: 'set', sequence: 0, notAfter: 0, slot: 0, key, value, condition, ttl: 0 }
}
