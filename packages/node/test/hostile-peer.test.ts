// A peer that says whole and well-formed things that no correct peer says; and callers that are not who they say.
import {
  emptyShardMap,
  encodePeerFrame,
  encodeSection,
  type GroupMessage,
  type PeerFrame,
  type PeerHello,
} from '@quorate/protocol'
import { describe, expect, it, vi } from 'vitest'
import { MetaController } from '../src/meta/controller.ts'
import { encodeMetaCommand } from '../src/meta/meta-command.ts'
import { fixed } from '../src/settings.ts'
import { TestCluster } from './fixture/cluster.ts'
import { clientHello, HostileCaller, peerHello } from './fixture/hostile-caller.ts'
import { written } from './fixture/test-client.ts'

vi.setConfig({ testTimeout: 120_000 })

const MAX = Number.MAX_SAFE_INTEGER
const noVoters = { voters: [], outgoing: [], learners: [], learnersNext: [] }

/** What a case may refer to: the leader's own numbers in group 1, and the incarnations of the two replicas. */
interface Facts {
  readonly term: number
  readonly lastIndex: number
  readonly self: number
  readonly from: number
}

const message = ({ from, self }: Facts, part: Pick<GroupMessage, 'message' | 'payloads'>): PeerFrame => ({
  type: 'messages',
  messages: [{ group: 1, from, to: self, ...part }],
})
const plain = (facts: Facts, said: GroupMessage['message']): PeerFrame =>
  message(facts, { message: said, payloads: [] })

function append(facts: Facts, change: { term?: number; entryTerm?: number; stamp?: number }): PeerFrame {
  const { term = facts.term + 1, entryTerm = term, stamp = 1 } = change
  const { lastIndex: previousIndex, term: previousTerm } = facts
  const entries = [{ index: previousIndex + 1, term: entryTerm, bytes: 0 }]
  return message(facts, {
    message: { type: 'appendRequest', term, previousIndex, previousTerm, entries, commitIndex: 0 },
    payloads: [{ type: 'noop', stamp, payload: new Uint8Array(0) }],
  })
}

function heartbeat(
  { self, from, term }: Facts,
  change: { group?: number; term?: number; leader?: number; commitIndex?: number } = {},
): PeerFrame {
  const led = { group: 1, leader: from, receiver: self, term, ...change }
  return {
    type: 'heartbeat',
    setNumber: 1,
    sequence: 1,
    answers: 0,
    answersBoot: 0,
    syncedLog: 0,
    confirmedAge: 0,
    wallMs: 1,
    ledSet: [{ group: led.group, leader: led.leader, receiver: led.receiver, term: led.term }],
    commits: [{ group: led.group, commitIndex: led.commitIndex ?? 0, capped: false }],
  }
}

function chunk(
  { self, from, term }: Facts,
  change: { index?: number; term?: number; configurationIndex?: number },
): PeerFrame {
  const configuration = { ...noVoters, voters: [1, 2, 3] }
  const snapshot = {
    id: 's',
    index: 9_000,
    term,
    configuration,
    configurationIndex: 1,
    machine: new Uint8Array(1),
    rowCount: 0,
    ...change,
  }
  return { type: 'snapshotChunk', group: 1, from, to: self, term, snapshot, chunk: 0, last: false, rows: [] }
}

