// A link is three connections: all of them or none, and none of them silent.
import { channels, encodePeerFrame, limits, type PeerFrame } from '@quorate/protocol'
import { describe, expect, it, vi } from 'vitest'
import { fixed } from '../src/settings.ts'
import { append, heartbeat, LinkWorld, vote } from './support/link-world.ts'

vi.setConfig({ testTimeout: 60_000 })

/** An election timeout, and the tick at which it is noticed. */
const NOTICED_MS = limits.electionTimeoutMsMax + (fixed.idleProbeTicks + 1) * fixed.probeMs

async function linked(latencyMs?: number) {
  const world = new LinkWorld(latencyMs)
  await world.listen()
  const link = world.link()
  await world.ready(link)
  return { world, link }
}

describe('a link to a peer', () => {
  for (const channel of channels)
    for (const direction of ['there', 'back'] as const)
      it(`is not ready while its ${channel} connection gets no answer (${direction})`, async () => {
        const world = new LinkWorld()
        await world.listen()
        world.blackHole(channel, direction, null)
        const link = world.link()
        link.send(heartbeat(1))
        await world.time.run(3_000)
        expect([link.ready, world.welcomed, world.received]).toEqual([false, [], []])
        world.hub.blackHole(null)
        await world.ready(link)
        expect(world.lost).toEqual([])
      })

  for (const channel of channels)
    for (const direction of ['there', 'back', 'both'] as const)
      it(`notices within an election timeout that its ${channel} connection died in silence (${direction}), and dials all three anew`, async () => {
        const { world, link } = await linked()
        await world.time.run(1_000)
        world.blackHole(channel, direction, 1)
        const begun = world.time.nowMs
        expect(await world.time.run(NOTICED_MS, () => world.lost.length > 0)).toBe(true)
        expect(world.time.nowMs - begun).toBeGreaterThan(limits.electionTimeoutMsMin)
        expect(world.lost[0]?.reason).toBe(`${channel}: silent`)
        await world.ready(link)
        link.send(heartbeat(1))
        await world.time.run(2_000)
        expect([world.lost.length, world.received, world.welcomed]).toEqual([1, [heartbeat(1)], [1, 2]])
      })

  it('whose peer is gone at once is dialled until it is there again', async () => {
    const { world, link } = await linked()
    world.hub.disconnect('b')
    expect(await world.time.run(100, () => world.lost.length === 1)).toBe(true)
    await world.time.run(5_000)
    expect(link.ready).toBe(false)
    await world.listen()
    await world.ready(link)
  })

  it('that is idle stays, and costs few frames: with heartbeats 25 a second', async () => {
    const { world, link } = await linked()
    let frames = 0
    world.tap((frame) => {
      if (frame.type !== 'heartbeat') frames += 1
    })
    await world.time.run(10_000)
    // A question and an answer on each.
    expect(frames).toBeLessThanOrEqual((10_000 / (fixed.idleProbeTicks * fixed.probeMs)) * 6)
    frames = 0
    for (let at = 1; at <= 10_000 / limits.heartbeatMs; at += 1) {
      link.send(heartbeat(at))
      await world.time.run(limits.heartbeatMs)
    }
    // Heartbeats are questions enough.
    expect(frames).toBeLessThanOrEqual(250)
    expect([world.lost, link.ready]).toEqual([[], true])
  })

  it('on which heartbeats flow notices that nobody answers them', async () => {
    const { world, link } = await linked()
    world.blackHole('control', 'back', 1)
    const begun = world.time.nowMs
    for (let at = 1; world.lost.length === 0 && at < 100; at += 1) {
      link.send(heartbeat(at))
      await world.time.run(limits.heartbeatMs)
    }
    expect(world.lost).toMatchObject([{ reason: 'control: silent' }])
    expect(world.time.nowMs - begun).toBeLessThanOrEqual(NOTICED_MS)
  })

  it('is not lost because its own process stood still', async () => {
    const { world, link } = await linked()
    world.near.pause()
    await world.time.run(3_000)
    world.near.resume()
    await world.time.run(2_000)
    expect([world.lost, link.ready]).toEqual([[], true])
  })

  it('is lost when the other process stands still, and comes back with it', async () => {
    const { world, link } = await linked()
    world.far.pause()
    expect(await world.time.run(NOTICED_MS, () => world.lost.length > 0)).toBe(true)
    await world.time.run(3_000)
    world.far.resume()
    await world.ready(link)
    link.send(heartbeat(1))
    await world.time.run(2_000)
    expect([world.lost.length, world.received]).toEqual([1, [heartbeat(1)]])
  })

  it('is alive while a slow network makes progress, however much is on its way', async () => {
    const { world, link } = await linked()
    // 8 MiB/s, one after the other.
    let freeAt = 0
    world.hub.setFault((from, _to, bytes) => {
      if (from !== 'a' || bytes.length < 1_000) return [1]
      freeAt = Math.max(freeAt, world.time.nowMs) + bytes.length / 8_389
      return [freeAt - world.time.nowMs]
    })
    for (let at = 0; at < 12; at += 1) {
      link.send({ type: 'messages', messages: [append(at, 3_000_000)] })
      await world.time.run(1)
    }
    await world.time.run(6_000)
    expect(world.received.filter(({ type }) => type === 'messages')).toHaveLength(12)
    expect(world.lost).toEqual([])
  })

  it('sends what one turn has to say in one frame for each connection, cut at the frame limit', async () => {
    const { world, link } = await linked()
    const sent: { frame: PeerFrame; bytes: number }[] = []
    world.tap((frame, bytes, from) => {
      if (from === 'a' && frame.type !== 'probe') sent.push({ frame, bytes: bytes.length })
    })
    const messages = Array.from({ length: 9 }, (_, group) => append(group, 1_000_000))
    for (const message of messages) link.send({ type: 'messages', messages: [message, vote(message.group)] })
    await world.time.run(50)
    expect(sent.map(({ frame }) => (frame.type === 'messages' ? frame.messages.length : 0))).toEqual([
      9, 4, 4, 1,
    ])
    expect(sent.every(({ bytes }) => bytes <= limits.frameBytes)).toBe(true)
    const groups = world.received.flatMap((frame) => (frame.type === 'messages' ? frame.messages : []))
    expect(
      groups.filter(({ message }) => message.type === 'appendRequest').map(({ group }) => group),
    ).toEqual(messages.map(({ group }) => group))
  })

  it('E10: lets heartbeats and votes pass what data waits in the other connections', async () => {
    const { world, link } = await linked()
    // Data crawls: nothing large arrives during this test.
    world.hub.setFault((_from, _to, bytes) => [bytes.length > 10_000 ? 500 : 1])
    for (let at = 0; at < 16; at += 1)
      link.send({ type: 'messages', messages: [append(at, 1_000_000), vote(at)] })
    link.send(heartbeat(1))
    await world.time.run(20)
    expect(world.received.map(({ type }) => type)).toEqual(['heartbeat', 'messages'])
    expect(world.received[1]).toMatchObject({ messages: Array.from({ length: 16 }, (_, at) => vote(at)) })
  })

  it('survives a network that loses, repeats and reorders frames of open connections', async () => {
    const { world, link } = await linked()
    let at = 0
    world.hub.setFault(
      () => {
        at += 1
        return [[1], [], [1, 30], [40], [2]][at % 5] ?? []
      },
      () => true,
    )
    for (let round = 0; round < 300; round += 1) {
      link.send({ type: 'messages', messages: [append(1, 1_000_000)] })
      await world.time.run(20)
    }
    world.hub.setFault(null)
    world.received.length = 0
    await world.ready(link)
    await world.time.run(1_000)
    // Whatever was lost on the way does not count against the credit for ever.
    for (let round = 0; round < 70; round += 1) {
      link.send({ type: 'messages', messages: [append(1, 1_000_000)] })
      await world.time.run(20)
    }
    expect(world.received.filter(({ type }) => type === 'messages').length).toBeGreaterThanOrEqual(70)
  })
})

