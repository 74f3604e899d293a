// Keyv's own suite, by other authors, against three real nodes; and what it does not ask.
import keyvTestSuite from '@keyv/test-suite'
import { Keyv } from 'keyv'
import * as vitest from 'vitest'
import { QuorateKeyv } from '../src/index.ts'
import { type DevCluster, startDevCluster } from './dev-cluster.ts'

const { afterAll, beforeAll, expect, test } = vitest

let cluster: DevCluster
beforeAll(async () => {
  cluster = await startDevCluster()
}, 90_000)
afterAll(async () => {
  await cluster.stop()
})

const store = (): QuorateKeyv => new QuorateKeyv(cluster.cache)

keyvTestSuite(vitest, Keyv, store)

const keyvOf = (namespace: string): Keyv =>
  new Keyv({ store: store(), namespace, throwOnErrors: true, emitErrors: false })

test('an entry with a ttl is gone by the cluster’s clock', async () => {
  const keyv = keyvOf('ttl')
  await keyv.set('short', 1, 300)
  await keyv.set('long', 2, 60_000)
  await vitest.vi.waitFor(async () => expect(await cluster.cache.get('keyv:ttl:short')).toBeUndefined(), {
    timeout: 20_000,
    interval: 50,
  })
  expect(await keyv.get('long')).toBe(2)
})

test('what one process cleared is gone for another at once, and what is set afterwards is there', async () => {
  const one = keyvOf('shared')
  const other = keyvOf('shared')
  for (let round = 0; round < 5; round += 1) {
    await one.setMany([
      { key: 'a', value: round },
      { key: 'b', value: round },
    ])
    expect(await other.getMany(['a', 'b', 'c'])).toEqual([round, round, undefined])
    await other.clear()
    expect(await one.hasMany(['a', 'b'])).toEqual([false, false])
    expect(await one.delete('a')).toBe(false)
    await other.set('b', 'again')
    expect(await one.get('b')).toBe('again')
    expect(await one.get('a')).toBeUndefined()
  }
})

test('an evicted generation brings nothing back that was cleared', async () => {
  const keyv = keyvOf('evicted')
  await keyv.set('old', 1)
  await keyv.clear()
  await keyv.set('new', 2)
  // As an eviction does: the entry of the generation is gone, and nobody asked for it.
  await cluster.cache.del('keyv/generation/evicted')
  expect(await keyv.get('new')).toBeUndefined()
  await keyv.set('newer', 3)
  expect(await keyv.getMany(['old', 'new', 'newer'])).toEqual([undefined, undefined, 3])
})

test('sets that race the first clear are seen or cleared, and never come back', async () => {
  const one = keyvOf('race')
  const other = keyvOf('race')
  await Promise.all([one.set('a', 1), other.clear(), one.set('b', 2), other.set('c', 3)])
  const before = await one.getMany(['a', 'b', 'c'])
  expect(await other.getMany(['a', 'b', 'c'])).toEqual(before)
  await other.clear()
  expect(await one.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined])
})

test('keys and ttls that are none are typed errors, and two namespaces do not share an adapter', async () => {
  const keyv = keyvOf('wrong')
  await expect(keyv.set('k'.repeat(1_100), 1)).rejects.toMatchObject({
    code: 'KEY_INVALID',
    outcome: 'not-done',
  })
  await expect(keyv.set('\ud800', 1)).rejects.toMatchObject({ code: 'KEY_INVALID' })
  for (const ttl of [-1, Number.NaN, 1e300])
    await expect(store().set('key', 'value', ttl)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  const shared = store()
  expect(new Keyv({ store: shared, namespace: 'one' }).namespace).toBe('one')
  expect(() => new Keyv({ store: shared, namespace: 'two' })).toThrow(TypeError)
})