const refused: readonly (readonly [string, (facts: Facts) => PeerFrame])[] = [
  [
    'an acknowledgement behind the end of the log',
    (f) => plain(f, { type: 'appendAccepted', term: f.term, matchIndex: f.lastIndex + 1_000 }),
  ],
  ['an append of a second leader of the term', (f) => append(f, { term: f.term })],
  ['a heartbeat of a second leader of the term', (f) => heartbeat(f)],
  ['a term of 2^53 - 1', (f) => plain(f, { type: 'termNotice', term: MAX })],
  [
    'a term that no number of elections reaches',
    (f) =>
      plain(f, {
        type: 'voteRequest',
        term: f.term + 2 ** 33,
        preVote: false,
        transfer: true,
        lastIndex: f.lastIndex + 9,
        lastTerm: f.term,
      }),
  ],
  [
    'a candidate with a log of 2^53 - 1 entries',
    (f) =>
      plain(f, {
        type: 'voteRequest',
        term: f.term + 1,
        preVote: false,
        transfer: true,
        lastIndex: MAX,
        lastTerm: f.term,
      }),
  ],
  ['an entry of a later term than its leader', (f) => append(f, { entryTerm: f.term + 5 })],
  ['an entry of an earlier term than the one before', (f) => append(f, { entryTerm: f.term - 1 })],
  ['an entry with a stamp at the end of time', (f) => append(f, { stamp: MAX })],
  ['a commit index of 2^53 - 1', (f) => heartbeat(f, { term: f.term + 1, commitIndex: MAX })],
  ['a snapshot with a configuration from behind it', (f) => chunk(f, { configurationIndex: 9_001 })],
  ['a snapshot of a later term than its sender', (f) => chunk(f, { term: f.term + 1 })],
  ['a snapshot of 2^53 - 1 entries', (f) => chunk(f, { index: MAX })],
]

const harmless: readonly (readonly [string, (facts: Facts) => PeerFrame])[] = [
  ['a heartbeat about a group that is not here', (f) => heartbeat(f, { group: 77, term: MAX })],
  [
    'F4: a heartbeat in the name of a replica of another node',
    (f) => heartbeat(f, { leader: f.self, term: f.term + 1 }),
  ],
  [
    'F4: a message of another incarnation',
    (f) => plain({ ...f, from: 4_711 }, { type: 'termNotice', term: f.term + 1 }),
  ],
  [
    'F4: a message to another incarnation',
    (f) => plain({ ...f, self: 4_711 }, { type: 'termNotice', term: f.term + 1 }),
  ],
  [
    'a rejection of what was never sent',
    (f) =>
      plain(f, {
        type: 'appendRejected',
        term: f.term,
        rejectedIndex: 2 ** 50,
        hintIndex: 2 ** 50,
        hintTerm: 2 ** 50,
      }),
  ],
  [
    'state hashes of indexes that do not exist',
    (f) => ({ type: 'stateHash', group: 1, from: f.from, index: MAX, hash: 'ff' }),
  ],
  [
    'an answer to a heartbeat that was never sent',
    () => ({
      type: 'heartbeatAnswer',
      boot: 1,
      setNumber: MAX,
      sequence: MAX,
      wallMs: MAX,
      lowOnSpace: true,
      exceptions: [1, 1, 9],
    }),
  ],
]

async function formed(): Promise<{ cluster: TestCluster; leader: string; absent: string; facts: Facts }> {
  const cluster = new TestCluster()
  const leader = (await cluster.formed()).name
  const absent = cluster.machines.find(({ name }) => name !== leader)?.name ?? ''
  const from = cluster.machine(absent).shard(1)?.incarnation ?? 0
  const client = await cluster.client(leader)
  await cluster.wait(client.open())
  for (let at = 0; at < 5; at += 1) expect(written(await cluster.wait(client.set('a', `${at}`)))).toBe(true)
  await cluster.run(300)
  cluster.machine(absent).crash({ powerLoss: false })
  await cluster.run(100)
  const shard = cluster.machine(leader).shard(1)
  if (shard === null) throw new Error('no shard')
  return {
    cluster,
    leader,
    absent,
    facts: { term: shard.term, lastIndex: shard.lastIndex, self: shard.incarnation, from },
  }
}

