// Reads that ask for less than a round of confirmations: where they go, what they bring, and what must not follow from them.
import { encodeServerFrame } from '@quorate/protocol'
import { describe, expect, test } from 'vitest'
import type { OperationEvent } from '../src/index.ts'
import { type Asked, type FakeCluster, type FakeNode, must } from './fake-cluster.ts'
import { createScripted, ending, refused, type Scripted } from './scripted.ts'

const asRead = (asked: Asked): Extract<Asked, { type: 'read' }> => {
  if (asked.type !== 'read') throw new Error('no read')
  return asked
}

/** Reads so far, as `node how`. */
function reads(cluster: FakeCluster): string[] {
  return cluster.asked
    .filter(({ request }) => request.type === 'read')
    .map(({ node, request }) => {
      const { how } = asRead(request)
      if (how === undefined) return `${node} plain`
      return how.consistency === 'lease' ? `${node} lease` : `${node} stale ${String(how.maxAge)}`
    })
}

async function scripted(): Promise<Scripted & { readonly leader: FakeNode }> {
  const made = await createScripted()
  await made.cluster.time.until(made.cache.set('key', 'value'))
  made.cluster.asked.length = 0
  made.events.length = 0
  return { ...made, leader: made.cluster.node(0) }
}

const stale = { consistency: 'stale' } as const

describe('consistency', () => {
  test('travels as asked; several reads of one kind travel in one request', async () => {
    const { cluster, cache } = await scripted()
    const { time } = cluster
    await time.until(
      Promise.all([
        cache.get('key'),
        cache.get('key', { consistency: 'linearizable' }),
        cache.get('key', { consistency: 'lease' }),
        cache.getEntry('key', { consistency: 'lease' }),
        cache.getMany(['key', 'warm up'], { ...stale, maxAge: 250 }),
        cache.get('key', { ...stale, maxAge: 251 }),
        cache.get('key', stale),
      ]),
    )
    const sent = reads(cluster)
    expect(sent.filter((one) => one.startsWith('n1 plain'))).toHaveLength(1)
    expect(sent.filter((one) => one.endsWith('lease'))).toEqual(['n1 lease'])
    expect(sent.map((one) => one.slice(3)).toSorted()).toEqual([
      'lease',
      'plain',
      'stale 250',
      'stale 251',
      'stale null',
    ])
  })

  test.each([
    [{ consistency: 'eventual' }],
    [{ maxAge: 5 }],
    [{ consistency: 'lease', maxAge: 5 }],
    [{ consistency: 'stale', maxAge: -1 }],
    [{ consistency: 'stale', maxAge: Number.NaN }],
    [{ consistency: 'stale', maxAge: Number.POSITIVE_INFINITY }],
    [{ consistency: 'stale', maxAge: '5' }],
  ])('%j is ARGUMENT_INVALID, and nothing is sent', async (options) => {
    const { cluster, cache } = await scripted()
    const wrong = options as never
    const calls = [
      () => cache.get('key', wrong),
      () => cache.getEntry('key', wrong),
      () => cache.getMany([], wrong),
    ]
    for (const call of calls)
      expect(await cluster.time.until(ending(call()))).toEqual({
        code: 'ARGUMENT_INVALID',
        outcome: 'not-done',
      })
    expect(cluster.asked).toEqual([])
  })

  test('nodes that do not know it are asked for linearizable reads, of which a stale one has the age 0', async () => {
    const made = await createScripted()
    const { cluster } = made
    cluster.features = 0
    for (const node of cluster.nodes) for (const connection of node.connections) connection.close()
    await cluster.time.advance(10)
    await cluster.time.until(made.cache.set('key', 'value'))
    cluster.asked.length = 0
    expect(await cluster.time.until(made.cache.get('key', { consistency: 'lease' }))).toBe('value')
    const entry = await cluster.time.until(made.cache.getEntry('key', { ...stale, maxAge: 10 }))
    expect(entry).toMatchObject({ value: 'value', age: 0 })
    expect(reads(cluster).every((one) => one.endsWith('plain'))).toBe(true)
  })
})

describe('a lease read', () => {
  test('is redirected to the leader like any other, and has no age', async () => {
    const { cluster, cache, leader, events } = await scripted()
    cluster.group(1).leader = cluster.node(2).address
    const entry = await cluster.time.until(cache.getEntry('key', { consistency: 'lease' }))
    expect(entry).toEqual({ value: 'value', version: expect.any(Number), expiresAt: undefined })
    expect(reads(cluster)).toEqual([`${leader.name} lease`, 'n3 lease'])
    expect(must(events[0])).not.toHaveProperty('age')
  })
})

