// Who leads when a disk hangs, a direction of the network is gone, or a process slept: the node's own judgement of itself.
import { describe, expect, it, vi } from 'vitest'
import { judgeDisk } from '../src/disk-watch.ts'
import { judgeProgress } from '../src/progress-watch.ts'
import { TestCluster } from './fixture/cluster.ts'
import { codeOf, type TestClient, valueIn, written } from './fixture/test-client.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 60_000 })

const HANGS: readonly [number, number] = [8_000, 8_000]
const WELL: readonly [number, number] = [0.2, 2]

async function leaderWithClient(cluster: TestCluster): Promise<TestClient> {
  const leader = await cluster.formed()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  return client
}

describe('the judgement', () => {
  it.each([
    [0, 'well'],
    [999, 'well'],
    [1_000, 'handOver'],
    [2_999, 'handOver'],
    [3_000, 'stepDown'],
    [60_000, 'stepDown'],
  ] as const)('of a disk that is busy for %d ms is %s', (busyMs, verdict) => {
    expect(judgeDisk(busyMs)).toBe(verdict)
  })

  it.each([
    [0, false, 'wait'],
    [1_799, false, 'wait'],
    [1_800, false, 'transfer'],
    [1_800, true, 'wait'],
    [2_399, true, 'wait'],
    [2_400, true, 'stepDown'],
    [2_400, false, 'stepDown'],
  ] as const)(
    'of a leader that is stuck for %d ms (asked for a transfer: %s) is %s',
    (stuckMs, told, verdict) => {
      expect(judgeProgress(stuckMs, told)).toBe(verdict)
    },
  )
})

describe('a disk that hangs', () => {
  it('A15: hands leadership to a healthy node after a second, and its node does not campaign until it is well', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    const stuck = await cluster.served()
    stuck.disk.syncLatencyMs = HANGS
    void client.set('a', '1')
    const hungAt = cluster.time.nowMs
    await cluster.until('another leads', () => cluster.leader() !== null && cluster.leader() !== stuck)
    // Before an election timeout could have passed since anybody was asked.
    expect(cluster.time.nowMs - hungAt).toBeLessThan(1_000 + 600)
    expect(stuck.shard(1)?.role).toBe('follower')
    const other = await cluster.served()
    // The vote that is missing now waits for the disk; nobody can lead, and the one with the stuck disk does not try.
    other.crash({ powerLoss: false })
    const roles = new Set<string>()
    for (let looks = 0; looks < 60 && stuck.saw('disk_watch').length < 3; looks += 1) {
      roles.add(stuck.shard(1)?.role ?? '')
      await cluster.run(50)
    }
    expect([...roles]).toEqual(['follower'])
    stuck.disk.syncLatencyMs = WELL
    await cluster.until('the disk is well', () => stuck.saw('disk_watch').at(-1)?.['verdict'] === 'well')
    const leader = await cluster.served()
    const again = await cluster.client(leader.name)
    expect(valueIn(await cluster.wait(again.get('a')))).toBe('1')
  })

  it('A15: without anybody else to lead steps down after three seconds, and comes back by itself', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    const client = await leaderWithClient(cluster)
    const machine = cluster.machine('n1')
    machine.disk.syncLatencyMs = HANGS
    const hungAt = cluster.time.nowMs
    expect(codeOf(await cluster.wait(client.set('a', '1')))).toBe('open LEADERSHIP_LOST')
    expect(cluster.time.nowMs - hungAt).toBeGreaterThanOrEqual(3_000)
    expect(cluster.time.nowMs - hungAt).toBeLessThan(3_200)
    await cluster.run(3_000)
    expect(machine.shard(1)?.role).toBe('follower')
    machine.disk.syncLatencyMs = WELL
    await cluster.served()
    const again = await cluster.client('n1')
    expect(valueIn(await cluster.wait(again.get('a')))).toBe('1')
  })

  it('of both followers ends the leadership under which nothing commits, though they answer heartbeats', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    const leader = await cluster.served()
    for (const follower of cluster.followers()) follower.disk.syncLatencyMs = HANGS
    expect(codeOf(await cluster.wait(client.set('a', '1')))).toBe('open LEADERSHIP_LOST')
    expect(leader.saw('stepped_down')).toMatchObject([{ group: 1, reason: 'progress' }])
    for (const machine of cluster.machines) machine.disk.syncLatencyMs = WELL
    const next = await cluster.served()
    const again = await cluster.client(next.name)
    expect(valueIn(await cluster.wait(again.get('a')))).toBe('1')
  })
})