describe('a peer that is known', () => {
  it.each([
    ['is cut off, and nothing else happens, after', refused, ['welcome', 'BAD_FRAME', 'closed']],
    ['is listened to on, and nothing happens, after', harmless, ['welcome']],
  ] as const)('B3 %s', async (_, cases, expected) => {
    const { cluster, leader, absent, facts } = await formed()
    const state = (): unknown => {
      const { term, lastIndex, commitIndex, role, state: condition } = cluster.machine(leader).shard(1) ?? {}
      return { term, lastIndex, commitIndex, role, condition }
    }
    const before = state()
    for (const [at, [name, make]] of cases.entries()) {
      const caller = new HostileCaller(cluster, 'peer', leader, [
        // Sequences of heartbeats begin anew with each boot.
        peerHello(cluster, absent, leader, { boot: 1_000 + at }),
        encodePeerFrame(make(facts)),
      ])
      await cluster.run(5)
      expect([name, caller.heard]).toEqual([name, expected])
      expect([name, state()]).toEqual([name, before])
      caller.close()
      await cluster.run(5)
    }
    expect(cluster.machine(leader).halted).toBe(null)
    const client = await cluster.client(leader)
    await cluster.wait(client.open())
    expect(written(await cluster.wait(client.set('a', 'z')))).toBe(true)
  })

  it.each(['excluded', 'claim', 'settle'] as const)(
    'is a stranger, and nothing comes of its %s',
    async (what) => {
      const { cluster, leader, facts } = await formed()
      const stranger = { clusterId: null, dirId: '7'.repeat(32) }
      const claim = { group: 1, change: 1, term: facts.term + 9 }
      const command = encodeMetaCommand(
        what === 'claim' ? { type: 'claim', ...claim } : { type: 'settle', ...claim, voters: [facts.self] },
      )
      const frame: PeerFrame =
        what === 'excluded'
          ? { type: 'excluded', group: 1, to: facts.self, configurationIndex: 1_000_000 }
          : { type: 'metaReport', command }
      const epoch = cluster.machine(leader).status()?.mapEpoch
      const reported = vi.spyOn(MetaController.prototype, 'report')
      const caller = new HostileCaller(cluster, 'peer', leader, [
        peerHello(cluster, 'stranger', leader, stranger),
        encodePeerFrame(frame),
      ])
      await cluster.run(1_000)
      expect(caller.heard).toEqual(['welcome'])
      expect(cluster.machine(leader).shard(1)?.state).toBe('live')
      expect(cluster.machine(leader).status()?.mapEpoch).toBe(epoch)
      expect(reported).not.toHaveBeenCalled()
      reported.mockRestore()
    },
  )

  it('is a stranger, and nobody follows the newer map that it brings; a member is believed', async () => {
    const { cluster, leader, absent } = await formed()
    const held = cluster.machine(leader).status()
    const { clusterId, mapEpoch } = held ?? { clusterId: null, mapEpoch: 0 }
    const map = { ...emptyShardMap(clusterId ?? ''), epoch: mapEpoch + 1_000 }
    const bring = async (hello: Uint8Array): Promise<number | undefined> => {
      void new HostileCaller(cluster, 'peer', leader, [hello, encodePeerFrame({ type: 'map', map })])
      await cluster.run(20)
      return cluster.machine(leader).status()?.mapEpoch
    }
    const stranger = { clusterId: null, dirId: '7'.repeat(32) }
    expect(await bring(peerHello(cluster, 'stranger', leader, stranger))).toBe(mapEpoch)
    expect(await bring(peerHello(cluster, absent, leader, { clusterId: null }))).toBe(mapEpoch + 1_000)
  })

  it('may not make a stranger of its own choice join', async () => {
    const { cluster, leader } = await formed()
    const { nodes } = cluster.machine(leader).status() ?? { nodes: [] }
    const stranger = { clusterId: null, dirId: '7'.repeat(32) }
    const join: PeerFrame = {
      type: 'join',
      name: 'n2',
      dirId: nodes[1]?.dirId ?? '',
      peerAddress: 'evil:1',
      clientAddress: 'evil:2',
    }
    const caller = new HostileCaller(cluster, 'peer', leader, [
      peerHello(cluster, 'stranger', leader, stranger),
      encodePeerFrame(join),
    ])
    await cluster.run(1_000)
    expect(caller.heard).toEqual(['welcome', 'BAD_FRAME', 'closed'])
    expect(
      cluster
        .machine(leader)
        .status()
        ?.nodes.map(({ peerAddress }) => peerAddress),
    ).not.toContain('evil:1')
  })
})

const hellos: readonly (readonly [string, Partial<PeerHello>, string])[] = [
  ['F4: of another cluster', { clusterId: 'c'.repeat(32) }, 'WRONG_CLUSTER'],
  ['F4: that looks for another node', { to: 'd'.repeat(32) }, 'WRONG_NODE'],
  ['of versions above', { protocolMin: 2, protocolMax: 9 }, 'PROTOCOL_VERSION'],
  ['of a range around', { protocolMin: 1, protocolMax: 9 }, 'welcome'],
  ['with features that nobody knows yet', { features: 0xffff_ffff }, 'welcome'],
]

