import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { type OperationEvent, QuorateError, connect } from '../src/index.ts'
import { createFakeCluster } from './fake-cluster.ts'
import { ending } from './scripted.ts'

test('set, get, getEntry, del and incr do what they say', async () => {
  const cluster = await createFakeCluster()
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  expect(await time.until(cache.get('user:1'))).toBeUndefined()
  const written = await time.until(cache.set('user:1', { name: 'Ada' }))
  expect(await time.until(cache.get('user:1'))).toEqual({ name: 'Ada' })
  expect(await time.until(cache.getEntry('user:1'))).toEqual({
    value: { name: 'Ada' },
    expiresAt: undefined,
    ...written,
  })
  expect(await time.until(cache.del('user:1'))).toBe(true)
  expect(await time.until(cache.del('user:1'))).toBe(false)
  await time.until(cache.set('hits', 5))
  expect(await time.until(cache.incr('hits'))).toBe(6)
  expect(await time.until(cache.incr('hits', -10))).toBe(-4)
  expect(await time.until(cache.incr('misses', 3))).toBe(3)
  await time.until(cache.close())
})

test('set with a ttl, touch and persist say until when a key lives, and whether there was one', async () => {
  const cluster = await createFakeCluster()
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  const expiresAt = async () => (await time.until(cache.getEntry('key')))?.expiresAt
  const first = await time.until(cache.set('key', 'v', { ttl: 60_000 }))
  const until = (await expiresAt()) ?? 0
  expect(until).toBeGreaterThan(cluster.logTime())
  expect(until).toBeLessThanOrEqual(cluster.logTime() + 60_000)
  expect(await time.until(cache.touch('key', 90_000))).toBe(true)
  expect(await expiresAt()).toBeGreaterThan(until)
  const lost = await time.until(cache.touch('key', 5, { ifVersion: first.version }))
  expect(lost).toMatchObject({ applied: false, value: 'v' })
  const won = await time.until(cache.persist('key', { ifVersion: lost.version }))
  expect(won).toEqual({ applied: true, version: lost.version + 1 })
  expect(await expiresAt()).toBeUndefined()
  expect(await time.until(cache.touch('none', 5))).toBe(false)
  expect(await time.until(cache.persist('none'))).toBe(false)
  await time.until(cache.setMany([['key', 1]], { ttl: 5_000 }))
  expect(await expiresAt()).toBeGreaterThan(0)
  await time.until(cache.set('key', 2))
  expect(await expiresAt()).toBeUndefined()
  await time.until(cache.close())
})

test('a ttl that is no whole number of ms up to ten years is refused before anything is sent', async () => {
  const cluster = await createFakeCluster()
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  const wrong = { code: 'ARGUMENT_INVALID', outcome: 'not-done' }
  for (const ttl of [0, -1, 1.5, Number.NaN, Infinity, 315_576_000_001, '60' as unknown as number]) {
    await expect(time.until(cache.set('key', 1, { ttl }))).rejects.toMatchObject(wrong)
    await expect(time.until(cache.touch('key', ttl))).rejects.toMatchObject(wrong)
    await expect(time.until(cache.setMany([['key', 1]], { ttl }))).rejects.toMatchObject(wrong)
  }
  expect(await time.until(cache.get('key'))).toBeUndefined()
  await time.until(cache.close())
})

test('a lost condition returns what it saw and a won one the new version', async () => {
  const cluster = await createFakeCluster()
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  const first = await time.until(cache.set('key', 'one', { ifAbsent: true }))
  expect(first).toEqual({ applied: true, version: expect.any(Number) })
  const lost = await time.until(cache.set('key', 'two', { ifAbsent: true }))
  expect(lost).toEqual({ applied: false, version: first.version, value: 'one' })
  expect(await time.until(cache.set('other', 1, { ifPresent: true }))).toEqual({
    applied: false,
    version: 0,
    value: undefined,
  })
  const won = await time.until(cache.set('key', 'two', { ifVersion: first.version }))
  expect(won.applied && won.version > first.version).toBe(true)
  expect(await time.until(cache.del('key', { ifVersion: first.version }))).toEqual({
    applied: false,
    version: won.version,
    value: 'two',
  })
  expect(await time.until(cache.del('key', { ifVersion: won.version }))).toEqual({
    applied: true,
    version: won.version + 1,
  })
  await time.until(cache.close())
})

test('incr of what is no integer is an error that changed nothing', async () => {
  const cluster = await createFakeCluster()
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  await time.until(cache.set('text', 'five'))
  await expect(time.until(cache.incr('text'))).rejects.toMatchObject({
    code: 'NOT_A_NUMBER',
    outcome: 'not-done',
  })
  await time.until(cache.set('full', Number.MAX_SAFE_INTEGER))
  await expect(time.until(cache.incr('full'))).rejects.toMatchObject({
    code: 'OVERFLOW',
    outcome: 'not-done',
  })
  await time.until(cache.close())
})

