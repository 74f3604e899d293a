// Finding the cluster, the leader, and a newer map.
import { encodeServerFrame } from '@quorate/protocol'
import { describe, expect, test } from 'vitest'
import { connect } from '../src/index.ts'
import { parseTarget } from '../src/target.ts'
import { createFakeCluster, createMap, must } from './fake-cluster.ts'
import { createScripted, ending, refused } from './scripted.ts'

describe('connect', () => {
  test('any one endpoint suffices, in whatever place of the list', async () => {
    const cluster = await createFakeCluster()
    const { time, runtime } = cluster
    const target = `quorate://nobody:1,nobody:2,${cluster.node(2).address}`
    const cache = await time.until(connect(target, { runtime }))
    expect(await time.until(cache.incr('key'))).toBe(1)
  })

  test('an endpoint that hangs is passed over', async () => {
    const cluster = await createFakeCluster()
    const { time, runtime } = cluster
    cluster.hub.partition((from, to) => from === 'n1' || to === 'n1')
    const startedAt = time.now
    await time.until(connect(cluster.addresses, { runtime }))
    expect(time.now - startedAt).toBeLessThan(300)
  })

  test('nobody there is CANNOT_CONNECT within the timeout, and nothing is left behind', async () => {
    const cluster = await createFakeCluster()
    const { time, runtime } = cluster
    const startedAt = time.now
    const end = await time.until(ending(connect(['nobody:1', 'nobody:2'], { runtime, timeout: 700 })))
    expect(end).toEqual({ code: 'CANNOT_CONNECT', outcome: 'not-done' })
    expect(time.now - startedAt).toBeLessThan(710)
    await time.advance(10)
    expect(time.armed).toBe(0)
  })

  test('a node that comes up while connecting is found', async () => {
    const cluster = await createFakeCluster()
    const { time, runtime } = cluster
    cluster.hub.disconnect('n1')
    const cache = connect([cluster.node(0).address], { runtime })
    await time.advance(1_000)
    await cluster.listen(cluster.node(0))
    expect(await time.until((await time.until(cache)).incr('key'))).toBe(1)
  })

  test('a cluster that has not been formed yet is waited for', async () => {
    const cluster = await createFakeCluster()
    const { time, runtime } = cluster
    const formed = cluster.map
    cluster.map = { ...formed, epoch: 1, slots: new Uint32Array(16_384) }
    const early = await time.until(ending(connect(cluster.addresses, { runtime, timeout: 400 })))
    expect(early).toEqual({ code: 'CANNOT_CONNECT', outcome: 'not-done' })
    const cache = connect(cluster.addresses, { runtime })
    await time.advance(100)
    cluster.map = formed
    for (const node of cluster.nodes) cluster.send(node, { type: 'map', map: formed })
    expect(await time.until((await time.until(cache)).incr('key'))).toBe(1)
  })

  test('a node that speaks no common version says so', async () => {
    const cluster = await createFakeCluster()
    const { time, runtime } = cluster
    await cluster.hub.networkFor('old').listen('old:1', (connection) => ({
      frame: () => {
        connection.send(
          encodeServerFrame({ type: 'unwelcome', code: 'PROTOCOL_VERSION', message: 'too new' }),
        )
        connection.close()
      },
      closed: () => undefined,
    }))
    expect(await time.until(ending(connect('old:1', { runtime, timeout: 300 })))).toEqual({
      code: 'PROTOCOL_VERSION',
      outcome: 'not-done',
    })
  })

  test.each([[''], ['quorate://'], ['host'], ['http://host:1'], [[]], [['host:1', 'x']], ['host:1,,host:2']])(
    '%j is refused as a target',
    async (target) => {
      expect(await ending(connect(target))).toEqual({ code: 'ARGUMENT_INVALID', outcome: 'not-done' })
    },
  )

  test('targets are a URL or a list, without repetition', () => {
    expect(parseTarget('quorate://a:1,b:2,a:1')).toEqual(['a:1', 'b:2'])
    expect(parseTarget(['a:1', 'quorate://[::1]:2/'])).toEqual(['a:1', '[::1]:2'])
  })
})