describe('a caller at the peer port', () => {
  it.each(hellos)('%s is answered with a word that says so', async (_, change, word) => {
    const { cluster, leader, absent } = await formed()
    const caller = new HostileCaller(cluster, 'peer', leader, [peerHello(cluster, absent, leader, change)])
    await cluster.run(10)
    expect(caller.heard[0]).toBe(word)
    expect(caller.closed).toBe(word !== 'welcome')
  })

  it('F4: in the name of the very node it calls, or of an earlier boot, is refused', async () => {
    const { cluster, leader, absent } = await formed()
    const own = new HostileCaller(cluster, 'peer', leader, [peerHello(cluster, leader, leader)])
    const old = new HostileCaller(cluster, 'peer', leader, [peerHello(cluster, absent, leader, { boot: 0 })])
    await cluster.run(10)
    expect(own.heard).toEqual(['WRONG_NODE', 'closed'])
    expect(old.heard).toEqual(['RESTORED', 'closed'])
  })
})

describe('a connection that says nothing', () => {
  it('is closed after five seconds, on the peer port within a tick more; one that has said hello is not', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    await cluster.formed()
    const client = new HostileCaller(cluster, 'client', 'n1', [])
    const peer = new HostileCaller(cluster, 'peer', 'n1', [])
    const polite = new HostileCaller(cluster, 'client', 'n1', [clientHello()])
    const peerSilentMs = fixed.callerSilentTicks * fixed.callerTickMs
    expect([fixed.helloMs, peerSilentMs]).toEqual([5_000, 5_000])
    await cluster.run(4_900)
    expect([client.heard, peer.heard]).toEqual([[], []])
    await cluster.run(200)
    expect(client.heard).toEqual(['closed'])
    await cluster.run(fixed.callerTickMs)
    expect(peer.heard).toEqual(['closed'])
    expect(polite.closed).toBe(false)
  })
})

describe('a client', () => {
  it.each([
    ['above', { protocolMin: 2, protocolMax: 3 }, ['PROTOCOL_VERSION', 'closed']],
    ['around', { protocolMin: 1, protocolMax: 3 }, ['welcome']],
  ] as const)('of versions %s ours', async (_, range, heard) => {
    const cluster = new TestCluster({ names: ['n1'] })
    await cluster.formed()
    const caller = new HostileCaller(cluster, 'client', 'n1', [clientHello(range)])
    await cluster.run(10)
    expect(caller.heard).toEqual(heard)
  })

  it('is refused as LATE, with the time, what may happen more than 60 s from now or is an open in the past', async () => {
    const cluster = new TestCluster({ names: ['n1'] })
    await cluster.formed()
    const client = await cluster.client('n1')
    const { session } = (await cluster.wait(client.open()), client)
    if (session === null) throw new Error('no session')
    const del = (notAfter: number): ReturnType<typeof client.write> => {
      const key = Uint8Array.of(1)
      const commands = [
        { op: 'del' as const, sequence: 1, notAfter, key, condition: { type: 'always' as const } },
      ]
      return client.write(encodeSection({ kind: 'commands', group: 1, session, ackedUpTo: 0, commands }))
    }
    const far = await cluster.wait(del(client.notAfter() + 31_000))
    expect(far).toMatchObject({ type: 'refused', code: 'LATE', leader: null })
    expect(far.type === 'refused' && (far.leaderTime ?? 0) > 1e12).toBe(true)
    expect(written(await cluster.wait(del(client.notAfter() + 29_000)))).toBe(true)
    const index = cluster.machine('n1').shard(1)?.lastIndex
    const late = await cluster.wait(
      client.write(encodeSection({ kind: 'openSession', group: 1, notAfter: 5 })),
    )
    expect(late).toMatchObject({ type: 'refused', code: 'LATE' })
    expect(cluster.machine('n1').shard(1)?.lastIndex).toBe(index)
  })
})