describe('a network that lets through one direction only', () => {
  const shapes: Readonly<Record<string, (leader: string, from: string, to: string) => boolean>> = {
    'a follower that hears nobody': (leader, _, to) => to === (leader === 'n1' ? 'n2' : 'n1'),
    'a leader that nobody hears': (leader, from) => from === leader,
    'a leader that hears nobody': (leader, _, to) => to === leader,
    'two nodes that do not see each other, and a third that sees both': (_, from, to) =>
      `${from}${to}` === 'n1n2' || `${from}${to}` === 'n2n1',
  }

  it.each(Object.keys(shapes))('A14: %s: one leader is found and stays, and writes go on', async (shape) => {
    const cluster = new TestCluster()
    const first = await cluster.formed()
    const cut = shapes[shape]
    cluster.hub.partition(
      (from, to) =>
        !from.startsWith('client') && !to.startsWith('client') && (cut?.(first.name, from, to) ?? false),
    )
    await cluster.run(5_000)
    const leader = await cluster.served()
    const { term } = leader.shard(1) ?? {}
    await cluster.run(5_000)
    expect([cluster.leader()?.name, leader.shard(1)?.term]).toEqual([leader.name, term])
    const client = await cluster.client(leader.name)
    await cluster.wait(client.open())
    expect(written(await cluster.wait(client.set('a', shape)))).toBe(true)
  })
})

describe('a quiet shard', () => {
  it('B15: tells its followers of its last commit without any further write', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    for (const key of ['a', 'b', 'c']) {
      expect(written(await cluster.wait(client.set(key, '1')))).toBe(true)
      const commit = (await cluster.served()).shard(1)?.commitIndex
      await cluster.run(150)
      for (const machine of cluster.machines)
        expect([machine.name, machine.shard(1)?.appliedIndex]).toEqual([machine.name, commit])
      await cluster.run(2_000)
    }
  })

  it('D2: whose leader slept through an election answers no read with what was true before it', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    const old = await cluster.served()
    expect(written(await cluster.wait(client.set('a', 'old')))).toBe(true)
    for (const sleepMs of [600, 1_500]) {
      const sleeper = await cluster.served()
      const reader = await cluster.client(sleeper.name)
      // Its round is under way when the process stops: the answers wait in its sockets.
      const before = reader.get('a')
      await cluster.run(0.3)
      sleeper.process.pause()
      await cluster.until('another leads', () => {
        const leader = cluster.leader()
        return leader !== null && leader !== sleeper && (leader.shard(1)?.slots ?? 0) > 0
      })
      const next = await cluster.served()
      const writer = await cluster.client(next.name)
      await cluster.wait(writer.open())
      const value = `after ${sleepMs}`
      expect(written(await cluster.wait(writer.set('a', value)))).toBe(true)
      // Behind those answers waits a read that began after the write.
      const late = reader.get('a')
      await cluster.run(sleepMs)
      sleeper.process.resume()
      await cluster.wait(before)
      for (const read of [late, reader.get('a')]) {
        const reply = await cluster.wait(read)
        expect(reply.type === 'refused' ? value : valueIn(reply)).toBe(value)
      }
    }
    expect(old.saw('halted')).toEqual([])
  })
})
