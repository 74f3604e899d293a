// Who may call, with which frames on which connection, and how much is remembered of whom.
import { encodePeerFrame, limits, type PeerFrame } from '@quorate/protocol'
import { describe, expect, it, vi } from 'vitest'
import { fixed } from '../src/settings.ts'
import { A, append, B, heartbeat, helloOf, LinkWorld, RawPeer, vote } from './support/link-world.ts'

vi.setConfig({ testTimeout: 60_000 })

const dirIdOf = (at: number): string => at.toString(16).padStart(32, '0')

async function listening(): Promise<LinkWorld> {
  const world = new LinkWorld()
  await world.listen()
  return world
}

/** The three connections of one link, greeted in this order. */
async function greeted(
  world: LinkWorld,
  link: number,
  change: Parameters<typeof helloOf>[2] = {},
  dirId = A,
) {
  const [bulk, control, appending] = (['bulk', 'control', 'append'] as const).map((channel) =>
    new RawPeer(world.hub).send(helloOf(dirId, link, { ...change, channel })),
  )
  await world.time.run(10)
  if (bulk === undefined || control === undefined || appending === undefined) throw new Error('three')
  return { control, append: appending, bulk }
}

describe('a caller', () => {
  it('is here when its three connections are, and gone when one of them is', async () => {
    const world = await listening()
    new RawPeer(world.hub).send(helloOf(A, 1))
    new RawPeer(world.hub).send(helloOf(A, 1, { channel: 'append' }))
    await world.time.run(10)
    expect([world.arrived, world.acceptor.callers()]).toEqual([[], []])
    const bulk = new RawPeer(world.hub, 'other').send(helloOf(A, 1, { channel: 'bulk' }))
    await world.time.run(10)
    expect([world.arrived.length, world.acceptor.callers().length]).toEqual([1, 1])
    world.hub.disconnect('other')
    await world.time.run(10)
    expect([world.left.length, world.acceptor.callers(), bulk.closed]).toEqual([1, [], false])
  })

  it('that speaks before all three are there is sent away', async () => {
    const world = await listening()
    const control = new RawPeer(world.hub).send(helloOf(A, 1), heartbeat(1))
    await world.time.run(10)
    expect([control.refusal, control.closed, world.received]).toEqual(['BAD_FRAME', true, []])
  })

  const wrong: [string, 'control' | 'append' | 'bulk', PeerFrame][] = [
    ['an append', 'control', { type: 'messages', messages: [append(1, 10)] }],
    ['a vote', 'append', { type: 'messages', messages: [append(1, 10), vote(1)] }],
    ['a vote', 'bulk', { type: 'messages', messages: [vote(1)] }],
    ['a heartbeat', 'append', heartbeat(1)],
    ['a heartbeat', 'bulk', heartbeat(1)],
    ['a second hello', 'control', helloOf(A, 1)],
    ['a progress', 'append', { type: 'progress', received: 1, done: 1 }],
  ]
  for (const [what, channel, frame] of wrong)
    it(`that sends ${what} on the ${channel} connection is sent away, on all three`, async () => {
      const world = await listening()
      const link = await greeted(world, 1)
      link[channel].send(frame)
      await world.time.run(10)
      const ends = Object.values(link).map((one) => [one.refusal, one.closed])
      expect(ends).toEqual(Array.from({ length: 3 }, () => ['BAD_FRAME', true]))
      expect([world.received, world.left.length]).toEqual([[], 1])
    })

  it('with a newer link ends its older one; what that still delivers, or says late, changes nothing', async () => {
    const world = await listening()
    const first = await greeted(world, 7)
    // On their way when the newer link begins.
    world.hub.setFault(() => [20])
    first.control.send(heartbeat(1))
    world.hub.setFault(null)
    const second = await greeted(world, 9)
    await world.time.run(50)
    expect([world.received, first.control.closed, world.left, world.arrived.length]).toEqual([
      [],
      true,
      [],
      2,
    ])
    const late = new RawPeer(world.hub).send(helloOf(A, 8))
    const again = new RawPeer(world.hub).send(helloOf(A, 7, { channel: 'bulk' }))
    await world.time.run(10)
    expect([late.heard, late.closed, again.heard, again.closed]).toEqual([[], true, [], true])
    second.control.send(heartbeat(2))
    await world.time.run(10)
    expect(world.received).toEqual([heartbeat(2)])
  })

  it('whose link has ended cannot go on with it by one connection', async () => {
    const world = await listening()
    const link = await greeted(world, 3)
    link.bulk.send(heartbeat(1))
    await world.time.run(10)
    const again = new RawPeer(world.hub).send(helloOf(A, 3, { channel: 'bulk' }))
    await world.time.run(10)
    expect([again.heard, again.closed]).toEqual([[], true])
  })

  it('with one connection twice is sent away', async () => {
    const world = await listening()
    const link = await greeted(world, 3)
    const twice = new RawPeer(world.hub).send(helloOf(A, 3, { channel: 'bulk' }))
    await world.time.run(10)
    expect([twice.refusal, link.control.refusal]).toEqual(['BAD_FRAME', 'BAD_FRAME'])
  })

  it('of a higher boot has left as the one that it was', async () => {
    const world = await listening()
    await greeted(world, 3)
    const control = new RawPeer(world.hub).send(helloOf(A, 1, { boot: 2 }))
    await world.time.run(10)
    expect([world.left.map(({ hello }) => hello.boot), control.refusal]).toEqual([[1], null])
    const older = new RawPeer(world.hub).send(helloOf(A, 4))
    await world.time.run(10)
    expect(older.refusal).toBe('RESTORED')
  })

  it('whose newer link is never complete has left when that ends', async () => {
    const world = await listening()
    await greeted(world, 1)
    const half = new RawPeer(world.hub, 'half').send(helloOf(A, 2))
    await world.time.run(10)
    expect([world.left, half.closed]).toEqual([[], false])
    world.hub.disconnect('half')
    await world.time.run(10)
    expect(world.left).toHaveLength(1)
  })

  it('that uses a sequence of an earlier link again is an old copy', async () => {
    const world = await listening()
    const first = await greeted(world, 1)
    first.control.send(heartbeat(5))
    await world.time.run(10)
    const second = await greeted(world, 2)
    second.control.send(heartbeat(5))
    await world.time.run(10)
    expect(second.control.refusal).toBe('RESTORED')
  })

  it('that was removed from the cluster is sent away (F4)', async () => {
    const world = await listening()
    world.removed.add(A)
    const { control } = await greeted(world, 1)
    expect([control.refusal, control.closed, world.arrived]).toEqual(['REMOVED', true, []])
  })

  it('that in a new boot lacks what it told to be synced is an old copy (A11, rule 10)', async () => {
    const world = await listening()
    const { control } = await greeted(world, 1)
    control.send({ ...heartbeat(1), syncedLog: 50 } as PeerFrame)
    await world.time.run(10)
    const old = await greeted(world, 1, { boot: 2, recoveredLog: 49 })
    const whole = await greeted(world, 1, { boot: 2, recoveredLog: 50 })
    expect([old.control.refusal, whole.control.refusal]).toEqual(['RESTORED', null])
  })

  it('that falls silent on one connection is gone after some seconds, whatever the others say', async () => {
    const world = await listening()
    const link = await greeted(world, 1)
    for (let second = 0; second < 8; second += 1) {
      link.control.send({ type: 'probe', sent: 0 })
      link.append.send({ type: 'probe', sent: 0 })
      await world.time.run(1_000)
    }
    expect([world.left.length, link.control.closed]).toEqual([1, true])
    expect(world.events).toMatchObject([{ code: 'peer_silent', channel: 'bulk' }])
  })

  it('that ignores its credit is sent away', async () => {
    const world = await listening()
    world.syncs = false
    const link = await greeted(world, 1)
    const { length } = encodePeerFrame({ type: 'messages', messages: [append(1, 4_000_000)] })
    const most = Math.ceil((limits.appendCreditBytes + limits.frameBytes) / length)
    for (let at = 0; at < most; at += 1)
      link.append.send({ type: 'messages', messages: [append(1, 4_000_000)] })
    await world.time.run(10)
    expect(link.append.refusal).toBe(null)
    link.append.send({ type: 'messages', messages: [append(1, 10)] })
    await world.time.run(10)
    expect(link.append.refusal).toBe('BAD_FRAME')
  })

  for (const sent of [limits.appendCreditBytes + 1, Number.MAX_SAFE_INTEGER])
    it(`whose count of what it sent is far off (${sent}) is sent away`, async () => {
      const world = await listening()
      const link = await greeted(world, 1)
      link.control.send({ type: 'probe', sent })
      await world.time.run(10)
      expect(link.control.refusal).toBe('BAD_FRAME')
    })

  it('is told what arrived at once, and what is done when the log has synced it', async () => {
    const world = await listening()
    const link = await greeted(world, 1)
    world.syncs = false
    const frame: PeerFrame = { type: 'messages', messages: [append(1, 3_000_000)] }
    const { length } = encodePeerFrame(frame)
    link.append.send(frame)
    await world.time.run(10)
    expect(link.append.heard.slice(1)).toEqual([{ type: 'progress', received: length, done: 0 }])
    link.append.send(frame)
    world.sync()
    await world.time.run(10)
    link.append.send({ type: 'probe', sent: 2 * length })
    await world.time.run(10)
    expect(link.append.heard.at(-1)).toEqual({ type: 'progress', received: 2 * length + 9, done: 2 * length })
    // Large steps are told unasked, and that frames arrive is told now and then.
    world.syncs = false
    for (let at = 0; at < 2; at += 1) {
      await world.time.run(fixed.progressMs)
      link.append.send(frame)
    }
    await world.time.run(10)
    const received = 4 * length + 9
    expect(link.append.heard.at(-1)).toEqual({ type: 'progress', received, done: 2 * length + 9 })
    world.sync()
    await world.time.run(10)
    expect(link.append.heard.at(-1)).toEqual({ type: 'progress', received, done: received })
    // Where nothing is appended nothing has to be synced.
    world.syncs = false
    link.bulk.send({ type: 'probe', sent: 0 })
    await world.time.run(10)
    expect(link.bulk.heard.at(-1)).toEqual({ type: 'progress', received: 9, done: 9 })
  })
})

