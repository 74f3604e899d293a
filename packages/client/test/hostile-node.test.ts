// Nodes that answer with garbage, too much, too often, of another version or cluster: a typed error or nothing, no mix-up.
import {
  type Answer,
  type ClientReply,
  encodeServerFrame,
  QuorateError,
  type ServerFrame,
} from '@quorate/protocol'
import { createSeededRandom, type Random } from '@quorate/runtime'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { connect } from '../src/index.ts'
import { createFakeCluster, createMap, type FakeCluster } from './fake-cluster.ts'
import { createScripted, ending } from './scripted.ts'

const OPERATIONS = 40
const position = { epoch: 1, version: 1, t: 1 }
const wrongAnswer: Answer = {
  type: 'applied',
  position,
  result: { type: 'entry', version: 9, value: { type: 'integer', integer: 666 }, expiresAt: 0 },
}

function damaged(random: Random, frame: Uint8Array): Uint8Array {
  const bytes = frame.slice(0, random.next() < 0.2 ? Math.floor(random.next() * frame.length) : frame.length)
  for (let left = 3; left > 0 && bytes.length > 0; left -= 1)
    bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256)
  return bytes
}

/** Replies to requests that were never made, or long answered. */
function strayReplies(random: Random): ServerFrame {
  const requestId = 1_000_000 + Math.floor(random.next() * 1_000)
  const replies: ClientReply[] = [
    { type: 'answers', requestId, leaderTime: Number.MAX_SAFE_INTEGER, answers: [wrongAnswer, wrongAnswer] },
    { type: 'refused', requestId: requestId + 1, code: 'LATE', leader: 'nowhere:1', leaderTime: 1 },
    { type: 'open', requestId: requestId + 2, code: 'LEADERSHIP_LOST', leader: null },
  ]
  return { type: 'replies', mapEpoch: 3, replies }
}

/** Says something hostile on every connection of one node. */
function harass(cluster: FakeCluster, random: Random): void {
  const node = cluster.node(Math.floor(random.next() * 3))
  const frame = encodeServerFrame(strayReplies(random))
  const kind = Math.floor(random.next() * 5)
  for (const connection of node.connections) {
    if (kind === 0) connection.send(damaged(random, frame))
    else if (kind === 1) connection.send(Uint8Array.from(random.bytes(60)))
    else if (kind === 2) connection.send(frame)
    // An older map, one of the same epoch that contradicts, and a status that nobody asked for.
    else if (kind === 3)
      connection.send(encodeServerFrame({ type: 'map', map: createMap(cluster.nodes, 1, 10) }))
    else connection.send(encodeServerFrame({ type: 'status', requestId: 7, json: '[[[' }))
  }
}

test('E5: whatever nodes say besides, every operation ends with its own answer or a typed error', async () => {
  let answered = 0
  const property = fc.asyncProperty(fc.integer(), async (seed) => {
    const random = createSeededRandom(seed)
    const cluster = await createFakeCluster({ shards: 2 })
    const { time } = cluster
    const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime }))
    for (let at = 0; at < OPERATIONS; at += 1) {
      const operations = [0, 1, 2].map((part) => cache.set(`k${at}.${part}`, `v${at}.${part}`))
      harass(cluster, random)
      const ends = await time.until(Promise.all(operations.map(ending)))
      harass(cluster, random)
      for (const [part, end] of ends.entries()) {
        const read = cache.get(`k${at}.${part}`)
        harass(cluster, random)
        const seen = await time.until(ending(read))
        if (!('ok' in end) || !('ok' in seen)) continue
        answered += 1
        expect(seen.ok).toBe(`v${at}.${part}`)
      }
    }
    await time.until(cache.close())
  })
  await fc.assert(property, { numRuns: 25, endOnFailure: true })
  expect(answered).toBeGreaterThan(25 * OPERATIONS)
})

