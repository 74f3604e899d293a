// Reads by lease and stale reads in a cluster of real nodes, with what must void them.
import type { ClientReply } from '@quorate/protocol'
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import type { Machine } from './fixture/machine.ts'
import { codeOf, type TestClient, valueIn, written } from './fixture/test-client.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 60_000 })

const lease = { consistency: 'lease' } as const
const stale = (maxAge: number | null = null) => ({ consistency: 'stale', maxAge }) as const

async function started(): Promise<{ cluster: TestCluster; leader: Machine; client: TestClient }> {
  const cluster = new TestCluster()
  const leader = await cluster.formed()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  expect(written(await cluster.wait(client.set('k', 'old')))).toBe(true)
  // Followers have heard of the last commit.
  await cluster.run(200)
  return { cluster, leader, client }
}

/** What has come of a request after so long. */
async function after(cluster: TestCluster, reply: Promise<ClientReply>, ms: number): Promise<string> {
  let heard = 'nothing'
  void reply.then((given) => {
    heard = given.type === 'answers' ? String(valueIn(given)) : codeOf(given)
  })
  await cluster.run(ms)
  return heard
}

/** The majority without it has a leader, and that has written. */
async function superseded(cluster: TestCluster, old: Machine): Promise<void> {
  await cluster.until('another leads', () => {
    const leader = cluster.leader()
    return leader !== null && leader !== old && (leader.shard(1)?.slots ?? 0) > 0
  })
  const client = await cluster.client(cluster.leader()?.name ?? '')
  await cluster.wait(client.open())
  expect(written(await cluster.wait(client.set('k', 'new')))).toBe(true)
}

const ageOf = (reply: ClientReply): number | null | undefined =>
  reply.type === 'answers' ? reply.age : undefined

describe('a read by lease', () => {
  it('asks no follower while the lease holds, and waits for them once it is over', async () => {
    const { cluster, leader, client } = await started()
    cluster.isolate(leader.name)
    expect(await after(cluster, client.get('k'), 5)).toBe('nothing')
    expect(await after(cluster, client.relaxed(lease, 'k'), 5)).toBe('old')
    // Any confirmed heartbeat left before the cut.
    await cluster.run(75)
    expect(leader.shard(1)?.role).toBe('leader')
    expect(await after(cluster, client.relaxed(lease, 'k'), 5)).toBe('nothing')
    cluster.heal()
    await cluster.until('all are answered', () => client.notAnsweredOnce().length === 0)
  })

  it('sees every write acknowledged before it', async () => {
    const { cluster, client } = await started()
    for (let count = 0; count < 20; count += 1) {
      await cluster.wait(client.set('k', String(count)))
      const reply = await cluster.wait(client.relaxed(lease, 'k'))
      expect(valueIn(reply)).toBe(String(count))
      expect(ageOf(reply)).toBeUndefined()
    }
  })

  it('D6: is not answered by a lease from before the process stood still', async () => {
    const { cluster, leader, client } = await started()
    const reply = client.relaxed(lease, 'k')
    leader.process.pause()
    await superseded(cluster, leader)
    leader.process.resume()
    expect(await after(cluster, reply, 1_000)).not.toBe('old')
    expect(await after(cluster, client.relaxed(lease, 'k'), 1_000)).not.toBe('old')
  })

  it('D6: is not answered by a lease from before the machine was suspended with its monotonic clock', async () => {
    const { cluster, leader, client } = await started()
    const suspendedAt = cluster.time.nowMs
    // Nothing that the others say reaches it any more: only its clocks can tell.
    cluster.isolate(leader.name)
    leader.process.pause()
    await superseded(cluster, leader)
    leader.process.monotonicLostMs = cluster.time.nowMs - suspendedAt
    leader.process.resume()
    expect(await after(cluster, client.relaxed(lease, 'k'), 5)).toBe('nothing')
  })

  it.each([
    [40, 'old'],
    [60, 'nothing'],
  ])('D6: where the wall clock jumps by %i ms since the heartbeat: %s', async (by, expected) => {
    const { cluster, leader, client } = await started()
    cluster.isolate(leader.name)
    leader.process.wallOffsetMs = by
    expect(await after(cluster, client.relaxed(lease, 'k'), 5)).toBe(expected)
  })

  it('D5: is not answered by lease once leadership is being handed over', async () => {
    const { cluster, leader, client } = await started()
    expect(leader.node?.transferLeadership(1)).toBe(true)
    cluster.isolate(leader.name)
    expect(await after(cluster, client.relaxed(lease, 'k'), 5)).toBe('nothing')
  })
})

