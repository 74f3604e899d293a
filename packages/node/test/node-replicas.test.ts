// One bad replica on a good node: stopped or condemned, and what it still may do.
import { decodePeerFrame } from '@quorate/protocol'
import { rowKind } from '@quorate/state-machine'
import { DamagedRowError } from '@quorate/storage'
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import { type Machine, STATE } from './fixture/machine.ts'
import { codeOf, type TestClient, valueIn, written } from './fixture/test-client.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 60_000 })

/** Of the shard; the meta group has snapshots of its own. */
function isChunk(bytes: Uint8Array): boolean {
  const frame = decodePeerFrame(bytes)
  return frame.type === 'snapshotChunk' && frame.group === 1
}

interface Scene {
  readonly cluster: TestCluster
  readonly leader: Machine
  /** Its rows are in the store and not in memory. */
  readonly victim: Machine
  readonly other: Machine
  readonly client: TestClient
}

/** `a` is in everybody's store; the victim has just restarted, so that apply has to read it there. */
async function scene(hurt: (victim: Machine) => void): Promise<Scene> {
  const cluster = new TestCluster()
  const leader = await cluster.formed()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  expect(written(await cluster.wait(client.set('a', '1')))).toBe(true)
  const [victim, other] = cluster.followers()
  if (victim === undefined || other === undefined) throw new Error('two followers')
  await cluster.until('it is in a checkpoint', () => {
    const shard = victim.shard(1)
    return shard !== null && shard.checkpointIndex === shard.lastIndex
  })
  victim.crash({ powerLoss: false })
  victim.start()
  await cluster.until('the victim is back', () => victim.shard(1)?.leader === leader.name)
  hurt(victim)
  return { cluster, leader, victim, other, client }
}

const rot = (victim: Machine): void => {
  const isEntry = (key: Uint8Array): boolean => key[3] === 1 && key[0] === 0 && key[12] === rowKind.entry
  expect(victim.states.flipBit(STATE, isEntry)).toBe(true)
}

describe('E8: an exception in apply', () => {
  it('stops that replica only: it votes and acknowledges, but neither leads nor serves', async () => {
    const { cluster, leader, victim, other, client } = await scene((machine) => {
      machine.storeFault = (call, group) => (call === 'getMany' && group === 1 ? new Error('poison') : null)
    })
    expect(written(await cluster.wait(client.set('a', '2')))).toBe(true)
    await cluster.until('it is stopped', () => victim.shard(1)?.state === 'stopped')
    expect(victim.shard(0)?.state).toBe('live')
    // Its acknowledgement counts: with the other one gone a majority needs it.
    other.crash({ powerLoss: false })
    expect(written(await cluster.wait(client.set('a', '3')))).toBe(true)
    const refused = await cluster.client(victim.name)
    expect(codeOf(await cluster.wait(refused.get('a')))).toBe('refused REPLICA_STOPPED')
    expect(codeOf(await cluster.wait(refused.open()))).toBe('refused REPLICA_STOPPED')
    // Its vote counts: the other one cannot be elected without it.
    other.start()
    await cluster.until(
      'the other one is back',
      () => other.shard(1)?.lastIndex === leader.shard(1)?.lastIndex,
    )
    leader.crash({ powerLoss: false })
    await cluster.until('the other one leads', () => cluster.leader() === other)
    const reader = await cluster.client(other.name)
    expect(valueIn(await cluster.wait(reader.get('a')))).toBe('3')
    expect(victim.shard(1)?.role).toBe('follower')
    expect(victim.halted).toBe(null)
  })
})

describe('E8: an exception in a leader', () => {
  it('ends its leadership at once, and another one takes over', async () => {
    const { cluster, leader, victim, other, client } = await scene(() => {})
    other.crash({ powerLoss: false })
    expect(written(await cluster.wait(client.set('b', '1')))).toBe(true)
    await cluster.wait(leader.stop())
    leader.process.alive = false
    other.start()
    await cluster.until('it leads', () => cluster.leader() === victim)
    victim.storeFault = (call, group) => (call === 'getMany' && group === 1 ? new Error('poison') : null)
    const asking = await cluster.client(victim.name)
    expect(codeOf(await cluster.wait(asking.get('a')))).toBe('refused REPLICA_STOPPED')
    expect(victim.shard(1)).toMatchObject({ state: 'stopped', role: 'follower' })
    leader.start()
    await cluster.until('a good one leads', () => cluster.leader() !== null && cluster.leader() !== victim)
    expect(victim.halted).toBe(null)
  })
})

