import { expect, expectTypeOf, test } from 'vitest'
import { type Entry, type Keyspace, QuorateError, type Written, connect } from '../src/index.ts'
import { type FakeCluster, createFakeCluster } from './fake-cluster.ts'

interface User {
  readonly name: string
}

async function open() {
  const cluster = await createFakeCluster()
  const cache = await cluster.time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
  return { cluster, cache, run: <T>(promise: Promise<T>) => cluster.time.until(promise) }
}

const expiresAt = (entry: Entry | undefined, { logTime }: FakeCluster): number =>
  (entry?.expiresAt ?? 0) - logTime()

test('a keyspace is the keys behind its prefix, and only those', async () => {
  const { cache, run } = await open()
  const users = cache.keyspace<User>('user:')
  const written = await run(users.set('1', { name: 'Ada' }))
  expect(await run(cache.getEntry('user:1'))).toMatchObject({ value: { name: 'Ada' }, ...written })
  expect(await run(users.get('1'))).toEqual({ name: 'Ada' })
  expect(await run(users.getEntry('user:1'))).toBeUndefined()
  await run(users.set(new Uint8Array([50]), { name: 'Bob' }))
  expect(await run(cache.get('user:2'))).toEqual({ name: 'Bob' })
  expect(await run(users.set('1', { name: 'Eve' }, { ifAbsent: true }))).toMatchObject({ applied: false })
  expect(await run(users.touch('1', 5_000))).toBe(true)
  expect(await run(users.persist('1'))).toBe(true)
  expect(await run(users.del('1'))).toBe(true)
  expect(await run(cache.keyspace<number>('hits:').incr('home', 2))).toBe(2)
  expect(await run(cache.get('hits:home'))).toBe(2)
  await run(cache.close())
})

test('many keys of a keyspace come back under the names that were asked for', async () => {
  const { cache, run } = await open()
  const users = cache.keyspace<User>('user:')
  const results = await run(
    users.setMany([
      ['a', { name: 'A' }],
      ['b', { name: 'B' }],
      ['c', (() => 1) as unknown as User],
    ]),
  )
  expect([...results.keys()]).toEqual(['a', 'b', 'c'])
  expect(results.get('c')).toMatchObject({ code: 'VALUE_INVALID', outcome: 'not-done' })
  const bytes = new Uint8Array([97])
  expect(await run(users.getMany<string | Uint8Array>(['b', bytes, 'none']))).toEqual(
    new Map<string | Uint8Array, User>([
      ['b', { name: 'B' }],
      [bytes, { name: 'A' }],
    ]),
  )
  expect(await run(users.delMany(['a', 'none']))).toEqual(
    new Map([
      ['a', true],
      ['none', false],
    ]),
  )
  expect(await run(cache.get('user:a'))).toBeUndefined()
  await run(cache.close())
})

test('delMany answers for each key on its own, also for one that is none', async () => {
  const { cache, run } = await open()
  await run(cache.set('a', 1))
  const results = await run(cache.delMany(['a', '', 'b'.repeat(1_025), '\ud800']))
  expect(results.get('a')).toBe(true)
  for (const key of ['', 'b'.repeat(1_025), '\ud800'])
    expect(results.get(key)).toMatchObject({ code: 'KEY_INVALID', outcome: 'not-done' })
  await expect(run(cache.delMany(['a'], { timeout: Number.NaN }))).rejects.toMatchObject({
    code: 'ARGUMENT_INVALID',
  })
  await run(cache.close())
})

test('a keyspace has a codec and a ttl of its own, and a write may name another', async () => {
  const { cluster, cache, run } = await open()
  const texts = cache.keyspace<User>('text:', { codec: 'json', ttl: 60_000 })
  await run(texts.set('1', { name: 'Ada' }))
  const stored = [...cluster.groups.values()].flatMap(({ entries }) => [...entries])
  const value = new Map(stored).get('text:1')?.value
  expect(value?.type === 'bytes' && Buffer.from(value.bytes).toString()).toBe('{"name":"Ada"}')
  expect(expiresAt(await run(texts.getEntry('1')), cluster)).toBeGreaterThan(50_000)
  await run(texts.set('1', { name: 'Ada' }, { ttl: 5_000 }))
  expect(expiresAt(await run(texts.getEntry('1')), cluster)).toBeLessThan(6_000)
  await run(texts.setMany([['2', { name: 'Bob' }]]))
  expect(expiresAt(await run(texts.getEntry('2')), cluster)).toBeGreaterThan(50_000)
  await run(texts.update('2', (user) => user))
  expect(expiresAt(await run(texts.getEntry('2')), cluster)).toBeGreaterThan(50_000)
  await run(cache.close())
})

test('a prefix, a ttl or a codec that is none is refused when the keyspace is made', async () => {
  const { cache, run } = await open()
  const codeOf = (make: () => unknown): string => {
    try {
      make()
      return 'accepted'
    } catch (error) {
      return error instanceof QuorateError ? error.code : 'another error'
    }
  }
  for (const prefix of ['', 'p'.repeat(1_025), '\udc00', 7 as unknown as string])
    expect(codeOf(() => cache.keyspace(prefix))).toBe('KEY_INVALID')
  for (const ttl of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300])
    expect(codeOf(() => cache.keyspace('p:', { ttl }))).toBe('ARGUMENT_INVALID')
  expect(codeOf(() => cache.keyspace('p:', { codec: 'yaml' as 'json' }))).toBe('ARGUMENT_INVALID')
  await run(cache.close())
})

test('a key of a keyspace is empty, too long with its prefix, or ill-formed: KEY_INVALID', async () => {
  const { cache, run } = await open()
  const space = cache.keyspace('p:')
  const wrong = [
    '',
    'k'.repeat(1_023),
    '\udc00',
    new Uint8Array(0),
    new Uint8Array(1_023),
    undefined as unknown as string,
  ]
  for (const key of wrong) {
    const refusal = { code: 'KEY_INVALID', outcome: 'not-done' }
    await expect(run(space.get(key))).rejects.toMatchObject(refusal)
    await expect(run(space.set(key, 1))).rejects.toMatchObject(refusal)
    await expect(run(space.update(key, () => 1))).rejects.toMatchObject(refusal)
  }
  await run(cache.close())
})

test('the types of a keyspace follow its values', () => {
  expectTypeOf<Keyspace<User>['get']>().returns.toEqualTypeOf<Promise<User | undefined>>()
  expectTypeOf<Keyspace<User>['getEntry']>().returns.toEqualTypeOf<Promise<Entry<User> | undefined>>()
  expectTypeOf<Keyspace<User>['set']>().parameter(1).toEqualTypeOf<User>()
  expectTypeOf((users: Keyspace<User>) => users.set('1', { name: 'Ada' })).returns.toEqualTypeOf<
    Promise<Written>
  >()
  expectTypeOf((users: Keyspace<User>, keys: string[]) => users.getMany(keys)).returns.toEqualTypeOf<
    Promise<Map<string, User>>
  >()
  // @ts-expect-error a user is no number
  expectTypeOf((users: Keyspace<User>) => users.set('1', 5)).toBeFunction()
})
