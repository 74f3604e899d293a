// What a node says only after its disk, and what it does when the disk fails or fills.
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import type { ClientReply } from '@quorate/protocol'
import { codeOf, type TestClient, valueIn, written } from './fixture/test-client.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 60_000 })

async function leaderWithClient(cluster: TestCluster): Promise<TestClient> {
  const leader = await cluster.formed()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  return client
}

describe('acknowledgement', () => {
  it('B11: of a cluster of one waits for its own sync, and survives a power loss', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    const machine = cluster.machine('n1')
    const client = await leaderWithClient(cluster)
    machine.disk.syncLatencyMs = [400, 400]
    const asked = cluster.time.nowMs
    expect(written(await cluster.wait(client.set('a', '1')))).toBe(true)
    expect(cluster.time.nowMs - asked).toBeGreaterThanOrEqual(400)
    let early: ClientReply | null = null
    void client.set('b', '2').then((reply) => {
      early = reply
    })
    await cluster.run(300)
    expect(early).toBe(null)
    machine.crash({ powerLoss: true })
    machine.disk.syncLatencyMs = [0.2, 2]
    machine.start()
    await cluster.served()
    const again = await cluster.client('n1')
    expect(valueIn(await cluster.wait(again.get('a')))).toBe('1')
  })

  it('D10: a single node serves what it acknowledged after every restart, with and without checkpoints', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    const machine = cluster.machine('n1')
    let client = await leaderWithClient(cluster)
    for (let round = 0; round < 4; round += 1) {
      expect(written(await cluster.wait(client.set('a', `${round}`)))).toBe(true)
      if (round % 2 === 1) await cluster.run(700)
      machine.crash({ powerLoss: round > 1 })
      machine.start()
      await cluster.served()
      client = await cluster.client('n1')
      expect(valueIn(await cluster.wait(client.get('a')))).toBe(`${round}`)
      await cluster.wait(client.open())
    }
  })

  it('D8: a node that replays its log answers no read from as much as it has replayed', async () => {
    const cluster = new TestCluster({
      names: ['n1'],
      settings: { checkpointMsMin: 60_000, checkpointMsMax: 60_000 },
    })
    const machine = cluster.machine('n1')
    let client = await leaderWithClient(cluster)
    for (let round = 1; round <= 150; round += 1) {
      expect(written(await cluster.wait(client.set('a', `${round}`)))).toBe(true)
      if (round % 50 !== 0) continue
      machine.crash({ powerLoss: round === 100 })
      machine.start()
      do client = await cluster.client('n1')
      while (!client.greeted)
      const seen = new Set<string>()
      await cluster.until('a read is answered', () => {
        void client.get('a').then((reply) => {
          seen.add(reply.type === 'answers' ? String(valueIn(reply)) : codeOf(reply))
        })
        return [...seen].some((one) => !one.startsWith('refused'))
      })
      seen.delete('refused NOT_LEADER')
      expect([...seen]).toEqual([`${round}`])
      await cluster.wait(client.open())
    }
  })

  it('G5: is not given while only one of the disks that it needs has synced', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    const leader = await cluster.served()
    const [away] = cluster.followers()
    away?.crash({ powerLoss: false })
    leader.disk.syncLatencyMs = [900, 900]
    const asked = cluster.time.nowMs
    expect(written(await cluster.wait(client.set('a', '1')))).toBe(true)
    expect(cluster.time.nowMs - asked).toBeGreaterThanOrEqual(900)
  })
})

describe('a disk that fails', () => {
  it('G4: halts the node at a failed sync; nothing more is said and the halt is told', async () => {
    const cluster = new TestCluster()
    const client = await leaderWithClient(cluster)
    const leader = await cluster.served()
    leader.disk.failNext('sync', 1, 'EIO')
    const before = client.asked.size
    void client.set('a', '1')
    await cluster.until('the node halted', () => leader.halted !== null)
    expect(leader.halted?.message).toContain('EIO')
    await cluster.until('its clients hear of it', () => client.closed !== null)
    expect([...client.replies.values()].flat().filter((reply) => reply.requestId > before)).toEqual([])
    await cluster.until('another leads', () => cluster.leader() !== null && cluster.leader() !== leader)
    expect(leader.node?.status().state).toBe('halted')
  })

  it('G4: whose sync fails during recovery makes the start reject', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    const machine = cluster.machine('n1')
    const client = await leaderWithClient(cluster)
    await cluster.wait(client.set('a', '1'))
    let failed = 0
    for (let nth = 1; nth <= 12; nth += 1) {
      if (machine.process.alive) machine.crash({ powerLoss: false })
      machine.disk.failNext('sync', nth, 'EIO')
      machine.start()
      await cluster.until('it is up or not', () => machine.started || machine.refused !== null)
      if (machine.refused !== null) failed += 1
    }
    expect(failed).toBeGreaterThan(2)
  })

  it('G3: of the state store halts the node at a failed checkpoint', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    const machine = cluster.machine('n1')
    const client = await leaderWithClient(cluster)
    machine.states.failWrite('/data/state', 1)
    await cluster.wait(client.set('a', '1'))
    await cluster.until('the node halted', () => machine.halted !== null)
    machine.crash({ powerLoss: true })
    machine.start()
    await cluster.served()
    const again = await cluster.client('n1')
    expect(valueIn(await cluster.wait(again.get('a')))).toBe('1')
  })
})

describe('a disk that is nearly full (G10)', () => {
  const SMALL_DISK = 100 * 1024 * 1024
  const small = (cluster: TestCluster): void => {
    for (const { disk } of cluster.machines) disk.capacityBytes = SMALL_DISK
  }

  it('refuses sets as DISK_FULL, admits deletes and reads, and resumes by itself', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    small(cluster)
    const client = await leaderWithClient(cluster)
    const { disk, node } = cluster.machine('n1')
    await cluster.wait(client.set('a', '1'))
    await cluster.wait(client.set('b', '2'))
    disk.capacityBytes = disk.usedBytes + 100 * 1024
    await cluster.run(1_200)
    expect(node?.status().lowOnSpace).toBe(true)
    expect(codeOf(await cluster.wait(client.set('c', '3')))).toBe('refused DISK_FULL')
    expect(valueIn(await cluster.wait(client.get('a')))).toBe('1')
    expect(written(await cluster.wait(client.del('a')))).toBe(true)
    expect(valueIn(await cluster.wait(client.get('a')))).toBe(null)
    disk.capacityBytes = SMALL_DISK
    await cluster.run(1_200)
    expect(written(await cluster.wait(client.set('d', '4')))).toBe(true)
    expect(valueIn(await cluster.wait(client.get('c')))).toBe(null)
  })

  it('gives leadership to a node with space', async () => {
    const cluster = new TestCluster()
    small(cluster)
    const full = await cluster.formed()
    full.disk.capacityBytes = full.disk.usedBytes + 100 * 1024
    await cluster.until('another leads', () => cluster.leader() !== null && cluster.leader() !== full)
    await cluster.run(3_000)
    expect(cluster.leader()).not.toBe(full)
    expect(full.halted).toBe(null)
  })
})