describe('G2: a damaged row', () => {
  it('condemns its replica, which stays silent also after a restart (rule 10)', async () => {
    const { cluster, leader, victim, other, client } = await scene(rot)
    expect(written(await cluster.wait(client.set('a', '2')))).toBe(true)
    await cluster.until('it is condemned', () => victim.shard(1)?.state === 'condemned')
    expect(victim.shard(0)?.state).toBe('live')
    await cluster.run(50)
    victim.crash({ powerLoss: true })
    victim.start()
    await cluster.until('it is back', () => victim.shard(1) !== null)
    expect(victim.shard(1)?.state).toBe('condemned')
    // It does not acknowledge: nothing is committed with it alone.
    other.crash({ powerLoss: false })
    let answered = false
    void client.set('a', '3').then((reply) => {
      answered = reply.type === 'answers'
    })
    await cluster.until('the leader gives up', () => leader.shard(1)?.role !== 'leader')
    expect(answered).toBe(false)
    // It does not vote: nobody is elected with it alone.
    await cluster.run(3_000)
    expect(cluster.leader()).toBe(null)
    // It does not refuse either, nor is it in the way.
    other.start()
    const next = await cluster.served()
    const reader = await cluster.client(next.name)
    expect(valueIn(await cluster.wait(reader.get('a')))).toMatch(/^[23]$/)
    expect(victim.halted).toBe(null)
  })

  it('met by a read of the leader condemns it: it refuses, leads nobody and another takes over', async () => {
    const { cluster, leader, victim, other, client } = await scene(rot)
    other.crash({ powerLoss: false })
    // It holds more of the log than the one that is away, so that leadership is handed to it.
    expect(written(await cluster.wait(client.set('b', '1')))).toBe(true)
    await cluster.wait(leader.stop())
    leader.process.alive = false
    other.start()
    await cluster.until('the damaged one leads', () => cluster.leader() === victim)
    const asking = await cluster.client(victim.name)
    expect(codeOf(await cluster.wait(asking.get('a')))).toBe('refused REPLICA_STOPPED')
    expect(victim.shard(1)?.state).toBe('condemned')
    leader.start()
    await cluster.until('a good one leads', () => cluster.leader() !== null && cluster.leader() !== victim)
    const reader = await cluster.client(cluster.leader()?.name ?? '')
    expect(valueIn(await cluster.wait(reader.get('a')))).toBe('1')
  })

  it('met by a snapshot that its leader sends condemns the leader, which sends nothing more (rule 10)', async () => {
    const cluster = new TestCluster({ settings: { snapshotChunkBytes: 4_096 } })
    const leader = await cluster.formed()
    const client = await cluster.client(leader.name)
    await cluster.wait(client.open())
    const [away, other] = cluster.followers()
    away?.crash({ powerLoss: false })
    for (let at = 0; at < 120; at += 1)
      expect(written(await cluster.wait(client.set(`k${at}`, `${at}`.padEnd(8_000, '.'))))).toBe(true)
    await cluster.until('the log was compacted', () => (leader.shard(1)?.firstIndex ?? 0) > 50)
    rot(leader)
    away?.start()
    await cluster.until('it is condemned', () => leader.shard(1)?.state === 'condemned')
    await cluster.until('the other one leads', () => cluster.leader() === other)
    await cluster.until('the follower has caught up', () => {
      const [mine, theirs] = [away?.shard(1), other?.shard(1)]
      return mine != null && mine.appliedIndex === theirs?.appliedIndex && mine.stateHash === theirs.stateHash
    })
    expect(leader.halted).toBe(null)
  })
})

describe('a condemned leader', () => {
  it('goes on with no snapshot that it was sending (rule 10)', async () => {
    const cluster = new TestCluster({ settings: { snapshotChunkBytes: 4_096 } })
    const leader = await cluster.formed()
    const client = await cluster.client(leader.name)
    await cluster.wait(client.open())
    const [away] = cluster.followers()
    away?.crash({ powerLoss: false })
    for (let at = 0; at < 60; at += 1)
      expect(written(await cluster.wait(client.set(`k${at}`, `${at}`.padEnd(8_000, '.'))))).toBe(true)
    await cluster.until('the log was compacted', () => (leader.shard(1)?.firstIndex ?? 0) > 20)
    let chunks = 0
    cluster.hub.setFault((from, to, frame) => {
      if (from === leader.name && to === away?.name && isChunk(frame)) chunks += 1
      return [0.2]
    })
    away?.start()
    await cluster.until('it is sending one', () => chunks > 1)
    // No answer comes: what was sent is sent again.
    away?.process.pause()
    leader.storeFault = (call) => (call === 'getMany' ? new DamagedRowError(1, 'rot') : null)
    expect(codeOf(await cluster.wait(client.get('a key that memory does not know')))).toBe(
      'refused REPLICA_STOPPED',
    )
    expect(leader.shard(1)?.state).toBe('condemned')
    const before = chunks
    await cluster.run(3_000)
    expect(chunks).toBe(before)
    // The record of it is all that is left to tell.
    leader.crash({ powerLoss: true })
    leader.storeFault = () => null
    leader.start()
    await cluster.until('it is back', () => leader.shard(1) !== null)
    expect(leader.shard(1)?.state).toBe('condemned')
  })
})

describe('a damaged log', () => {
  it('G2: creates no replica anew under an incarnation that the map remembers (rule 10)', async () => {
    // Without a checkpoint only the log tells which replicas there were.
    const cluster = new TestCluster({ settings: { checkpointMsMin: 60_000, checkpointMsMax: 60_000 } })
    await cluster.formed()
    const [victim] = cluster.followers()
    if (victim === undefined) throw new Error('a follower')
    await cluster.converged()
    for (const machine of cluster.machines) machine.crash({ powerLoss: false })
    const copy = victim.backup()
    const segments = copy.disk.paths().filter((file) => file.startsWith('/data/log/'))
    let condemned = 0
    for (const file of segments)
      for (let block = 0; block < 16; block += 1) {
        victim.restore(copy)
        victim.restore(victim.backup())
        victim.disk.flipBits(file, block * 4_096 + 2, 255)
        victim.events.length = 0
        victim.start()
        await cluster.until('it is up or refused', () => victim.started || victim.refused !== null)
        await cluster.run(100)
        expect(victim.saw('replica_created')).toEqual([])
        expect(victim.halted).toBe(null)
        if (victim.status()?.shards.some((shard) => shard.state === 'condemned') === true) condemned += 1
        victim.crash({ powerLoss: false })
      }
    expect(condemned).toBeGreaterThan(0)
  })
})
