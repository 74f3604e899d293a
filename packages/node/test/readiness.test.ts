// What a node says of its readiness and of its numbers.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TestCluster } from './fixture/cluster.ts'
import type { Machine } from './fixture/machine.ts'
import { type HostedReplica, type ReadinessFacts, readinessOf } from '../src/readiness.ts'

vi.setConfig({ testTimeout: 60_000 })

const failing = (machine: Machine): string[] =>
  (machine.node?.readiness() ?? []).filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
const isReady = (machine: Machine): boolean => machine.node !== null && failing(machine).length === 0

afterEach(() => vi.restoreAllMocks())

describe('readiness', () => {
  it('comes with the leaders of all hosted groups, goes with a lost quorum, and comes back', async () => {
    const cluster = new TestCluster()
    cluster.start()
    const [first] = cluster.machines
    if (first === undefined) throw new Error('no machines')
    await cluster.until('the first one runs', () => first.started)
    expect(failing(first)).toContain('cluster: belongs to none yet')
    await cluster.until('all are ready', () => cluster.machines.every(isReady))
    expect(first.node?.readiness().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['running', 'storage', 'cluster', 'map', 'meta group', 'shard 1']),
    )
    cluster.isolate(first.name)
    await cluster.until('alone it hears no leader', () => failing(first).includes('shard 1: hears no leader'))
    cluster.heal()
    await cluster.until('it is ready again', () => isReady(first))
  })

  it('ends before leaders are handed over, as soon as a stop is asked for', async () => {
    const cluster = new TestCluster()
    const leader = await cluster.formed()
    await cluster.until('it is ready', () => isReady(leader))
    const stopping = leader.node?.stop()
    expect(failing(leader)).toEqual(['running: stopping'])
    expect(leader.shard(1)?.role).toBe('leader')
    await cluster.wait(Promise.resolve(stopping))
    expect(failing(leader)).toEqual(['running: stopping'])
  })

  const replica: HostedReplica = {
    group: 1,
    condition: 'live',
    reason: null,
    raft: { role: 'follower', leader: 2, servesReads: false },
  }
  const facts: ReadinessFacts = {
    lowOnSpace: false,
    mayLead: true,
    clusterId: 'c',
    dirId: 'd',
    map: null,
    replicaOf: () => replica,
    condemned: [],
  }
  const map = {
    clusterId: 'c',
    epoch: 7,
    nodes: [],
    nextIncarnation: 9,
    leaving: [],
    removed: [],
    groups: [{ group: 1, replicas: [{ node: 'd', incarnation: 3 }], founders: [], foundedAt: 1 }],
    slots: new Uint32Array(0),
  } as unknown as NonNullable<ReadinessFacts['map']>
  const wrong = (change: Partial<ReadinessFacts>): string[] =>
    readinessOf({ ...facts, map, ...change })
      .filter(({ ok }) => !ok)
      .map(({ name, detail }) => `${name}: ${detail}`)

  it('tells every way in which a node is not ready by its own line', () => {
    expect(wrong({})).toEqual([])
    expect(wrong({ lowOnSpace: true })).toEqual(['storage: low on space: writes are refused'])
    expect(wrong({ mayLead: false })).toEqual(['storage: a write or sync does not end'])
    expect(wrong({ map: null, clusterId: null })).toHaveLength(3)
    expect(wrong({ replicaOf: () => undefined })).toEqual(['shard 1: not up yet'])
    expect(wrong({ replicaOf: () => undefined, condemned: [{ group: 1, reason: 'rotten' }] })).toEqual([
      'shard 1: condemned: rotten',
    ])
    expect(wrong({ replicaOf: () => ({ ...replica, condition: 'stopped', reason: 'E' }) })).toEqual([
      'shard 1: stopped: E',
    ])
    const elected = { role: 'leader', leader: 3, servesReads: false } as const
    expect(wrong({ replicaOf: () => ({ ...replica, raft: elected }) })).toEqual([
      'shard 1: elected, does not serve yet',
    ])
  })
})

describe('the measures of a node', () => {
  it('are null before the start and count requests, operations, connections and syncs afterwards', async () => {
    const cluster = new TestCluster()
    const leader = await cluster.formed()
    const client = await cluster.client(leader.name)
    await cluster.wait(client.open())
    await cluster.wait(client.set('k', 'value'))
    await cluster.wait(client.get('k'))
    await cluster.wait(client.get('none'))
    const [follower] = cluster.followers()
    const elsewhere = await cluster.client(follower?.name ?? '')
    await cluster.wait(elsewhere.get('k'))

    const measures = leader.node?.measures()
    expect(measures?.clients.connections).toBe(1)
    // Opening a session is a write too.
    expect(measures?.clients.operations).toEqual({ read: 2, write: 2 })
    expect(measures?.clients.requests).toEqual([
      { kind: 'read', outcome: 'answered', count: 2 },
      { kind: 'write', outcome: 'answered', count: 2 },
      // Who does not know the log clock yet asks with 0 and is told.
      { kind: 'write', outcome: 'LATE', count: 1 },
    ])
    expect(follower?.node?.measures()?.clients.requests).toContainEqual({
      kind: 'read',
      outcome: 'NOT_LEADER',
      count: 1,
    })
    const { counts = [], sumMs = -1 } = measures?.log.durations ?? {}
    // A sync that is under way is not counted yet.
    const syncs = measures?.log.syncs ?? 0
    expect(syncs - counts.reduce((sum, count) => sum + count, 0)).toBeOneOf([0, 1])
    expect(syncs).toBeGreaterThan(0)
    expect(sumMs).toBeGreaterThanOrEqual(0)
    expect(measures?.shards.find(({ group }) => group === 1)).toMatchObject({
      role: 'leader',
      state: 'live',
      leaderKnown: true,
      keys: 1,
      bytes: expect.toSatisfy((bytes: number) => bytes > 6) as number,
    })
    expect(measures?.peers.map(({ name }) => name)).toHaveLength(cluster.machines.length - 1)
  })
})
