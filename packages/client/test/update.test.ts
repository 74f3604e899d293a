import { expect, expectTypeOf, test } from 'vitest'
import type { Cache, Updated } from '../src/index.ts'
import { createScripted, ending, open } from './scripted.ts'

test('update writes what its function makes of the value, of a miss too, and nothing for undefined', async () => {
  const { cluster, cache } = await createScripted()
  const run = <T>(promise: Promise<T>) => cluster.time.until(promise)
  const first = await run(cache.update<number[]>('list', (list = []) => [...list, 1]))
  expect(first).toEqual({ applied: true, version: expect.any(Number), value: [1] })
  const second = await run(cache.update<number[]>('list', async (list = []) => [...list, 2]))
  expect(second.value).toEqual([1, 2])
  expect(await run(cache.update('list', () => undefined))).toEqual({ ...second, applied: false })
  expect(await run(cache.update('none', () => undefined))).toEqual({
    applied: false,
    version: 0,
    value: undefined,
  })
  expect(await run(cache.get('none'))).toBeUndefined()
  await run(cache.close())
})

test('updates that meet at one key lose nothing', async () => {
  const { cluster, cache } = await createScripted()
  const run = <T>(promise: Promise<T>) => cluster.time.until(promise)
  const append = (item: number) =>
    cache.update<number[]>('list', (list = []) => [...list, item], { attempts: 100, timeout: 60_000 })
  await run(Promise.all(Array.from({ length: 12 }, (_, item) => append(item))))
  const list = (await run(cache.get<number[]>('list'))) ?? []
  expect(list.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 12 }, (_, item) => item))
  await run(cache.close())
})

test('an update that loses every time ends as CONFLICT, not done, after as many tries as allowed', async () => {
  const { cluster, cache } = await createScripted()
  let calls = 0
  const losing = cache.update<number>(
    'key',
    async () => {
      calls += 1
      await cache.set('key', { of: 'others', calls })
      return -1
    },
    { attempts: 3 },
  )
  expect(await ending(cluster.time.until(losing))).toEqual({ code: 'CONFLICT', outcome: 'not-done' })
  expect(calls).toBe(3)
  expect(await cluster.time.until(cache.get('key'))).toEqual({ of: 'others', calls: 3 })
  await cluster.time.until(cache.close())
})

test('an update whose write ends as unknown does not run again', async () => {
  const { cluster, cache, say } = await createScripted()
  let calls = 0
  say(...Array.from({ length: 100 }, () => open()))
  const update = cache.update<number>(
    'key',
    () => {
      calls += 1
      return calls
    },
    { timeout: 900 },
  )
  expect(await ending(cluster.time.until(update))).toMatchObject({ outcome: 'unknown' })
  expect(calls).toBe(1)
  await cluster.time.until(cache.close())
})

test('a lost reply to the write of an update is answered again and no loss', async () => {
  const { cluster, cache, say } = await createScripted()
  await cluster.time.until(cache.set('n', [0]))
  say('applyAndCut')
  const updated = await cluster.time.until(cache.update<number[]>('n', ([n = 0] = []) => [n + 1]))
  expect(updated).toMatchObject({ applied: true, value: [1] })
  expect(await cluster.time.until(cache.get('n'))).toEqual([1])
  await cluster.time.until(cache.close())
})

test('what the function of an update throws is what the update rejects with, and nothing is written', async () => {
  const { cluster, cache, commands } = await createScripted()
  const mistake = new Error('mine')
  const fail = (): never => {
    throw mistake
  }
  await expect(cluster.time.until(cache.update('key', fail))).rejects.toBe(mistake)
  await expect(cluster.time.until(cache.update('key', () => Promise.reject(mistake)))).rejects.toBe(mistake)
  expect(commands()).toEqual([])
  await cluster.time.until(cache.close())
})

test('a function that hangs ends with the deadline, with the signal, or with the client: nothing is written', async () => {
  const { cluster, cache, commands } = await createScripted()
  const hang = () => new Promise<number>(() => undefined)
  expect(await ending(cluster.time.until(cache.update('key', hang, { timeout: 300 })))).toEqual({
    code: 'TIMEOUT',
    outcome: 'not-done',
  })
  const controller = new AbortController()
  const aborted = ending(cache.update('key', hang, { signal: controller.signal }))
  await cluster.time.advance(50)
  controller.abort()
  expect(await aborted).toEqual({ code: 'ABORTED', outcome: 'not-done' })
  const closed = ending(cache.update('key', hang))
  await cluster.time.advance(50)
  await cluster.time.until(cache.close())
  expect(await closed).toEqual({ code: 'CLOSED', outcome: 'not-done' })
  expect(commands()).toEqual([])
})

test('a signal aborted before the update lets nothing run, and one aborted afterwards changes nothing', async () => {
  const { cluster, cache } = await createScripted()
  let calls = 0
  const count = () => (calls += 1)
  const before = AbortSignal.abort(new Error('too late'))
  expect(await ending(cluster.time.until(cache.update('key', count, { signal: before })))).toEqual({
    code: 'ABORTED',
    outcome: 'not-done',
  })
  expect(calls).toBe(0)
  const controller = new AbortController()
  await cluster.time.until(cache.update('key', count, { signal: controller.signal }))
  controller.abort()
  expect(await cluster.time.until(cache.get('key'))).toBe(1)
  await cluster.time.until(cache.close())
})

test('an update with a number of tries, a ttl or a timeout that is none runs nothing', async () => {
  const { cluster, cache } = await createScripted()
  let calls = 0
  const count = () => (calls += 1)
  const wrong = { code: 'ARGUMENT_INVALID', outcome: 'not-done' }
  for (const attempts of [0, -1, 1.5, Number.NaN, 1_001])
    expect(await ending(cluster.time.until(cache.update('key', count, { attempts })))).toEqual(wrong)
  for (const ttl of [0, -1, Number.NaN, 1e300])
    expect(await ending(cluster.time.until(cache.update('key', count, { ttl })))).toEqual(wrong)
  for (const timeout of [0, -5, Number.NaN, 60_001])
    expect(await ending(cluster.time.until(cache.update('key', count, { timeout })))).toEqual(wrong)
  expect(calls).toBe(0)
  await cluster.time.until(cache.close())
})

test('the type of an update is that of its function', () => {
  expectTypeOf((cache: Cache) => cache.update('n', (n: number = 0) => n + 1)).returns.toEqualTypeOf<
    Promise<Updated<number>>
  >()
})
