// The invariants that hold at every moment: each is shown a breach, and what only looks like one.
import type { GroupMessage } from '@quorate/protocol'
import type { NodeStatus, ShardStatus } from '@quorate/node'
import { describe, expect, it } from 'vitest'
import { DurableQuorum } from '../src/check/durable-quorum.ts'
import { ReplicaProgress } from '../src/check/replica-progress.ts'
import { WireRules } from '../src/check/wire-rules.ts'
import type { Operation } from '../src/workload/history.ts'

const messages = (rules: WireRules): string[] => rules.violations.map(({ message }) => message)

function vote(
  from: number,
  to: number,
  changes: { term?: number; preVote?: boolean; granted?: boolean } = {},
) {
  const message = { type: 'voteReply', term: 3, preVote: false, granted: true, ...changes } as const
  return { group: 1, from, to, message, payloads: [] } satisfies GroupMessage
}

function append(from: number, term: number, index: number, text: string, entryTerm = term): GroupMessage {
  const payload = new TextEncoder().encode(text)
  return {
    group: 1,
    from,
    to: 9,
    message: {
      type: 'appendRequest',
      term,
      previousIndex: index - 1,
      previousTerm: 1,
      entries: [{ index, term: entryTerm, bytes: payload.length }],
      commitIndex: 0,
    },
    payloads: [{ type: 'commands', stamp: 5, payload }],
  }
}

describe('on the wire', () => {
  it('a replica votes for one candidate in a term, however often and late it says so', () => {
    const rules = new WireRules()
    for (const one of [vote(1, 2), vote(1, 2), vote(3, 2), vote(1, 3, { term: 4 })]) rules.observe(one)
    for (const one of [vote(1, 3, { preVote: true }), vote(1, 3, { granted: false })]) rules.observe(one)
    expect(messages(rules)).toEqual([])
    rules.observe(vote(1, 3))
    expect(messages(rules)).toEqual(['one vote in a term: group/term/voter 1/3/1 has 2 and 3'])
  })

  it('one replica leads in a term', () => {
    const rules = new WireRules()
    for (const one of [append(1, 3, 1, 'a'), append(2, 4, 2, 'b'), append(1, 3, 1, 'a')]) rules.observe(one)
    expect(messages(rules)).toEqual([])
    rules.observe(append(2, 3, 2, 'b'))
    expect(messages(rules)).toEqual([expect.stringContaining('election safety')])
  })

  it('there is one entry at an index and term, whoever sends it', () => {
    const rules = new WireRules()
    for (const one of [append(1, 3, 1, 'a'), append(2, 4, 1, 'a', 3), append(2, 4, 1, 'b')])
      rules.observe(one)
    expect(messages(rules)).toEqual([])
    rules.observe(append(2, 4, 1, 'b', 3))
    expect(messages(rules)).toEqual([expect.stringContaining('log matching')])
  })
})

const shard: ShardStatus = {
  group: 1,
  incarnation: 1,
  state: 'live',
  reason: null,
  role: 'follower',
  term: 3,
  voters: ['n1', 'n2', 'n3'],
  learners: [],
  leader: null,
  firstIndex: 5,
  lastIndex: 20,
  durableIndex: 19,
  commitIndex: 18,
  appliedIndex: 17,
  checkpointIndex: 10,
  lag: 1,
  slots: 1,
  keys: 1,
  bytes: 100,
  pinnedBytes: 0,
  bytesMax: 0,
  hits: 0,
  misses: 0,
  evictions: 0,
  expiries: 0,
  snapshotsInstalled: 0,
  stateHash: '00',
  servesReads: false,
}

function node(changed: Partial<ShardStatus>, about: Partial<NodeStatus> = {}): NodeStatus {
  return {
    id: 'n1',
    dirId: 'a',
    boot: 1,
    clusterId: 'c',
    pid: 1,
    clientAddress: 'n1:1',
    peerAddress: 'n1:2',
    state: 'serving',
    mapEpoch: 1,
    lowOnSpace: false,
    log: { batches: 1, syncs: 1, bytesWritten: 1 },
    nodes: [],
    shards: [{ ...shard, ...changed }],
    changes: [],
    ...about,
  }
}