describe('the credit for appends', () => {
  const sendMany = async (world: LinkWorld, send: () => void, count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      send()
      await world.time.run(2)
    }
  }

  it('bounds what is sent and not synced by 64 MiB and what waits behind it by a queue; it keeps the link', async () => {
    const { world, link } = await linked()
    world.syncs = false
    let sent = 0
    world.tap((frame, bytes, from) => {
      if (from === 'a' && frame.type === 'messages') sent += bytes.length
    })
    await sendMany(world, () => link.send({ type: 'messages', messages: [append(1, 1_000_000)] }), 120)
    await world.time.run(3_000)
    expect(sent).toBeLessThanOrEqual(limits.appendCreditBytes)
    expect(sent).toBeGreaterThan(limits.appendCreditBytes - limits.frameBytes)
    // The disk is stuck, not the peer.
    expect([world.lost, link.ready]).toEqual([[], true])
    const before = world.received.length
    sent = 0
    world.sync()
    await world.time.run(1_000)
    // What waited comes; what did not fit the queue is for Raft to repeat.
    expect(sent).toBeGreaterThan(fixed.appendQueueBytes - 2_000_000)
    expect(sent).toBeLessThanOrEqual(fixed.appendQueueBytes)
    expect(world.received.length).toBeGreaterThan(before)
  })

  it('comes back as the log syncs, for as long as it likes', async () => {
    const { world, link } = await linked()
    await sendMany(world, () => link.send({ type: 'messages', messages: [append(1, 1_000_000)] }), 200)
    await world.time.run(1_000)
    expect(world.received.filter(({ type }) => type === 'messages')).toHaveLength(200)
  })

  it('of a new link is whole again', async () => {
    const { world, link } = await linked()
    world.syncs = false
    await sendMany(world, () => link.send({ type: 'messages', messages: [append(1, 1_000_000)] }), 80)
    world.hub.cut(() => true)
    await world.time.run(10)
    await world.ready(link)
    world.received.length = 0
    link.send({ type: 'messages', messages: [append(1, 1_000_000)] })
    await world.time.run(50)
    expect(world.received).toHaveLength(1)
  })

  it('does not hold back anything but appends', async () => {
    const { world, link } = await linked()
    world.syncs = false
    await sendMany(world, () => link.send({ type: 'messages', messages: [append(1, 1_000_000)] }), 80)
    world.received.length = 0
    link.send({ type: 'messages', messages: [vote(1)] })
    link.send(heartbeat(1))
    await world.time.run(50)
    expect(world.received.map(({ type }) => type)).toEqual(['heartbeat', 'messages'])
  })

  it('fits every frame', () => {
    const { length } = encodePeerFrame({ type: 'messages', messages: [append(1, 3_000_000)] })
    expect(length).toBeLessThan(limits.frameBytes)
    expect(limits.appendCreditBytes).toBeGreaterThanOrEqual(4 * limits.frameBytes)
  })
})