describe('a stale read', () => {
  const follower = async (cluster: TestCluster): Promise<{ machine: Machine; reader: TestClient }> => {
    const [machine] = cluster.followers()
    if (machine === undefined) throw new Error('no follower')
    return { machine, reader: await cluster.client(machine.name) }
  }

  it('is answered by a follower, with an age that the truth does not contradict', async () => {
    const { cluster, client } = await started()
    const { reader } = await follower(cluster)
    const acknowledgedAt: number[] = []
    for (let count = 0; count < 60; count += 1) {
      await cluster.wait(client.set('k', String(count)))
      acknowledgedAt.push(cluster.time.nowMs)
      await cluster.run(count % 7)
      const calledAt = cluster.time.nowMs
      const reply = await cluster.wait(reader.relaxed(stale(), 'k'))
      const age = ageOf(reply) ?? Infinity
      const value = valueIn(reply)
      const shown = value === 'old' ? -1 : Number(value)
      for (let later = shown + 1; later < acknowledgedAt.length; later += 1)
        expect(acknowledgedAt[later] ?? 0).toBeGreaterThanOrEqual(calledAt - age)
    }
    await cluster.run(200)
    const reply = await cluster.wait(reader.relaxed(stale(200), 'k'))
    expect(valueIn(reply)).toBe('59')
    expect(ageOf(reply)).toBeGreaterThan(0)
    expect(ageOf(reply)).toBeLessThanOrEqual(200)
  })

  it('of a follower that is cut off is refused when its data may be older than allowed, and still served without a limit', async () => {
    const { cluster } = await started()
    const { machine, reader } = await follower(cluster)
    cluster.isolate(machine.name)
    await cluster.run(30)
    const fresh = await cluster.wait(reader.relaxed(stale(250), 'k'))
    expect(valueIn(fresh)).toBe('old')
    const client = await cluster.client((await cluster.served()).name)
    await cluster.wait(client.open())
    await cluster.wait(client.set('k', 'new'))
    await cluster.run(400)
    expect(codeOf(await cluster.wait(reader.relaxed(stale(250), 'k')))).toBe('refused TOO_OLD')
    const old = await cluster.wait(reader.relaxed(stale(), 'k'))
    expect(valueIn(old)).toBe('old')
    expect(ageOf(old) ?? Infinity).toBeGreaterThan(400)
    cluster.heal()
    await cluster.run(1_000)
    expect(valueIn(await cluster.wait(reader.relaxed(stale(250), 'k')))).toBe('new')
    expect(reader.notAnsweredOnce()).toEqual([])
  })

  it('at its leader with a limit that its data does not keep is a linearizable one', async () => {
    const { cluster, leader, client } = await started()
    const reply = await cluster.wait(client.relaxed(stale(0), 'k'))
    expect([valueIn(reply), ageOf(reply)]).toEqual(['old', 0])
    cluster.isolate(leader.name)
    expect(await after(cluster, client.relaxed(stale(0), 'k'), 50)).toBe('nothing')
  })

  it('D8 D9: of a replica that was just started, and may have lost what it showed, is refused until it has caught up', async () => {
    const { cluster } = await started()
    const { machine, reader } = await follower(cluster)
    const client = await cluster.client((await cluster.served()).name)
    await cluster.wait(client.open())
    // Committed by the others; this one applies it and its disk does not have it.
    machine.disk.syncLatencyMs = [5_000, 5_000]
    await cluster.wait(client.set('k', 'new'))
    await cluster.run(200)
    expect(valueIn(await cluster.wait(reader.relaxed(stale(), 'k')))).toBe('new')
    machine.crash({ powerLoss: true })
    machine.disk.syncLatencyMs = [0, 1]
    cluster.isolate(machine.name)
    machine.start()
    await cluster.until('it is up', () => machine.shard(1)?.state === 'live')
    const again = await cluster.client(machine.name)
    expect(machine.shard(1)?.appliedIndex).toBeLessThan(cluster.leader()?.shard(1)?.appliedIndex ?? 0)
    expect(codeOf(await cluster.wait(again.relaxed(stale(), 'k')))).toBe('refused TOO_OLD')
    cluster.heal()
    await cluster.run(1_000)
    expect(valueIn(await cluster.wait(again.relaxed(stale(), 'k')))).toBe('new')
  })

  it('D6: of a follower that was suspended with its monotonic clock has no age', async () => {
    const { cluster } = await started()
    const { machine, reader } = await follower(cluster)
    const suspendedAt = cluster.time.nowMs
    cluster.isolate(machine.name)
    machine.process.pause()
    const client = await cluster.client((await cluster.served()).name)
    await cluster.wait(client.open())
    await cluster.wait(client.set('k', 'new'))
    await cluster.run(60_000)
    machine.process.monotonicLostMs = cluster.time.nowMs - suspendedAt
    machine.process.resume()
    expect(codeOf(await cluster.wait(reader.relaxed(stale(10_000), 'k')))).toBe('refused TOO_OLD')
    const reply = await cluster.wait(reader.relaxed(stale(), 'k'))
    expect([valueIn(reply), ageOf(reply)]).toEqual(['old', null])
  })
})