describe('a stale read', () => {
  test('brings its age: in the entry, and of a miss to the observer', async () => {
    const { cluster, cache } = await scripted()
    const { time } = cluster
    expect(await time.until(cache.getEntry('key', stale))).toMatchObject({ value: 'value', age: 40 })
    const events: OperationEvent[] = []
    const observer = (event: OperationEvent): void => void events.push(event)
    expect(await time.until(cache.get('nothing', { ...stale, observer }))).toBeUndefined()
    expect(events).toMatchObject([{ outcome: 'ok', age: 40 }])
    cluster.ageAt = () => null
    expect(await time.until(cache.getEntry('key', stale))).not.toHaveProperty('age')
    expect(await time.until(cache.get('nothing', { ...stale, observer }))).toBeUndefined()
    expect(events[1]).toMatchObject({ outcome: 'ok', age: null })
  })

  test('goes to the replica that answers fastest, whoever leads', async () => {
    const { cluster, cache } = await scripted()
    const { time } = cluster
    cluster.hub.setFault((from, to) => [[from, to].includes('n3') ? 1 : 20])
    for (let count = 0; count < 20; count += 1) await time.until(cache.get('key', stale))
    // Each had to be tried once.
    expect(
      reads(cluster)
        .slice(3)
        .every((one) => one.startsWith('n3')),
    ).toBe(true)
    await time.advance(11_000)
    cluster.hub.setFault((from, to) => [[from, to].includes('n2') ? 1 : 20])
    cluster.asked.length = 0
    for (let count = 0; count < 20; count += 1) await time.until(cache.get('key', stale))
    expect(
      reads(cluster)
        .slice(3)
        .every((one) => one.startsWith('n2')),
    ).toBe(true)
  })

  test('that one replica has only too old goes to the leader, and the next one not to that replica', async () => {
    const { cluster, cache } = await scripted()
    const { time } = cluster
    cluster.ageAt = (node) => (node.name === 'n1' ? 5 : 5_000)
    for (let count = 0; count < 3; count += 1)
      expect(await time.until(cache.getEntry('key', { ...stale, maxAge: 100 }))).toMatchObject({ age: 5 })
    // Then the other follower, of which nothing is known yet.
    expect(reads(cluster).map((one) => one.slice(0, 2))).toEqual(['n2', 'n1', 'n3', 'n1', 'n1'])
  })

  test('that nobody can answer is TOO_OLD at its deadline and not done, having asked everybody', async () => {
    const { cluster, cache } = await scripted()
    cluster.ageAt = () => null
    const end = await cluster.time.until(ending(cache.get('key', { ...stale, maxAge: 100, timeout: 400 })))
    expect(end).toEqual({ code: 'TOO_OLD', outcome: 'not-done' })
    expect(new Set(reads(cluster).map((one) => one.slice(0, 2)))).toEqual(new Set(['n1', 'n2', 'n3']))
    // Paced: a refusal is no invitation to a hot loop.
    expect(reads(cluster).length).toBeLessThan(60)
  })

  test.each(['gone', 'unreachable', 'silent'])('goes on elsewhere when its replica is %s', async (what) => {
    const { cluster, cache } = await scripted()
    const { time } = cluster
    if (what !== 'silent') cluster.hub.disconnect('n2')
    // Its connection is known to be closed, and it cannot be reached anew.
    if (what === 'unreachable') await time.advance(20)
    cluster.script = (asked, node) => (asked.type === 'read' && node.name === 'n2' ? 'silent' : 'serve')
    const startedAt = time.now
    expect(await time.until(cache.get('key', { ...stale, timeout: 900 }))).toBe('value')
    expect(time.now - startedAt).toBeLessThan(350)
    // And the next one does not wait for it again.
    expect(await time.until(cache.get('key', { ...stale, timeout: 900 }))).toBe('value')
    expect(time.now - startedAt).toBeLessThan(360)
  })

  test('tells nothing about who leads: linearizable operations go on to the leader, at once', async () => {
    const { cluster, cache, leader } = await scripted()
    const { time } = cluster
    cluster.ageAt = (node) => (node === leader ? 500 : 1)
    for (let count = 0; count < 9; count += 1) await time.until(cache.get('key', { ...stale, maxAge: 100 }))
    cluster.script = (asked) =>
      asked.type === 'read' && asked.how !== undefined ? refused('TOO_OLD') : 'serve'
    await time.until(ending(cache.get('key', { ...stale, maxAge: 100, timeout: 300 })))
    cluster.script = () => 'serve'
    cluster.asked.length = 0
    await time.until(cache.get('key'))
    await time.until(cache.set('key', 'next'))
    expect(cluster.asked.map(({ node }) => node)).toEqual([leader.name, leader.name])
  })

  test("tells nothing about the time: a follower's clock is behind, and the next write must not be late", async () => {
    const made = await scripted()
    const { cluster, cache } = made
    const { time } = cluster
    for (let count = 0; count < 9; count += 1) await time.until(cache.get('key', stale))
    await time.until(cache.set('key', 'next', { timeout: 2_000 }))
    const [last] = made.commands().slice(-1)
    const section = last?.request.type === 'write' ? last.request.section : null
    const command = section?.kind === 'commands' ? section.commands[0] : undefined
    expect(command?.notAfter).toBeGreaterThan(cluster.logTime() + 1_000)
    expect(made.commands()).toHaveLength(1)
  })
})

describe('an age where none belongs, or none where one does', () => {
  test.each([
    ['a linearizable read', {}, 5],
    ['a lease read', { consistency: 'lease' }, 5],
    ['a stale read', { consistency: 'stale' }, undefined],
  ] as const)('%s: the node is confused, and proves nothing', async (_, options, age) => {
    const { cluster, cache } = await scripted()
    let lies = 0
    cluster.script = (asked, node) => {
      if (asked.type !== 'read' || lies > 0) return 'serve'
      lies += 1
      const answers = [
        {
          type: 'applied' as const,
          position: { epoch: 10, version: 99, t: 1 },
          result: { type: 'absent' as const },
        },
      ]
      const reply = { type: 'answers' as const, requestId: asked.requestId, leaderTime: 1, answers }
      const aged = age === undefined ? reply : { ...reply, age }
      for (const connection of node.connections)
        connection.send(encodeServerFrame({ type: 'replies', mapEpoch: 10, replies: [aged] }))
      return 'silent'
    }
    expect(await cluster.time.until(cache.get('key', options))).toBe('value')
    expect(lies).toBe(1)
  })
})