test('E5: a second reply to a request, and answers of another number or kind, are nobody else’s', async () => {
  const { cluster, cache } = await createScripted()
  const { time } = cluster
  cluster.script = (asked, node) => {
    if (asked.type !== 'read') return 'serve'
    const twice = {
      type: 'answers',
      requestId: asked.requestId,
      leaderTime: 1,
      answers: [wrongAnswer],
    } as const
    // Behind the true reply, and once more behind the next one.
    for (const delayMs of [1, 20])
      time.timers.after(delayMs, () =>
        cluster.send(node, { type: 'replies', mapEpoch: 10, replies: [twice] }),
      )
    return 'serve'
  }
  await time.until(cache.set('a', 'mine'))
  for (let times = 0; times < 5; times += 1) expect(await time.until(cache.get('a'))).toBe('mine')
  cluster.script = () => [wrongAnswer, wrongAnswer]
  expect(await time.until(ending(cache.set('a', 'other', { timeout: 500 })))).toMatchObject({
    outcome: 'unknown',
  })
})

test.each([0, 1, 2])(
  'E5: of a reply in which answer %i is none to its command, no answer is believed',
  async (place) => {
    const scripted = await createScripted()
    const { cluster, cache } = scripted
    const { time } = cluster
    // As if the replies had slipped by one: the others are of the right kind, and not theirs.
    const foreign: Answer = { type: 'applied', position, result: { type: 'written', version: 777 } }
    const slipped: Answer = { type: 'applied', position, result: { type: 'deleted', existed: true } }
    scripted.say([0, 1, 2].map((at) => (at === place ? slipped : foreign)))
    const ends = await time.until(Promise.all(['a', 'b', 'c'].map((key) => cache.set(key, `of ${key}`))))
    expect(ends.filter(({ version }) => version === 777)).toEqual([])
    // What was open has been asked again under the same names.
    expect(new Set(scripted.names()).size).toBe(3)
    expect(scripted.names()).toHaveLength(6)
    expect(await time.until(cache.getMany(['a', 'b', 'c']))).toEqual(
      new Map(['a', 'b', 'c'].map((key) => [key, `of ${key}`])),
    )
  },
)

const welcome = (
  cluster: FakeCluster,
  change: Partial<Extract<ServerFrame, { type: 'welcome' }>>,
): Uint8Array =>
  encodeServerFrame({
    type: 'welcome',
    protocol: 1,
    clusterId: cluster.map.clusterId,
    node: 'n1',
    boot: 1,
    features: 0,
    map: cluster.map,
    ...change,
  })

test.each([
  [
    'a version that was never offered',
    (cluster: FakeCluster) => welcome(cluster, { protocol: 2 }),
    'PROTOCOL_VERSION',
  ],
  [
    'a refusal',
    () => encodeServerFrame({ type: 'unwelcome', code: 'OVERLOADED', message: 'full' }),
    'OVERLOADED',
  ],
  ['bytes', () => Uint8Array.of(1, 2, 3), 'BAD_FRAME'],
  ['nothing', () => null, 'CANNOT_CONNECT'],
] as const)('a node that answers hello with %s is no node: connect says so', async (_, say, code) => {
  const cluster = await createFakeCluster()
  const listener = cluster.hub.networkFor('liar').listen('liar:1', (connection) => ({
    frame: () => {
      const frame = say(cluster)
      if (frame !== null) connection.send(frame)
    },
    closed: () => {},
  }))
  await listener
  const connecting = connect(['liar:1'], { runtime: cluster.runtime, timeout: 2_000 })
  const end = await cluster.time.until(
    connecting.then(
      () => null,
      (error: unknown) => error,
    ),
  )
  expect(end).toBeInstanceOf(QuorateError)
  expect(end).toMatchObject({ code, outcome: 'not-done' })
})

test('features that a node has and this client does not know are ignored', async () => {
  const cluster = await createFakeCluster()
  await cluster.hub.networkFor('new').listen('new:1', (connection) => ({
    frame: () => connection.send(welcome(cluster, { features: 0xffff_ffff })),
    closed: () => {},
  }))
  const cache = await cluster.time.until(connect(['new:1'], { runtime: cluster.runtime }))
  expect(await cluster.time.until(cache.get('a'))).toBe(undefined)
})
