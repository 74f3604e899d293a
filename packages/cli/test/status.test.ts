import { QuorateError } from '@quorate/protocol'
import { beforeEach, expect, test } from 'vitest'
import { listNodes, summariseShards, unservedGroups } from '../src/cluster-status.ts'
import { answered, nodeStatus, openTerminal, shardStatus, type Terminal, unanswered } from './fake-cache.ts'

let terminal: Terminal
beforeEach(() => {
  terminal = openTerminal()
  const leads: Record<string, number> = { n10: 0, n1: 1, n2: 2 }
  terminal.cache.reports = ['n10', 'n1', 'n2'].map((id) =>
    answered(
      nodeStatus(
        id,
        [0, 1, 2].map((group) => shardStatus(group, leads[id] === group ? 'leader' : 'follower')),
      ),
    ),
  )
})

test('status -o json gives one document per node, in the order of their names', async () => {
  const { code, out } = await terminal.type('status', '-o', 'json')
  const documents = JSON.parse(out) as { id: string; pid: number; shards: { role: string; lag: number }[] }[]
  expect(code).toBe(0)
  expect(documents.map(({ id, pid }) => [id, pid])).toEqual(['n1', 'n2', 'n10'].map((id) => [id, 100]))
  expect(documents[1]?.shards.map(({ role }) => role)).toEqual(['follower', 'follower', 'leader'])
})

test('the table names the leader of each shard', async () => {
  const { out } = await terminal.type('status')
  expect(out).toMatch(/^n1 +serving +n1:7400 +100 +1$/m)
  expect(out).toMatch(/^meta +n10 +2 +9 +0 +5 +0 +0 +0 +0 +0 +3$/m)
  expect(out).toMatch(/^2 +n2 /m)
})

test('a shard without a leader that serves exits 5', async () => {
  terminal.cache.reports[2] = unanswered('n2')
  const { code, out } = await terminal.type('status')
  expect(code).toBe(5)
  expect(out).toMatch(/^n2 +unreachable +n2:7400 +- +0 +CANNOT_CONNECT: /m)
  expect(out).toMatch(/^2 +NONE/m)
})

test('a node that does not answer has its place in the JSON', async () => {
  terminal.cache.reports[2] = unanswered('n2')
  const { out } = await terminal.type('status', '-o', 'json')
  expect((JSON.parse(out) as unknown[])[1]).toEqual({
    id: 'n2',
    clientAddress: 'n2:7400',
    state: 'unreachable',
    error: 'CANNOT_CONNECT: no node at n2:7400',
    pid: null,
    shards: [],
  })
})

test('status exits 4 if not a single node answers', async () => {
  terminal.cache.failure = new QuorateError('CANNOT_CONNECT', 'not-done', 'nobody')
  expect((await terminal.type('status')).code).toBe(4)
})

test('an answer that is not a status document counts as none', () => {
  for (const status of [{}, { id: 'n1', shards: 'none' }, { id: 'n1', shards: [null] }])
    expect(listNodes([{ name: 'n1', clientAddress: 'a:1', status, error: null }])[0]?.state).toBe(
      'unreachable',
    )
})

test('of two nodes that believe to lead, the higher term is named; a leader that serves no reads is none', () => {
  const [summary] = summariseShards([
    nodeStatus('n1', [shardStatus(1, 'leader', { term: 4 })]),
    nodeStatus('n2', [shardStatus(1, 'leader', { term: 5 })]),
  ])
  expect(summary?.leader).toBe('n2')
  const idle = summariseShards([nodeStatus('n1', [shardStatus(1, 'leader', { servesReads: false })])])
  expect(idle[0]?.leader).toBeNull()
})

test('a condemned replica is shown with its reason and leads nothing', () => {
  const [summary] = summariseShards([
    nodeStatus('n1', [shardStatus(1, 'leader', { state: 'condemned', reason: 'damaged row' })]),
  ])
  expect(summary).toMatchObject({ leader: null, failing: ['n1 condemned: damaged row'] })
})

test('lag is counted from the highest commit index known', () => {
  const [summary] = summariseShards([
    nodeStatus('n1', [shardStatus(1, 'leader', { commitIndex: 20, appliedIndex: 20 })]),
    nodeStatus('n2', [shardStatus(1, 'follower', { commitIndex: 12, appliedIndex: 10 })]),
  ])
  expect(summary).toMatchObject({ commitIndex: 20, lagMax: 10 })
})

test('shards that a forming cluster does not have yet count as unserved', () => {
  const summaries = summariseShards([nodeStatus('n1', [shardStatus(0, 'leader'), shardStatus(1, 'leader')])])
  expect(unservedGroups(summaries)).toEqual([])
  expect(unservedGroups(summaries, 3)).toEqual([2, 3])
  expect(unservedGroups([])).toEqual([0])
})
