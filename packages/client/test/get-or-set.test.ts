// One loader in the whole cluster, whatever happens to it.
import { expect, expectTypeOf, test } from 'vitest'
import { type Cache, type Loader, connect } from '../src/index.ts'
import { placeholder } from '../src/fill/placeholder.ts'
import type { FakeCluster } from './fake-cluster.ts'
import { createScripted, ending } from './scripted.ts'

async function open() {
  const scripted = await createScripted()
  const { cluster } = scripted
  const run = <T>(promise: Promise<T>) => cluster.time.until(promise)
  return { ...scripted, run, other: await another(cluster) }
}

function another(cluster: FakeCluster): Promise<Cache> {
  return cluster.time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
}

interface Slow<V> {
  readonly loader: Loader<V>
  calls: number
  signal: AbortSignal | null
}

/** A loader that takes so long of the cluster's time. */
function slow<V>({ time }: FakeCluster, value: V, ms = 100): Slow<V> {
  const state: Slow<V> = {
    calls: 0,
    signal: null,
    loader: ({ signal }) => {
      state.calls += 1
      state.signal = signal
      return new Promise((resolve) => void time.timers.after(ms, () => resolve(value)))
    },
  }
  return state
}

const hang = <V>(): Promise<V> => new Promise(() => undefined)

test('of all who miss a key at once, in all clients, one loads and everybody gets its value', async () => {
  const { cluster, cache, other, run } = await open()
  const source = slow(cluster, { loaded: true })
  const callers = Array.from({ length: 10 }, (_, index) =>
    (index % 2 === 0 ? cache : other).getOrSet('key', source.loader, { ttl: 60_000 }),
  )
  expect(await run(Promise.all(callers))).toEqual(callers.map(() => ({ loaded: true })))
  expect(source.calls).toBe(1)
  expect(source.signal?.aborted).toBe(false)
  const entry = await run(other.getEntry('key'))
  expect(entry?.value).toEqual({ loaded: true })
  expect((entry?.expiresAt ?? 0) - cluster.logTime()).toBeGreaterThan(50_000)
  expect(await run(cache.getOrSet('key', source.loader))).toEqual({ loaded: true })
  expect(source.calls).toBe(1)
})

test('a key that is being loaded is a miss for every read, and an update takes it over', async () => {
  const { cluster, cache, other, run } = await open()
  const source = slow(cluster, 'loaded', 500)
  const loading = cache.getOrSet('key', source.loader)
  await cluster.time.advance(50)
  expect(await run(other.get('key'))).toBeUndefined()
  expect(await run(other.getEntry('key'))).toBeUndefined()
  expect(await run(other.getMany(['key']))).toEqual(new Map())
  expect(await run(other.set('key', 1, { ifAbsent: true }))).toMatchObject({
    applied: false,
    value: undefined,
  })
  expect(await run(other.update('key', (seen) => (seen === undefined ? 'updated' : 'wrong')))).toMatchObject({
    applied: true,
  })
  expect(await run(loading)).toBe('updated')
  expect(await run(cache.get('key'))).toBe('updated')
})

test('what was loaded before a deletion is not kept after it', async () => {
  const { cluster, cache, other, run } = await open()
  const source = slow(cluster, 'old', 500)
  const loading = cache.getOrSet('key', source.loader)
  await cluster.time.advance(50)
  await run(other.del('key'))
  const fresh = slow(cluster, 'new', 10)
  expect(await run(other.getOrSet('key', fresh.loader))).toBe('new')
  expect(await run(loading)).toBe('new')
  expect(await run(cache.get('key'))).toBe('new')
  const again = cache.getOrSet('other key', slow(cluster, 'old', 500).loader)
  await cluster.time.advance(50)
  await run(other.del('other key'))
  expect(await run(again)).toBe('old')
  expect(await run(cache.get('other key'))).toBeUndefined()
})

test('H10: a loader that is slower than its lease loses by its version to the one who came next', async () => {
  const { cluster, cache, other, run } = await open()
  const late = cache.getOrSet('key', slow(cluster, 'late', 1_000).loader, { lease: 200 })
  await cluster.time.advance(50)
  const next = slow(cluster, 'next', 100)
  expect(await run(other.getOrSet('key', next.loader))).toBe('next')
  expect(cluster.time.now).toBeLessThan(2_000)
  const { version } = (await run(other.getEntry('key'))) ?? {}
  expect(await run(late)).toBe('next')
  expect(await run(other.getEntry('key'))).toMatchObject({ value: 'next', version })
})

test('H10: a lease that ended, though nobody came next, keeps nothing either, and a placeholder made lasting holds nobody up', async () => {
  const { cluster, cache, other, run } = await open()
  expect(await run(cache.getOrSet('key', slow(cluster, 'late', 500).loader, { lease: 100 }))).toBe('late')
  expect(await run(other.get('key'))).toBeUndefined()
  const late = cache.getOrSet('key', slow(cluster, 'late', 900).loader, { lease: 100 })
  await cluster.time.advance(20)
  expect(await run(other.persist('key'))).toBe(true)
  expect(await run(other.getOrSet('key', () => 'next'))).toBe('next')
  expect(await run(late)).toBe('next')
})