test('getMany returns the hits and setMany a result for each key', async () => {
  const cluster = await createFakeCluster()
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  const results = await time.until(
    cache.setMany(
      new Map<string, unknown>([
        ['a', 1],
        ['b', () => 1],
        ['c', [2]],
      ]),
    ),
  )
  expect(results.get('a')).toEqual({ version: expect.any(Number) })
  expect(results.get('b')).toBeInstanceOf(QuorateError)
  expect(results.get('b')).toMatchObject({ code: 'VALUE_INVALID', outcome: 'not-done' })
  const hits = await time.until(cache.getMany(['a', 'b', 'c', 'a']))
  expect([...hits]).toEqual([
    ['a', 1],
    ['c', [2]],
  ])
  await time.until(cache.close())
})

test('operations of one turn to one node travel in one frame, by shard', async () => {
  const cluster = await createFakeCluster({ shards: 2 })
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  await time.until(Promise.all(Array.from({ length: 100 }, (_, index) => cache.set(`warm${index}`, index))))
  cluster.asked.length = 0
  await time.until(Promise.all(Array.from({ length: 1500 }, (_, index) => cache.get(`key${index}`))))
  expect(cluster.asked).toHaveLength(2)
  expect(new Set(cluster.asked.map(({ at }) => at)).size).toBe(1)
  await time.until(cache.close())
})

test('close ends the sessions at the shards and refuses what comes later', async () => {
  const cluster = await createFakeCluster({ shards: 1 })
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  await time.until(cache.set('key', 1))
  expect(cluster.group(1).sessions.size).toBe(1)
  await time.until(cache.close())
  await cache.close()
  expect(cluster.group(1).sessions.size).toBe(0)
  await expect(cache.get('key')).rejects.toMatchObject({ code: 'CLOSED', outcome: 'not-done' })
  await time.advance(10)
  expect(cluster.node(0).connections.size).toBe(0)
  expect(time.armed).toBe(0)
})

test('status asks every node and reports the one that does not answer', async () => {
  const cluster = await createFakeCluster()
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  cluster.hub.disconnect('n2')
  const reports = await time.until(cache.status())
  expect(reports.map(({ name, status, error }) => [name, status?.['state'], error?.code])).toEqual([
    ['n1', 'serving', undefined],
    ['n2', undefined, 'CANNOT_CONNECT'],
    ['n3', 'serving', undefined],
  ])
  await time.until(cache.close())
})

test('reads that a node could not answer together are repeated each in a section of its own', async () => {
  const cluster = await createFakeCluster({ shards: 1 })
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  await time.until(cache.get('warm up'))
  const asked: number[] = []
  cluster.script = (request) => {
    if (request.type !== 'read') return 'serve'
    asked.push(request.keys.length)
    return request.keys.length > 1 ? { type: 'refused', code: 'OVERLOADED', leader: null } : 'serve'
  }
  // So many that some of them leave in one turn again.
  const keys = Array.from({ length: 200 }, (_, index) => `key ${index}`)
  expect(await time.until(cache.getMany(keys))).toEqual(new Map())
  expect(asked).toEqual([200, ...keys.map(() => 1)])
  await time.until(cache.close())
})

test('large values of one turn leave in sections and frames of their own', async () => {
  const cluster = await createFakeCluster({ shards: 1 })
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime, codec: 'raw' }))
  const value = new Uint8Array(700_000).fill(7)
  const keys = Array.from({ length: 8 }, (_, index) => `key ${index}`)
  const results = await time.until(cache.setMany(keys.map((key) => [key, value] as const)))
  expect([...results.values()].filter((result) => result instanceof QuorateError)).toEqual([])
  // Not `toEqual`, which takes seconds for so many bytes.
  for (const key of keys)
    expect(Buffer.from((await time.until(cache.get<Uint8Array>(key))) ?? []).equals(value)).toBe(true)
  await time.until(cache.close())
})

test('an operation that is given up takes no answer away from those that travelled with it', async () => {
  const cluster = await createFakeCluster({ shards: 1 })
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  await time.until(cache.set('warm up', 1))
  const before = cluster.asked.length
  const abort = new AbortController()
  const attempts: number[] = []
  const observer = (event: OperationEvent): void => void attempts.push(event.attempts)
  const first = ending(cache.set('a', 1, { signal: abort.signal }))
  const second = cache.set('b', 2, { observer })
  while (cluster.asked.length === before) await time.advance(0.5)
  abort.abort()
  expect(await time.until(first)).toEqual({ code: 'ABORTED', outcome: 'unknown' })
  await time.until(second)
  expect(attempts).toEqual([1])
  await time.until(cache.close())
})

test('an operation that has ended listens to its signal no more', async () => {
  const cluster = await createFakeCluster({ shards: 1 })
  const { time } = cluster
  const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  const { signal } = new AbortController()
  const answered = cache.set('a', 1, { signal })
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  await time.until(answered)
  expect(getEventListeners(signal, 'abort')).toEqual([])
  cluster.script = () => 'silent'
  const failed = ending(cache.set('a', 1, { signal, timeout: 50 }))
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  expect(await time.until(failed)).toEqual({ code: 'TIMEOUT', outcome: 'unknown' })
  expect(getEventListeners(signal, 'abort')).toEqual([])
  await time.until(cache.close())
})
