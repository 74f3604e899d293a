// What one connection, all of them together, or a very large cluster may cost: counted, and refused at a limit.
import type { Connection } from '@quorate/runtime'
import { describe, expect, it } from 'vitest'
import { limitedAccept } from '../src/accept-limits.ts'
import { RequestBudget } from '../src/clients/request-budget.ts'
import { statusText } from '../src/clients/status-text.ts'
import { encodeMetaCommand } from '../src/meta/meta-command.ts'
import { MetaState } from '../src/meta/meta-state.ts'
import type { NodeStatus } from '../src/status.ts'

const noTimers = { after: () => ({ cancel: () => {} }), endOfTurn: () => {} }

describe('connections', () => {
  it('above their number are told so and closed, and a place becomes free when one ends', () => {
    const accepted: string[] = []
    const closed: string[] = []
    const connection = (remote: string): Connection => ({
      remote,
      bufferedBytes: 0,
      send: () => {},
      close: () => void closed.push(remote),
    })
    const full = (one: Connection): void => void closed.push(`${one.remote} heard why`)
    const handlers = { frame: () => {}, closed: () => {} }
    const accept = limitedAccept((one) => (accepted.push(one.remote), handlers), {
      timers: noTimers,
      connectionsMax: 2,
      helloMs: 1,
      full,
    })
    const first = accept(connection('a'))
    accept(connection('b'))
    accept(connection('c')).closed('it was one too many')
    accept(connection('d'))
    expect([accepted, closed]).toEqual([
      ['a', 'b'],
      ['c heard why', 'c', 'd heard why', 'd'],
    ])
    first.closed('gone')
    accept(connection('e'))
    expect(accepted).toEqual(['a', 'b', 'e'])
  })
})

describe('unanswered requests', () => {
  it('are bounded by number and bytes, for each connection and for all, and every answer gives its place back', () => {
    const whole = new RequestBudget({ requests: 3, bytes: 1_000 })
    const one = new RequestBudget({ requests: 2, bytes: 100 }, whole)
    const other = new RequestBudget({ requests: 2, bytes: 100 }, whole)
    expect([one.take(40), one.take(40), one.take(1)]).toEqual([true, true, false])
    expect([other.take(10), other.take(10)]).toEqual([true, false])
    one.giveBack(40)
    expect([other.take(91), other.take(10), one.take(10)]).toEqual([false, true, false])
    for (const bytes of [10, 10]) other.giveBack(bytes)
    one.giveBack(40)
    expect([one.idle, other.idle, whole.idle]).toEqual([true, true, true])
    // Alone even a large one is served: a limit must refuse nobody for ever.
    expect(one.take(5_000)).toBe(true)
  })
})

const shard = (group: number, state: 'live' | 'condemned'): NodeStatus['shards'][number] => ({
  group,
  incarnation: group,
  state,
  reason: null,
  role: 'follower',
  term: 1,
  leader: 'n1',
  firstIndex: 1,
  lastIndex: 1,
  durableIndex: 1,
  commitIndex: 1,
  appliedIndex: 1,
  checkpointIndex: 0,
  lag: 0,
  slots: 1,
  keys: 1,
  bytes: 0,
  pinnedBytes: 0,
  bytesMax: 0,
  hits: 0,
  misses: 0,
  evictions: 0,
  expiries: 0,
  snapshotsInstalled: 0,
  stateHash: 'f'.repeat(32),
  servesReads: false,
  voters: ['n1'],
  learners: [],
})

describe('the status document', () => {
  it('of more shards than fit a frame tells of those in trouble, of as many as fit, and how many it left out', () => {
    const status: NodeStatus = {
      id: 'n1',
      dirId: 'd'.repeat(32),
      boot: 1,
      clusterId: null,
      pid: 1,
      clientAddress: 'ä:1',
      peerAddress: 'b:2',
      state: 'serving',
      mapEpoch: 3,
      lowOnSpace: false,
      changes: [],
      log: { batches: 0, syncs: 0, bytesWritten: 0 },
      nodes: Array.from({ length: 100 }, (_, at) => ({
        name: `n${at}`,
        dirId: 'e'.repeat(32),
        clientAddress: 'a:1',
        peerAddress: 'b:2',
        heardMsAgo: at,
      })),
      shards: Array.from({ length: 2_000 }, (_, group) =>
        shard(group, group === 1_999 ? 'condemned' : 'live'),
      ),
    }
    expect(JSON.parse(statusText(status, 4_000_000))).toEqual(status)
    for (const bytesMax of [1_500, 20_000, 100_000, 500_000]) {
      const text = statusText(status, bytesMax)
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(bytesMax)
      const { nodes, shards, omitted } = JSON.parse(text) as NodeStatus
      expect(shards.length + (omitted?.shards ?? 0)).toBe(2_000)
      expect(nodes.length + (omitted?.nodes ?? 0)).toBe(100)
      expect(shards.at(-1)?.group).toBe(1_999)
    }
  })
})

describe('the map', () => {
  const node = (name: string, letter: string) => ({
    dirId: letter.repeat(32),
    name,
    peerAddress: `${letter}:1`,
    clientAddress: `${letter}:2`,
  })
  const apply = (state: MetaState, index: number, command: Parameters<typeof encodeMetaCommand>[0]): void =>
    void state.apply({ index, term: 1, type: 'commands', stamp: 1, payload: encodeMetaCommand(command) })

  it('does not take in a node with which it could not be told to anybody', () => {
    const state = MetaState.create('c'.repeat(32))
    apply(state, 1, { type: 'form', nodes: [node('n1', 'a')], shards: 1, replicas: 1, bytesMax: 0 })
    // The name that the first n2 gets when another n2 comes is taken already.
    apply(state, 2, { type: 'addNode', node: node('n2', 'b') })
    apply(state, 3, { type: 'addNode', node: node(`was-${'b'.repeat(32)}`, 'd') })
    const before = state.map
    apply(state, 4, { type: 'addNode', node: node('n2', 'e') })
    expect(state.map).toBe(before)
    expect(state.stateHash()).toMatch(/^[0-9a-f]{32}$/)
    const long = 'x'.repeat(510)
    for (let at = 0; at < 4_000; at += 1) {
      const dirId = at.toString(16).padStart(32, '0')
      const large = { dirId, name: `m${at}`, peerAddress: `${long}:1`, clientAddress: `${long}:2` }
      if (at % 20 === 0 || at > 3_900) apply(state, state.appliedIndex + 1, { type: 'addNode', node: large })
    }
    expect(state.stateHash()).toMatch(/^[0-9a-f]{32}$/)
  })
})
