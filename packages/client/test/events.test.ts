// What a client tells of itself: events, tracing channels, health, topology.
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { expect, expectTypeOf, test } from 'vitest'
import type { Cache, CommandTrace } from '../src/index.ts'
import { createMap, must } from './fake-cluster.ts'
import { createScripted, ending, refused } from './scripted.ts'

function hear(cache: Cache): string[] {
  const heard: string[] = []
  cache.on('ready', ({ address }) => heard.push(`ready ${address}`))
  cache.on('topology', ({ epoch }) => heard.push(`topology ${epoch}`))
  cache.on('leader', ({ shard, address }) => heard.push(`leader ${shard} ${address}`))
  cache.on('reconnecting', ({ address, code }) => heard.push(`reconnecting ${address} ${code}`))
  cache.on('close', ({ type }) => heard.push(type))
  return heard
}

test('a client tells of connections, leaders, newer maps and its end', async () => {
  const { cluster, cache } = await createScripted()
  const { time } = cluster
  const heard = hear(cache)
  cluster.group(1).leader = 'n3:7400'
  await time.until(cache.set('key', 1))
  expect(heard).toEqual(['ready n3:7400', 'leader 1 n3:7400'])
  heard.length = 0
  for (const connection of cluster.node(2).connections) connection.close()
  await time.advance(50)
  expect(heard).toEqual(['reconnecting n3:7400 CLOSED'])
  heard.length = 0
  const map = createMap(cluster.nodes, 1, 11)
  cluster.map = map
  cluster.send(cluster.node(0), { type: 'map', map })
  await time.advance(50)
  expect(heard).toEqual(['topology 11'])
  heard.length = 0
  await time.until(cache.close())
  await time.until(cache.close())
  expect(heard).toEqual(['close'])
})

test('a confused node is an error event, and nobody has to listen to it', async () => {
  const { cluster, cache } = await createScripted()
  const { time } = cluster
  const confuse = () => {
    for (const connection of cluster.node(0).connections) connection.send(new Uint8Array([255, 1, 2]))
  }
  confuse()
  await time.advance(50)
  await time.until(cache.set('key', 1))
  const errors: unknown[] = []
  const stop = cache.on('error', ({ error }) => errors.push(error))
  confuse()
  await time.advance(50)
  expect(errors).toEqual([expect.objectContaining({ code: 'BAD_FRAME' })])
  await time.until(cache.set('key', 2))
  stop()
  confuse()
  await time.advance(50)
  expect(errors).toHaveLength(1)
  await time.until(cache.close())
})

test('a listener that throws harms nobody: its error is an error event', async () => {
  const { cluster, cache } = await createScripted()
  const mistake = new Error('mine')
  const errors: unknown[] = []
  let others = 0
  cache.on('leader', () => {
    throw mistake
  })
  cache.on('leader', () => (others += 1))
  cache.on('error', ({ error }) => errors.push(error))
  cache.on('error', () => {
    throw mistake
  })
  cluster.group(1).leader = 'n3:7400'
  await cluster.time.until(cache.set('key', 1))
  expect({ errors, others }).toEqual({ errors: [mistake], others: 1 })
  await cluster.time.until(cache.close())
})

test('a tracer follows operations from start to end with their outcomes, and untraced ones leave nothing', async () => {
  const { cluster, cache, say } = await createScripted()
  const traces: { readonly event: string; readonly trace: CommandTrace }[] = []
  const note =
    (event: string) =>
    (trace: CommandTrace): void =>
      void traces.push({ event, trace: { ...trace } })
  const channel = tracingChannel<string, CommandTrace>('quorate:command')
  const subscribers = {
    start: note('start'),
    end: () => undefined,
    asyncStart: note('asyncStart'),
    asyncEnd: () => undefined,
    error: note('error'),
  }
  await cluster.time.until(cache.set('untraced', 1))
  channel.subscribe(subscribers)
  const version = await cluster.time.until(cache.set('key', 1))
  say(refused('VALUE_TOO_LARGE'))
  const failed = await ending(cluster.time.until(cache.set('key', 2)))
  channel.unsubscribe(subscribers)
  await cluster.time.until(cache.set('untraced', 1))
  expect(version.version).toBeGreaterThan(0)
  expect(failed).toEqual({ code: 'VALUE_TOO_LARGE', outcome: 'not-done' })
  expect(traces.map(({ event }) => event)).toEqual(['start', 'asyncStart', 'start', 'error', 'asyncStart'])
  const key = new TextEncoder().encode('key')
  expect(traces[1]?.trace).toMatchObject({
    'db.system.name': 'quorate',
    'db.operation.name': 'set',
    'quorate.key': key,
    'quorate.outcome': 'ok',
    'quorate.attempts': 1,
    'quorate.shard': 1,
  })
  expect(traces[3]?.trace).toMatchObject({ 'quorate.outcome': 'not-done', 'error.type': 'VALUE_TOO_LARGE' })
  await cluster.time.until(cache.close())
})