test('H9: a lease whose grant or whose answer was lost with the leader is held once, by one loader', async () => {
  for (const loss of ['cut', 'applyAndCut', 'silent', 'apply'] as const) {
    const { cluster, cache, other, run, say } = await open()
    const source = slow(cluster, 'loaded')
    say(() => {
      cluster.group(1).leader = 'n2:7400'
      return loss
    })
    const loading = cache.getOrSet('key', source.loader)
    await cluster.time.advance(10)
    const values = await run(Promise.all([loading, other.getOrSet('key', source.loader)]))
    expect({ loss, values, calls: source.calls }).toEqual({ loss, values: ['loaded', 'loaded'], calls: 1 })
    const { executed } = cluster.group(1)
    expect(new Set(executed).size).toBe(executed.length)
  }
})

test('a loader that throws is what the caller hears, and the next one loads at once', async () => {
  const { cluster, cache, other, run } = await open()
  const mistake = new Error('mine')
  const throwing = [
    () => {
      throw mistake
    },
    () => Promise.reject(mistake),
  ]
  for (const loader of throwing) {
    const before = cluster.time.now
    const failed = run(cache.getOrSet('key', loader, { lease: 60_000 }))
    await expect(failed).rejects.toBe(mistake)
    expect(await run(other.getOrSet('key', () => 'loaded'))).toBe('loaded')
    expect(cluster.time.now - before).toBeLessThan(500)
    await run(other.del('key'))
  }
})

test('a loader that hangs ends with the deadline, its signal is aborted, and the next one loads', async () => {
  const { cluster, cache, other, run } = await open()
  let signal: AbortSignal | null = null
  const hanging = cache.getOrSet<string>(
    'key',
    (context) => {
      signal = context.signal
      return hang()
    },
    { timeout: 400, lease: 60_000 },
  )
  expect(await ending(run(hanging))).toEqual({ code: 'TIMEOUT', outcome: 'not-done' })
  expect(signal).toMatchObject({ aborted: true })
  const before = cluster.time.now
  expect(await run(other.getOrSet('key', () => 'loaded'))).toBe('loaded')
  expect(cluster.time.now - before).toBeLessThan(500)
})

test('who waits for another’s loader ends by its own deadline', async () => {
  const { cluster, cache, other, run } = await open()
  const source = slow(cluster, 'loaded', 2_000)
  const loading = cache.getOrSet('key', source.loader)
  await cluster.time.advance(50)
  expect(await ending(run(other.getOrSet('key', source.loader, { timeout: 300 })))).toEqual({
    code: 'TIMEOUT',
    outcome: 'not-done',
  })
  expect(await run(loading)).toBe('loaded')
  expect(source.calls).toBe(1)
})

test('a signal aborted before loads nothing, during ends it and releases the lease, after changes nothing', async () => {
  const { cluster, cache, other, run } = await open()
  const source = slow(cluster, 'loaded')
  const aborted = { code: 'ABORTED', outcome: 'not-done' }
  const before = { signal: AbortSignal.abort() }
  expect(await ending(run(cache.getOrSet('key', source.loader, before)))).toEqual(aborted)
  expect(source.calls).toBe(0)
  const controller = new AbortController()
  const during = ending(cache.getOrSet('key', source.loader, { signal: controller.signal, lease: 60_000 }))
  await cluster.time.advance(50)
  controller.abort()
  expect(await during).toEqual(aborted)
  expect(source.signal?.aborted).toBe(true)
  const after = new AbortController()
  expect(await run(other.getOrSet('key', source.loader, { signal: after.signal }))).toBe('loaded')
  after.abort()
  expect(await run(cache.get('key'))).toBe('loaded')
})

test('closing the client ends a loader that hangs', async () => {
  const { cluster, cache, run } = await open()
  const hanging = ending(cache.getOrSet('key', () => hang<string>(), { timeout: 60_000 }))
  await cluster.time.advance(50)
  await run(cache.close())
  expect(await hanging).toEqual({ code: 'CLOSED', outcome: 'not-done' })
})

test('a value that could not be kept is returned all the same, unless it is none that can be kept', async () => {
  const { cluster, cache, other, run, commands } = await open()
  const unkept = cache.getOrSet('key', slow(cluster, 'loaded', 50).loader, { timeout: 1_000 })
  await cluster.time.advance(20)
  expect(commands()).toHaveLength(1)
  cluster.script = () => 'silent'
  expect(await run(unkept)).toBe('loaded')
  cluster.script = () => 'serve'
  const invalid = cache.getOrSet('wrong', () => new Map(), { lease: 60_000 })
  expect(await ending(run(invalid))).toEqual({ code: 'VALUE_INVALID', outcome: 'not-done' })
  expect(await run(other.getOrSet('wrong', () => 'right'))).toBe('right')
})