describe('leaders', () => {
  test('a hint is followed at once and remembered', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    cluster.group(1).leader = cluster.node(2).address
    const startedAt = cluster.time.now
    await cluster.time.until(cache.set('key', 1))
    expect(cluster.time.now - startedAt).toBeLessThan(15)
    await cluster.time.until(cache.set('key', 2))
    expect(scripted.commands().map(({ node }) => node)).toEqual(['n1', 'n3', 'n3'])
  })

  test('without a hint the replicas are asked in turn, with pauses, until one leads', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    cluster.group(1).leader = null
    const write = cache.set('key', 1)
    await cluster.time.advance(600)
    const asked = scripted.commands().map(({ node }) => node)
    expect(new Set(asked)).toEqual(new Set(['n1', 'n2', 'n3']))
    // Three prompt retries and then a pause of 20-100 ms: no storm.
    expect(asked.length).toBeLessThan(80)
    cluster.group(1).leader = cluster.node(1).address
    await cluster.time.until(write)
    expect(scripted.commands().at(-1)?.node).toBe('n2')
  })

  test('a former leader that hosts the shard no more is left for those that do (H2)', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    await cluster.time.until(cache.set('key', 1))
    const former = must(scripted.commands().at(-1)?.node)
    cluster.group(1).leader = cluster.node(1).address
    cluster.script = (_asked, node) => (node.name === former ? refused('WRONG_SHARD') : 'serve')
    const startedAt = cluster.time.now
    await cluster.time.until(cache.set('key', 2))
    expect(scripted.commands().at(-1)?.node).toBe('n2')
    expect(cluster.time.now - startedAt).toBeLessThan(250)
  })

  test('two nodes that name each other cause no storm', async () => {
    const scripted = await createScripted({ timeout: 1_000 })
    const { cluster, cache } = scripted
    cluster.script = (_asked, node) => refused('NOT_LEADER', node.name === 'n1' ? 'n2:7400' : 'n1:7400')
    await cluster.time.until(ending(cache.set('key', 1)))
    expect(cluster.asked.length).toBeLessThan(120)
  })

  test('a crashed leader is left for the next one', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    cluster.hub.disconnect('n1')
    cluster.group(1).leader = cluster.node(1).address
    const startedAt = cluster.time.now
    await cluster.time.until(cache.set('key', 1))
    expect(cluster.time.now - startedAt).toBeLessThan(200)
  })

  test('a silent leader costs one attempt, and the next operation none', async () => {
    const scripted = await createScripted({ timeout: 3_000 })
    const { cluster, cache } = scripted
    cluster.hub.partition((from, to) => from === 'n1' || to === 'n1')
    cluster.group(1).leader = cluster.node(1).address
    const startedAt = cluster.time.now
    await cluster.time.until(cache.set('key', 1))
    expect(cluster.time.now - startedAt).toBeLessThan(1_200)
    const again = cluster.time.now
    await cluster.time.until(cache.set('key', 2))
    expect(cluster.time.now - again).toBeLessThan(10)
  })
})

describe('the map', () => {
  test('H2 a moved slot is followed after one refresh for many operations', async () => {
    const scripted = await createScripted({ shards: 1 })
    const { cluster, cache } = scripted
    // The node that is asked for the map does not push it: the client has to fetch it.
    const next = createMap(cluster.nodes, 1, 11)
    next.slots.fill(2)
    cluster.map = { ...next, groups: createMap(cluster.nodes, 2).groups }
    const groups = cluster.groups as Map<number, unknown>
    groups.set(2, { ...must(cluster.groups.get(1)), group: 2 })
    const hellos = cluster.nodes.map(({ helloCount }) => helloCount)
    await cluster.time.until(
      Promise.all(Array.from({ length: 50 }, (_, index) => cache.set(`key${index}`, index))),
    )
    const fetched = cluster.nodes.reduce(
      (sum, node, index) => sum + node.helloCount - (hellos[index] ?? 0),
      0,
    )
    // One for the map, one to a node that was not connected yet.
    expect(fetched).toBeLessThanOrEqual(2)
    // The names of the old shard's session went along, as the session itself does in a move.
    expect(new Set(scripted.names()).size).toBe(50)
    expect(scripted.commands().at(-1)?.request.group).toBe(2)
  })

  test('a pushed map is taken, an older one and one of another cluster are not', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    const older = createMap(cluster.nodes, 1, 9)
    older.slots.fill(0)
    cluster.send(cluster.node(0), { type: 'map', map: older })
    await cluster.time.advance(5)
    await cluster.time.until(cache.set('key', 1))
    expect(scripted.commands().map(({ request }) => request.group)).toEqual([1])
    const foreign = { ...createMap(cluster.nodes, 1, 99), clusterId: 'f'.repeat(32) }
    foreign.slots.fill(0)
    cluster.send(cluster.node(0), { type: 'map', map: foreign })
    await cluster.time.advance(5)
    // The confused node is left; nothing is lost.
    await cluster.time.until(cache.set('key', 2))
    expect(scripted.commands().every(({ request }) => request.group === 1)).toBe(true)
  })

  test('operations wait for a slot that nobody owns, until the map says who', async () => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    const nobody = createMap(cluster.nodes, 1, 11)
    nobody.slots.fill(0)
    cluster.map = nobody
    cluster.send(cluster.node(0), { type: 'map', map: nobody })
    await cluster.time.advance(5)
    const write = cache.set('key', 1)
    await cluster.time.advance(300)
    cluster.map = createMap(cluster.nodes, 1, 12)
    await cluster.time.until(write)
    cluster.map = { ...nobody, epoch: 13 }
    cluster.send(cluster.node(0), { type: 'map', map: cluster.map })
    await cluster.time.advance(5)
    expect(await cluster.time.until(ending(cache.set('key', 1, { timeout: 200 })))).toEqual({
      code: 'NO_LEADER',
      outcome: 'not-done',
    })
  })
})
