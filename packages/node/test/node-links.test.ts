// Whole nodes over links that are slow, broken in parts, or full of data: nobody loses office for it.
import { channels, type ClientReply, decodePeerFrame, limits } from '@quorate/protocol'
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import type { Machine } from './fixture/machine.ts'
import { type TestClient, valueIn, written } from './fixture/test-client.ts'
import { Writer } from './fixture/writer.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 180_000 })

const LARGE = { segmentBytes: 8_388_608, retainBytes: 33_554_432, checkpointLogBytes: 8_388_608 }
const isNode = (host: string): boolean => !host.startsWith('client')

const terms = (cluster: TestCluster): (number | undefined)[] =>
  cluster.machines.map((machine) => machine.shard(1)?.term)

async function leaderWithClient(cluster: TestCluster): Promise<{ leader: Machine; client: TestClient }> {
  const leader = await cluster.formed()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  await cluster.until('all follow', () => new Set(terms(cluster)).size === 1)
  return { leader, client }
}

/** A follower that needs a snapshot to come back; each chunk to it takes `chunkMs` on its way. */
async function behind(chunkMs: number) {
  const cluster = new TestCluster({ settings: { snapshotChunkBytes: 16_384 } })
  const { leader, client } = await leaderWithClient(cluster)
  const [follower, other] = cluster.followers()
  if (follower === undefined || other === undefined) throw new Error('two followers')
  follower.crash({ powerLoss: false })
  const durable = leader.shard(1)?.lastIndex ?? 0
  for (let at = 0; at < 24; at += 1)
    expect(written(await cluster.wait(client.set(`k${at}`, `${at} `.padEnd(12_000, '.'))))).toBe(true)
  await cluster.until('the log was compacted', () => (leader.shard(1)?.firstIndex ?? 0) > durable + 1)
  const chunks: { readonly id: string; readonly chunk: number }[] = []
  let freeAt = 0
  cluster.hub.setFault((from, _to, bytes) => {
    const frame = isNode(from) && bytes[0] === 0x49 ? decodePeerFrame(bytes) : null
    if (frame?.type !== 'snapshotChunk' || frame.group !== 1) return [0.2]
    chunks.push({ id: frame.snapshot.id, chunk: frame.chunk })
    freeAt = Math.max(freeAt, cluster.time.nowMs) + chunkMs
    return [freeAt - cluster.time.nowMs]
  })
  return { cluster, leader, client, follower, other, chunks }
}

describe('client traffic', () => {
  it('E10: of 1 MiB values over a slow network delays no heartbeat, so that nobody is elected', async () => {
    const cluster = new TestCluster({ settings: LARGE })
    const { leader, client } = await leaderWithClient(cluster)
    const before = terms(cluster)
    // Between nodes 2 MiB/s in each direction, one large frame after the other: one value takes longer than followers
    // wait for a heartbeat. On connections without large frames what is small comes in between.
    const freeAt = new Map<string, number>()
    let heartbeats = 0
    cluster.hub.setFault((from, to, bytes) => {
      if (bytes[0] === 0x45 && from === leader.name) heartbeats += 1
      if (!isNode(from) || !isNode(to) || bytes.length < 10_000) return [0.2]
      const way = `${from}>${to}`
      const arrives = Math.max(freeAt.get(way) ?? 0, cluster.time.nowMs) + bytes.length / 2_097
      freeAt.set(way, arrives)
      return [arrives - cluster.time.nowMs]
    })
    const begun = cluster.time.nowMs
    const value = new Uint8Array(1_000_000).fill(7)
    const replies = []
    for (let at = 0; at < 8; at += 1) replies.push(client.set(`k${at % 6}`, value))
    let replied: readonly ClientReply[] | null = null
    void Promise.all(replies).then((all) => {
      replied = all
    })
    const seen = new Set<string>()
    let most = 0
    await cluster.until('all are answered', () => {
      const shard = leader.shard(1)
      most = Math.max(most, (shard?.lastIndex ?? 0) - (shard?.commitIndex ?? 0))
      seen.add(terms(cluster).join(' '))
      return replied !== null
    })
    expect([...seen]).toEqual([before.join(' ')])
    const took = cluster.time.nowMs - begun
    // It was slow enough to matter: several election timeouts of nothing but data.
    expect(took).toBeGreaterThan(2 * limits.electionTimeoutMsMax)
    expect(most).toBeGreaterThan(0)
    expect((await Promise.all(replies)).every(written)).toBe(true)
    expect(heartbeats).toBeGreaterThanOrEqual(2 * Math.floor(took / limits.heartbeatMs) - 4)
    expect(cluster.machines.flatMap((machine) => machine.saw('peer_lost'))).toEqual([])
    expect(cluster.leader()).toBe(leader)
  })
})