test('undefined is loaded as nothing, and nothing is kept', async () => {
  const { cluster, cache, other, run } = await open()
  expect(await run(cache.getOrSet('key', () => undefined))).toBeUndefined()
  await cluster.time.advance(50)
  expect(cluster.group(1).entries.has('key')).toBe(false)
  expect(await run(other.getOrSet('key', () => 5))).toBe(5)
})

const times = { ttl: 1_000, staleWhileRevalidate: 5_000 }

test('a stale value is served at once while one client loads the next', async () => {
  const { cluster, cache, other, run } = await open()
  await run(cache.getOrSet('key', () => 'first', times))
  const source = slow(cluster, 'second', 300)
  expect(await run(cache.getOrSet('key', source.loader, times))).toBe('first')
  expect(source.calls).toBe(0)
  await cluster.time.advance(1_100)
  for (const client of [cache, other, cache, other])
    expect(await run(client.getOrSet('key', source.loader, times))).toBe('first')
  expect(await run(other.get('key'))).toBe('first')
  await cluster.time.advance(500)
  expect(source.calls).toBe(1)
  expect(await run(other.getOrSet('key', source.loader, times))).toBe('second')
  expect([...cluster.group(1).entries.keys()].filter((key) => key.includes('fill'))).toEqual([])
  await cluster.time.advance(6_100)
  expect(await run(other.get('key'))).toBeUndefined()
})

test('a write or a deletion while a stale value is loaded anew wins', async () => {
  const { cluster, cache, other, run } = await open()
  const wins: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['written', () => other.set('written', 'newer')],
    ['deleted', () => other.del('deleted')],
  ]
  for (const [key, win] of wins) {
    await run(cache.getOrSet(key, () => 'first', times))
    await cluster.time.advance(1_500)
    const source = slow(cluster, 'second', 300)
    expect(await run(cache.getOrSet(key, source.loader, times))).toBe('first')
    await cluster.time.advance(100)
    expect(source.calls).toBe(1)
    await run(win())
    await cluster.time.advance(1_000)
    expect(await run(other.get(key))).toBe(key === 'written' ? 'newer' : undefined)
  }
})

test('a load behind a stale value that fails is an error event; the value stays and later reads try again', async () => {
  const { cluster, cache, run } = await open()
  const errors: unknown[] = []
  cache.on('error', ({ error }) => errors.push(error))
  await run(cache.getOrSet('key', () => 'first', times))
  await cluster.time.advance(1_500)
  const mistake = new Error('mine')
  const fail = (): never => {
    throw mistake
  }
  for (let read = 0; read < 5; read += 1) expect(await run(cache.getOrSet('key', fail, times))).toBe('first')
  await cluster.time.advance(1_100)
  expect(errors).toEqual([mistake])
  await run(cache.getOrSet('key', () => 'second', times))
  await cluster.time.advance(100)
  expect(await run(cache.get('key'))).toBe('second')
})

test('keys, ttls, leases and stale parts that are none are refused, and nothing is loaded', async () => {
  const { cache, run } = await open()
  let calls = 0
  const load = () => (calls += 1)
  for (const key of ['', 'k'.repeat(1_025), '\ud800'])
    expect(await ending(run(cache.getOrSet(key, load)))).toMatchObject({ code: 'KEY_INVALID' })
  const wrong = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300]
  const options = [
    ...wrong.map((ttl) => ({ ttl })),
    ...wrong.map((lease) => ({ lease })),
    { lease: 60_001 },
    ...wrong.slice(1).map((staleWhileRevalidate) => ({ ttl: 5, staleWhileRevalidate })),
    { staleWhileRevalidate: 5 },
    { timeout: Number.NaN },
  ]
  for (const option of options)
    expect(await ending(run(cache.getOrSet('key', load, option)))).toEqual({
      code: 'ARGUMENT_INVALID',
      outcome: 'not-done',
    })
  expect(calls).toBe(0)
})

test('bytes that mark a key being loaded are no value', async () => {
  const { cache, run } = await open()
  const mark = placeholder(5)
  const raw = cache.keyspace<Uint8Array>('raw:', { codec: 'raw' })
  const bytes = mark.type === 'bytes' ? mark.bytes : new Uint8Array()
  expect(await ending(run(raw.set('key', bytes)))).toEqual({ code: 'VALUE_INVALID', outcome: 'not-done' })
  await run(raw.set('key', bytes.subarray(1)))
  expect(await run(raw.get('key'))).toEqual(bytes.subarray(1))
})

test('the type of getOrSet is that of its loader', () => {
  expectTypeOf((cache: Cache) => cache.getOrSet('key', async () => ({ name: 'Ada' }))).returns.toEqualTypeOf<
    Promise<{ name: string }>
  >()
})