/** Whatever is wrong once the node has said this after the usual. */
function after(status: NodeStatus, sound = true): string[] {
  const progress = new ReplicaProgress()
  progress.observe(node({}), sound)
  if (status.boot !== 1) progress.started(status.id)
  progress.observe(status, sound)
  return progress.violations.map(({ message }) => message)
}

describe('a replica', () => {
  it.each([
    ['firstIndex', { firstIndex: 4 }],
    ['commitIndex', { commitIndex: 17 }],
    ['appliedIndex', { appliedIndex: 16 }],
    ['term', { term: 2 }],
    ['checkpointIndex', { checkpointIndex: 9 }],
  ])('never takes its %s back', (name, changed) => {
    expect(after(node(changed))).toEqual([expect.stringContaining(`${name} went back`)])
  })

  it('may know less after a restart, but not an older term or checkpoint', () => {
    const restarted = { boot: 2 }
    const less = { firstIndex: 1, commitIndex: 12, appliedIndex: 11 }
    expect(after(node(less, restarted))).toEqual([])
    expect(after(node({ ...less, term: 2 }, restarted))).toHaveLength(1)
    expect(after(node({ ...less, checkpointIndex: 9 }, restarted))).toHaveLength(1)
    expect(after(node({ ...less, term: 2 }, restarted), false)).toEqual([])
    expect(after(node({ ...less, term: 1 }, { ...restarted, dirId: 'b' }))).toEqual([])
  })

  it.each([{ checkpointIndex: 18 }, { appliedIndex: 19 }, { commitIndex: 21 }, { durableIndex: 21 }])(
    'keeps its indexes in order: %j',
    (changed) => {
      expect(after(node(changed))).toEqual([expect.stringContaining('out of order')])
    },
  )

  it('that an invariant stopped is told, unless its directory was damaged', () => {
    const stopped = node({ state: 'stopped', reason: 'TWO_LEADERS' })
    expect(after(stopped)).toEqual([expect.stringContaining('TWO_LEADERS')])
    expect(after(stopped, false)).toEqual([])
  })

  it('that leads in a later term holds what was committed before', () => {
    const other = { id: 'n2', dirId: 'b' }
    const short = { role: 'leader', lastIndex: 17, durableIndex: 17, commitIndex: 12, appliedIndex: 12 }
    expect(after(node({ ...short, term: 4 }, other))).toEqual([expect.stringContaining('18 was committed')])
    expect(after(node({ ...short, term: 2 }, other))).toEqual([])
  })
})

describe('an acknowledged write', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const write: Operation = {
    process: 'c1',
    type: 'ok',
    f: 'set',
    key: 'key-1',
    argument: 'c1.23',
    expectedVersion: null,
    applied: true,
    seen: null,
    callMs: 0,
    returnMs: 1,
    position: null,
    shard: 1,
    error: null,
  }
  function judge(operation: Operation, ...synced: readonly (readonly [machine: string, text: string])[]) {
    const durable = new DurableQuorum()
    for (const [machine, text] of synced) durable.synced(machine, bytes(text))
    durable.acknowledged(operation, 2)
    return { judged: durable.judged, violations: durable.violations.map(({ message }) => message) }
  }

  it('is on the disks of a quorum, whatever stands around it', () => {
    const both = judge(write, ['n1', '\u0001key-1\u00a5c1.23456'], ['n2', 'c1.22c1.23'])
    expect(both).toEqual({ judged: 1, violations: [] })
  })

  it('is told when too few disks hold it, and one disk twice is one', () => {
    const one = judge(write, ['n1', 'c1.23'], ['n1', 'c1.23'], ['n2', 'c1.22 c11.23'])
    expect(one.violations).toEqual(['acknowledged with c1.23 on the disks of n1, 2 needed'])
  })

  it('alone is looked for: not what failed, is unknown, or changed nothing', () => {
    for (const type of ['fail', 'info'] as const) expect(judge({ ...write, type }).judged).toBe(0)
    expect(judge({ ...write, f: 'cas', applied: false }).judged).toBe(0)
    expect(judge({ ...write, f: 'get', argument: null }).judged).toBe(0)
  })
})
