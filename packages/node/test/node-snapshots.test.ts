// Followers that were away while the others compacted; crashes at every step of an install.
import { describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import type { Machine } from './fixture/machine.ts'
import { assign, isOpen, settled } from './fixture/members.ts'
import { type TestClient, valueIn, written } from './fixture/test-client.ts'
import { Writer } from './fixture/writer.ts'

// Virtual time costs real time where many share a machine.
vi.setConfig({ testTimeout: 180_000 })

interface Behind {
  readonly cluster: TestCluster
  readonly follower: Machine
  readonly client: TestClient
}

async function behind(): Promise<Behind> {
  const cluster = new TestCluster({ settings: { snapshotChunkBytes: 32_768 } })
  const leader = await cluster.formed()
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  expect(written(await cluster.wait(client.set('k0', 'before')))).toBe(true)
  await cluster.wait(client.set('gone', 'before'))
  const [follower] = cluster.followers()
  if (follower === undefined) throw new Error('a follower')
  await leaveBehind(cluster, follower, client)
  return { cluster, follower, client }
}

/** The follower goes down with everything in its checkpoint, then the others compact what they write. Resolves with what it has applied. */
async function leaveBehind(cluster: TestCluster, follower: Machine, given?: TestClient): Promise<number> {
  await cluster.until('it has a checkpoint', () => {
    const shard = follower.shard(1)
    return shard !== null && shard.checkpointIndex === shard.lastIndex && cluster.leader() !== null
  })
  const durable = follower.shard(1)?.checkpointIndex ?? 0
  if (cluster.leader() === follower) throw new Error('the follower leads')
  follower.crash({ powerLoss: false })
  const leader = await cluster.served()
  const client = given ?? (await cluster.client(leader.name))
  if (given === undefined) await cluster.wait(client.open())
  await cluster.wait(client.del('gone'))
  for (let at = 0; at < 20; at += 1)
    expect(written(await cluster.wait(client.set(`k${at % 10}`, `${at} `.padEnd(12_000, '.'))))).toBe(true)
  await cluster.until('the log was compacted', () => (leader.shard(1)?.firstIndex ?? 0) > durable + 1)
  return durable
}

/** Starts it and kills it at the nth thing that it does to its disks from the first staged row on; false if it installs before. */
async function crashAtStep(cluster: TestCluster, follower: Machine, nth: number): Promise<boolean> {
  let seen = 0
  let staging = false
  const installed = follower.saw('snapshot_installed').length
  const step = (): void => {
    if (!staging || !follower.process.alive) return
    seen += 1
    if (seen === nth) follower.crash({ powerLoss: nth % 2 === 0 })
  }
  follower.disk.onBoundary = step
  follower.storeFault = (call, group) => {
    if (call === 'stage' && group === 1) staging = true
    if (call !== 'getMany') step()
    return follower.process.alive ? null : new Error('the process is dead')
  }
  follower.start()
  const isInstalled = (): boolean => follower.saw('snapshot_installed').length > installed
  await cluster.until('it crashed or installed', () => !follower.process.alive || isInstalled())
  follower.disk.onBoundary = null
  follower.storeFault = () => null
  return !follower.process.alive
}

describe('a follower that was away while the others compacted', () => {
  it('C16: catches up by snapshot, to the same state', async () => {
    const { cluster, follower, client } = await behind()
    follower.start()
    await cluster.converged()
    expect(follower.shard(1)?.snapshotsInstalled).toBe(1)
    expect(valueIn(await cluster.wait(client.get('gone')))).toBe(null)
    // It can lead with what it was given.
    for (const machine of cluster.machines) if (machine !== follower) machine.crash({ powerLoss: true })
    const [one] = cluster.machines.filter((machine) => machine !== follower)
    one?.start()
    const next = await cluster.served()
    const reader = await cluster.client(next.name)
    expect(valueIn(await cluster.wait(reader.get('k9')))?.trim()).toMatch(/^19/)
  })

  it('C7 C14: and crashes at any step of the install has the old state or the new one, never a mixture', async () => {
    const { cluster, follower } = await behind()
    const outcomes = { old: 0, new: 0 }
    await crashAtStep(cluster, follower, Number.POSITIVE_INFINITY)
    await cluster.converged()
    let old = await leaveBehind(cluster, follower)
    // Every step, also those around the flip at the end, until there are no more.
    for (let at = 1; ; at += 1) {
      // Later checkpoints of the leader must not count: what is installed may be older than they are.
      const oldest = Math.max(old + 1, (cluster.leader()?.shard(1)?.firstIndex ?? 0) - 1)
      if (!(await crashAtStep(cluster, follower, at))) break
      cluster.isolate(follower.name)
      follower.start()
      await cluster.until('it is back', () => follower.started)
      const shard = follower.shard(1)
      expect(shard?.state).toBe('live')
      if (shard?.appliedIndex === old) outcomes.old += 1
      else if ((shard?.appliedIndex ?? 0) >= oldest) outcomes.new += 1
      else throw new Error(`neither ${old} nor ${oldest} or later, but ${shard?.appliedIndex}`)
      cluster.heal()
      await cluster.converged()
      old = await leaveBehind(cluster, follower)
    }
    expect(outcomes.old).toBeGreaterThan(3)
    expect(outcomes.new).toBeGreaterThan(0)
    expect(follower.halted).toBe(null)
  }, 180_000)

  it('and whose disk is stuck during the install can still be stopped', async () => {
    const { cluster, follower } = await behind()
    let checkpoints = 0
    follower.storeFault = (call) => {
      if (call === 'stage') checkpoints = 0
      // The flip: the record behind it is the next that is synced.
      if (call === 'checkpoint' && follower.saw('snapshot_installed').length === 0) {
        checkpoints += 1
        if (checkpoints === 1) follower.disk.syncLatencyMs = [60_000, 60_000]
      }
      return null
    }
    follower.start()
    await cluster.until('a sync is stuck', () => follower.disk.syncLatencyMs[0] === 60_000)
    await cluster.run(1_000)
    const stopped = follower.stop()
    follower.disk.syncLatencyMs = [0.2, 2]
    await cluster.wait(stopped, 120_000)
    expect(follower.halted).toBe(null)
  })
})

describe('a learner on a slow disk, under a load that fills segments while it installs a snapshot', () => {
  it('C15: needs that one snapshot and no other, and is promoted, where the log keeps nothing for anybody', async () => {
    const settings = { retainBytes: 1, checkpointMsMin: 40, checkpointMsMax: 80, checkpointLogBytes: 16_384 }
    const cluster = new TestCluster({ settings: { ...settings, snapshotChunkBytes: 16_384 } })
    await cluster.formed()
    const fourth = cluster.join('n4')
    await cluster.until(
      'the fourth is a member of the meta group',
      () => cluster.leader(0)?.shard(0)?.voters.includes('n4') === true && !isOpen(cluster, 0),
    )
    // About a segment in 12 ms; it takes longer than that for the learner to acknowledge anything.
    const writer = new Writer(cluster, 1, { valueBytes: 16_000, pauseMs: 1 })
    writer.start()
    await writer.more(40)
    fourth.disk.syncLatencyMs = [60, 120]
    // The leader stays: what it keeps for the learner goes with it, and another that keeps nothing would send a snapshot anew.
    const leader = await cluster.served()
    const [follower] = cluster.machines.filter((machine) => machine !== leader && machine !== fourth)
    const nodes = [leader.name, follower?.name ?? '', fourth.name]
    await assign(cluster, 1, nodes)
    await settled(cluster, 1, nodes)
    expect(fourth.shard(1)?.snapshotsInstalled).toBe(1)
    const installed = fourth.shard(1)?.appliedIndex ?? 0
    // Then the log goes again behind those that have it.
    await cluster.until(
      'the log is let go',
      () =>
        cluster.leader()?.shard(1)?.state === 'live' &&
        (cluster.leader()?.shard(1)?.firstIndex ?? 0) > installed,
    )
    await writer.stop()
    expect(await writer.lost()).toEqual([])
  })
})

describe('a follower that was away while the members changed', () => {
  it('C1: has them from the snapshot, and after its own next checkpoint, compaction and restart', async () => {
    const cluster = new TestCluster({ settings: { snapshotChunkBytes: 32_768 } })
    const leader = await cluster.formed()
    cluster.join('n4')
    await cluster.until('the fourth is in', () => cluster.leader(0)?.shard(0)?.voters.includes('n4') === true)
    const [follower] = cluster.followers()
    if (follower === undefined || cluster.leader() !== leader) throw new Error('a leader and a follower')
    await cluster.until(
      'a checkpoint',
      () => follower.shard(1)?.checkpointIndex === follower.shard(1)?.lastIndex,
    )
    follower.crash({ powerLoss: false })
    await cluster.served()
    const members = [leader.name, follower.name, 'n4'].toSorted()
    await assign(cluster, 1, members)
    await cluster.until('the change is done', () => !isOpen(cluster, 1), 60_000)
    await fill(cluster, 0)
    follower.start()
    await cluster.until('it has a snapshot', () => follower.shard(1)?.snapshotsInstalled === 1, 60_000)
    const before = follower.shard(1)?.firstIndex ?? 0
    for (let round = 1; (follower.shard(1)?.firstIndex ?? 0) <= before; round += 1) await fill(cluster, round)
    follower.crash({ powerLoss: true })
    cluster.isolate(follower.name)
    follower.start()
    await cluster.until('it is back', () => follower.started)
    expect(follower.shard(1)?.voters.toSorted()).toEqual(members)
  })
})

/** Writes of shard 1 that fill a few segments, until its leader has compacted. */
async function fill(cluster: TestCluster, round: number): Promise<void> {
  const leader = await cluster.served()
  const before = leader.shard(1)?.firstIndex ?? 0
  const client = await cluster.client(leader.name)
  await cluster.wait(client.open())
  for (let at = 0; at < 20; at += 1)
    expect(
      written(await cluster.wait(client.set(`k${at % 10}`, `${round} ${at} `.padEnd(12_000, '.')))),
    ).toBe(true)
  await cluster.until('the log was compacted', () => (leader.shard(1)?.firstIndex ?? 0) > before)
}

describe('entries larger than the core takes them for after a restart', () => {
  it('are sent in as many appends as frames need, and halt nobody', async () => {
    const cluster = new TestCluster({
      settings: { segmentBytes: 4_194_304, retainBytes: 67_108_864 },
    })
    const leader = await cluster.formed()
    const client = await cluster.client(leader.name)
    await cluster.wait(client.open())
    const [away] = cluster.followers()
    away?.crash({ powerLoss: false })
    for (let at = 0; at < 8; at += 1)
      expect(written(await cluster.wait(client.set(`k${at}`, new Uint8Array(1_000_000).fill(at))))).toBe(true)
    await cluster.run(1_000)
    for (const machine of cluster.machines) {
      if (machine.process.alive) machine.crash({ powerLoss: false })
      machine.start()
    }
    await cluster.served()
    await cluster.converged()
    expect(cluster.machines.map((machine) => machine.halted)).toEqual([null, null, null])
    expect(away?.shard(1)?.snapshotsInstalled).toBe(0)
  })
})