describe('what is kept of callers', () => {
  it('are so many connections that have not said who they are, for so long', async () => {
    const world = await listening()
    const peers = Array.from({ length: fixed.greetingsMax + 10 }, () => new RawPeer(world.hub))
    await world.time.run(10)
    expect(peers.map(({ closed }) => closed).indexOf(false)).toBe(10)
    await world.time.run((fixed.callerSilentTicks + 2) * fixed.callerTickMs)
    expect(peers.every(({ closed }) => closed)).toBe(true)
    expect((await greeted(world, 1)).bulk.closed).toBe(false)
  })

  it('are so many strangers, the oldest of which is forgotten with its connections; and every member of the map', async () => {
    const world = await listening()
    const member = dirIdOf(1)
    world.members.add(member)
    // A member that was here in its second boot, and is not now; and a stranger that is.
    await greeted(world, 1, { boot: 2 }, member)
    new RawPeer(world.hub, 'gone').send(helloOf(member, 2, { boot: 2 }))
    await world.time.run(10)
    world.hub.disconnect('gone')
    const stranger = await greeted(world, 1, { boot: 2 }, dirIdOf(2))
    for (let at = 0; at < fixed.strangersMax - 1; at += 1)
      new RawPeer(world.hub).send(helloOf(dirIdOf(100 + at), 1))
    await world.time.run(100)
    expect([stranger.control.closed, world.left.length]).toEqual([false, 1])
    new RawPeer(world.hub).send(helloOf(dirIdOf(99), 1))
    await world.time.run(100)
    expect([stranger.control.closed, world.left.length]).toEqual([true, 2])
    const old = [member, dirIdOf(2)].map((dirId) => new RawPeer(world.hub).send(helloOf(dirId, 9)))
    await world.time.run(10)
    expect(old.map(({ refusal }) => refusal)).toEqual(['RESTORED', null])
  })

  it('is nothing of itself, of other clusters, or of who means another', async () => {
    const world = await listening()
    const peers = [
      new RawPeer(world.hub).send(helloOf(B, 1)),
      new RawPeer(world.hub).send(helloOf(A, 1, { to: A })),
      new RawPeer(world.hub).send(helloOf(A, 1, { protocolMin: 900, protocolMax: 901 })),
      new RawPeer(world.hub).bytes(Uint8Array.of(1, 2, 3)),
      new RawPeer(world.hub).send(heartbeat(1)),
    ]
    await world.time.run(10)
    expect(peers.map(({ refusal }) => refusal)).toEqual([
      'WRONG_NODE',
      'WRONG_NODE',
      'PROTOCOL_VERSION',
      'BAD_FRAME',
      'BAD_FRAME',
    ])
    expect(peers.every(({ closed }) => closed)).toBe(true)
  })
})
