// What one operation's trouble must not do to the nodes, to other operations, or after its deadline.
import { describe, expect, test } from 'vitest'
import { notAfterOf } from '../src/calls/not-after.ts'
import { connect } from '../src/index.ts'
import { createFakeCluster, must } from './fake-cluster.ts'
import { createScripted, ending, open, refused } from './scripted.ts'

describe('a session that cannot be opened', () => {
  test('is not asked for in a hot loop while the disks are full: who waits for it ends like any other write', async () => {
    const cluster = await createFakeCluster({ shards: 1 })
    const { time, runtime } = cluster
    const cache = await time.until(connect(cluster.addresses, { runtime }))
    cluster.script = ({ type }) => (type === 'write' ? refused('DISK_FULL') : 'serve')
    const startedAt = time.now
    const ends = Array.from({ length: 3 }, (_, key) => ending(cache.set(`key${key}`, 1)))
    for (const end of ends) expect(await time.until(end)).toEqual({ code: 'DISK_FULL', outcome: 'not-done' })
    expect(time.now - startedAt).toBeLessThan(100)
    expect(cluster.asked.length).toBeLessThan(4)
    // Nothing was named, nothing is left: as soon as there is room the next one is served.
    cluster.script = () => 'serve'
    expect(await time.until(cache.incr('key0'))).toBe(1)
  })

  test('nor while a node refuses it for good', async () => {
    const cluster = await createFakeCluster({ shards: 1 })
    const { time, runtime } = cluster
    const cache = await time.until(connect(cluster.addresses, { runtime }))
    cluster.script = ({ type }) => (type === 'write' ? refused('UNKNOWN_COMMAND') : 'serve')
    expect(await time.until(ending(cache.set('key', 1)))).toEqual({
      code: 'UNKNOWN_COMMAND',
      outcome: 'not-done',
    })
    expect(cluster.asked.length).toBeLessThan(4)
  })
})

test('an impatient operation does not close the connection that others wait on', async () => {
  const scripted = await createScripted({ latencyMs: 20 })
  const { cluster, cache } = scripted
  const hellos = cluster.nodes.map(({ helloCount }) => helloCount)
  const patient = cache.set('patient', 1)
  await cluster.time.advance(1)
  // A third of 30 ms is less than the way there and back: its silence says nothing of the node.
  await cluster.time.until(ending(cache.set('impatient', 1, { timeout: 30 })))
  await cluster.time.until(patient)
  expect(cluster.nodes[0]?.helloCount).toBe(hellos[0])
  expect(scripted.events.find(({ key }) => Buffer.from(key).toString() === 'patient')).toMatchObject({
    outcome: 'ok',
    attempts: 1,
  })
})

test('a connection that swallows everything is given up, though every single operation is impatient', async () => {
  const scripted = await createScripted()
  const { cluster, cache } = scripted
  const hellos = cluster.nodes[0]?.helloCount ?? 0
  cluster.script = () => 'silent'
  for (let round = 0; round < 10; round += 1)
    await cluster.time.until(ending(cache.set('key', 1, { timeout: 90 })))
  expect(cluster.nodes[0]?.helloCount).toBeGreaterThan(hellos)
})

test('a command that leaves after its deadline (a stalled process) carries a notAfter that has passed', () => {
  // The request of the last reply left at 0 when L was at most 1,000: the deadline is at L 6,000 or before.
  const time = { leaderTime: 1_000, sentAt: 0, receivedAt: 2 }
  expect(notAfterOf(time, 30_000, 5_000)).toBe(6_000)
  expect(notAfterOf({ leaderTime: 10, sentAt: 9_000, receivedAt: 9_001 }, 30_000, 5_000)).toBe(0)
})

test('one slow reply does not let the next commands take effect long after their deadline', async () => {
  const scripted = await createScripted()
  const { cluster, cache } = scripted
  const [node] = cluster.nodes
  // A node answers a read only after four seconds: L in its reply says nothing of when the request left.
  cluster.script = ({ type }) => (type === 'read' ? 'silent' : 'serve')
  const slow = ending(cache.get('slow', { timeout: 60_000 }))
  await cluster.time.advance(4_000)
  const read = must(cluster.asked.find(({ request }) => request.type === 'read')).request
  const position = { epoch: 1, version: 1, t: cluster.logTime() }
  const answers = [{ type: 'applied', position, result: { type: 'absent' } }] as const
  const { requestId } = read
  const reply = { type: 'answers', requestId, leaderTime: cluster.logTime(), answers } as const
  cluster.send(must(node), { type: 'replies', mapEpoch: cluster.map.epoch, replies: [reply] })
  expect(await cluster.time.until(slow)).toEqual({ ok: undefined })
  scripted.say(open())
  const deadlineAt = cluster.logTime() + 1_000
  await cluster.time.until(ending(cache.set('key', 1, { timeout: 1_000 })))
  for (const { request } of scripted.commands()) {
    if (request.type !== 'write' || request.section.kind !== 'commands') continue
    for (const { notAfter } of request.section.commands) expect(notAfter).toBeLessThan(deadlineAt + 10)
  }
})