describe('one of the three connections to a follower', () => {
  for (const channel of channels)
    it(`that dies in silence (${channel}) is replaced with the others, and the follower keeps up`, async () => {
      const cluster = new TestCluster()
      const { leader, client } = await leaderWithClient(cluster)
      const [follower, other] = cluster.followers()
      if (follower === undefined || other === undefined) throw new Error('two followers')
      // Only connections that are open now; and nobody else can commit.
      const opened = new Set<string>()
      cluster.hub.blackHole(({ dialler, acceptor, opening }) => {
        const frame = opening === null || !isNode(dialler) ? null : decodePeerFrame(opening)
        if (frame?.type !== 'hello' || frame.channel !== channel) return false
        if (dialler !== leader.name || acceptor !== follower.name) return false
        const [link] = opened
        if (link === undefined) opened.add(`${frame.link}`)
        return opened.has(`${frame.link}`)
      })
      other.crash({ powerLoss: false })
      expect(written(await cluster.wait(client.set('a', '1'), 5_000))).toBe(true)
      await cluster.until('it is noticed', () => leader.saw('peer_lost').length >= 2, 3_000)
      const lost = leader.saw('peer_lost').map((event) => event['reason'])
      expect(lost).toContain(`${channel}: silent`)
      // Without heartbeats leadership may end meanwhile: whoever has it then takes the write.
      const writer = new Writer(cluster, 1)
      writer.start()
      await writer.more(1)
      await writer.stop()
      await cluster.until(
        'it has it',
        () => follower.shard(1)?.appliedIndex === leader.shard(1)?.appliedIndex,
      )
    })
})

describe('a snapshot', () => {
  it('C13 F10: that takes many election timeouts unseats nobody, also if its receiver is the only other one there', async () => {
    const { cluster, leader, client, follower, other, chunks } = await behind(300)
    const before = leader.shard(1)?.term
    follower.start()
    await cluster.until('chunks are on their way', () => chunks.length > 2)
    other.crash({ powerLoss: false })
    const begun = cluster.time.nowMs
    await cluster.until('it is installed', () => follower.saw('snapshot_installed').length > 0, 60_000)
    expect(cluster.time.nowMs - begun).toBeGreaterThan(4 * limits.electionTimeoutMsMax)
    expect(written(await cluster.wait(client.set('k0', 'after')))).toBe(true)
    expect([leader.shard(1)?.term, follower.shard(1)?.term]).toEqual([before, before])
    other.start()
    await cluster.converged()
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    expect(valueIn(await cluster.wait(client.get('k0')))).toBe('after')
  })

  it('leaves appends and heartbeats their way: writes go on at their speed meanwhile', async () => {
    const { cluster, client, follower, chunks } = await behind(200)
    follower.start()
    await cluster.until('chunks are on their way', () => chunks.length > 2)
    const begun = cluster.time.nowMs
    for (let at = 0; at < 10; at += 1)
      expect(written(await cluster.wait(client.set('fast', `${at}`)))).toBe(true)
    expect(cluster.time.nowMs - begun).toBeLessThan(400)
    expect(follower.saw('snapshot_installed')).toEqual([])
    await cluster.converged()
  })

  it('goes on where it was after its connections broke, again and again', async () => {
    const { cluster, leader, follower, chunks } = await behind(150)
    follower.start()
    for (let round = 1; round <= 4; round += 1) {
      await cluster.until('more chunks came', () => chunks.length > round * 4)
      cluster.hub.cut((from, to) => [from, to].every((host) => [leader.name, follower.name].includes(host)))
    }
    await cluster.converged()
    expect(follower.shard(1)?.snapshotsInstalled).toBe(1)
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
  })

  it('begins anew for a receiver that crashed in the middle', async () => {
    const { cluster, follower, chunks } = await behind(100)
    let staged = 0
    follower.storeFault = (call, group) => {
      if (call === 'stage' && group === 1) staged += 1
      return null
    }
    follower.start()
    // As many chunks as are under way at once say nothing: what has been answered for is not sent again.
    await cluster.until('the first chunk was answered long ago', () => staged > 2)
    follower.crash({ powerLoss: true })
    follower.start()
    await cluster.converged()
    expect(follower.shard(1)?.snapshotsInstalled).toBe(1)
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(2)
  })
})