test('retries, connections, leaders and maps are on channels of their own', async () => {
  const { cluster, cache, say } = await createScripted()
  const heard: unknown[] = []
  const note = (message: unknown, name: string | symbol): void => void heard.push([name, message])
  const names = ['quorate:retry', 'quorate:connect', 'quorate:leader', 'quorate:topology']
  for (const name of names) subscribe(name, note)
  say(refused('NOT_LEADER', 'n3:7400'))
  cluster.group(1).leader = 'n3:7400'
  await cluster.time.until(cache.set('key', 1))
  for (const name of names) unsubscribe(name, note)
  expect(heard).toEqual([
    ['quorate:retry', { op: 'set', attempts: 1, code: 'NOT_LEADER' }],
    ['quorate:connect', { type: 'ready', address: 'n3:7400' }],
    ['quorate:leader', { shard: 1, address: 'n3:7400' }],
  ])
  await cluster.time.until(cache.close())
})

test('topology shows the shards with their replicas, slots and leaders as this client knows them', async () => {
  const { cluster, cache } = await createScripted()
  expect(cache.topology()).toEqual({
    clusterId: cluster.map.clusterId,
    epoch: 10,
    nodes: cluster.nodes.map(({ name, address }) => ({ name, clientAddress: address })),
    shards: [{ shard: 1, leader: 'n1:7400', replicas: [...cluster.addresses], slots: 16_384 }],
  })
  await cluster.time.until(cache.close())
})

test('health tells whether all is up, something is down, or a shard has no leader', async () => {
  const { cluster, cache } = await createScripted()
  const shard = (group: number, role: string, extra: object = {}) => ({
    group,
    role,
    term: 1,
    servesReads: true,
    state: 'live',
    ...extra,
  })
  const all = (role: string) => ({ shards: [shard(0, role), shard(1, role)] })
  const health = () => cluster.time.until(cache.health({ timeout: 200 }))
  cluster.statusOf = (node) => all(node.name === 'n1' ? 'leader' : 'follower')
  expect(await health()).toMatchObject({
    status: 'ok',
    shards: [
      { shard: 0, leader: 'n1', replicas: 3, live: 3 },
      { shard: 1, leader: 'n1', replicas: 3, live: 3 },
    ],
  })
  // The older of two leaders has not heard yet.
  cluster.statusOf = (node) =>
    node.name === 'n1'
      ? all('leader')
      : { shards: [shard(0, 'follower'), shard(1, node.name === 'n2' ? 'leader' : 'follower', { term: 2 })] }
  expect((await health()).shards[1]).toMatchObject({ leader: 'n2' })
  cluster.statusOf = (node) => (node.name === 'n3' ? null : all(node.name === 'n1' ? 'leader' : 'follower'))
  const degraded = await health()
  expect(degraded.status).toBe('degraded')
  expect(must(degraded.nodes[2])).toMatchObject({ name: 'n3', error: 'TIMEOUT' })
  cluster.statusOf = () => all('follower')
  expect((await health()).status).toBe('unavailable')
  cluster.statusOf = () => ({ shards: [null, 5, { group: 'x' }] })
  expect((await health()).status).toBe('unavailable')
  await cluster.time.until(cache.close())
})

test('a listener is typed by its event', () => {
  expectTypeOf((cache: Cache) =>
    cache.on('leader', (event) =>
      expectTypeOf(event).toEqualTypeOf<{ readonly shard: number; readonly address: string }>(),
    ),
  ).returns.toEqualTypeOf<() => void>()
})
