import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  agreeProtocol,
  BadFrameError,
  decodeConfiguration,
  decodeShardMap,
  emptyShardMap,
  encodeConfiguration,
  encodeShardMap,
  type ShardMap,
} from '../src/index.ts'
import { configuration, shardMap } from './arbitraries.ts'
import { comparable } from './comparable.ts'

test('a configuration comes back as it was', () => {
  fc.assert(
    fc.property(configuration, (original) => {
      expect(decodeConfiguration(encodeConfiguration(original))).toEqual(original)
    }),
    { numRuns: 500 },
  )
})

describe('a configuration', () => {
  const lists = (...each: number[][]): Uint8Array => {
    const bytes = [1]
    for (const list of each) {
      bytes.push(list.length)
      for (const replica of list) bytes.push(...new Uint8Array(new Float64Array([replica]).buffer))
    }
    return Uint8Array.from(bytes)
  }
  test('is taken where it keeps the rules', () => {
    expect(decodeConfiguration(lists([1, 2], [2, 3], [4], [3]))).toEqual({
      voters: [1, 2],
      outgoing: [2, 3],
      learners: [4],
      learnersNext: [3],
    })
  })
  test.each([
    ['a list that is not sorted', lists([2, 1], [], [], [])],
    ['a replica named twice', lists([1, 1], [], [], [])],
    ['a replica 0', lists([0], [], [], [])],
    ['a replica that is no integer', lists([1.5], [], [], [])],
    ['a learner that votes', lists([1], [], [1], [])],
    ['a learner that votes in the outgoing half', lists([1], [2], [2], [])],
    ['a next learner that is not outgoing', lists([1], [2], [], [3])],
    ['a next learner that stays a voter', lists([1], [1], [], [1])],
    ['an outgoing half without voters', lists([], [1], [], [])],
    [
      '65 voters',
      lists(
        Array.from({ length: 65 }, (_, at) => at + 1),
        [],
        [],
        [],
      ),
    ],
    ['three lists', lists([1], [], [])],
  ])('is refused with %s', (_, bytes) => {
    expect(() => decodeConfiguration(bytes)).toThrow(BadFrameError)
  })
})

test('a shard map comes back as it was', () => {
  fc.assert(
    fc.property(shardMap, (original) => {
      expect(comparable(decodeShardMap(encodeShardMap(original)))).toEqual(comparable(original))
    }),
  )
})

test('a map whose every slot has another group than its neighbour comes back as it was', () => {
  const groups = [1, 2].map((group) => ({ group, replicas: [], founders: [], change: null, foundedAt: 5 }))
  const map: ShardMap = {
    clusterId: 'ab'.repeat(16),
    epoch: 7,
    nodes: [],
    nextIncarnation: 1,
    leaving: [],
    removed: [],
    bytesMax: 0,
    groups,
    slots: Uint32Array.from({ length: 16_384 }, (_, slot) => 1 + (slot & 1)),
  }
  expect(comparable(decodeShardMap(encodeShardMap(map)))).toEqual(comparable(map))
})

test('the empty map has epoch 0 and no owner for any slot', () => {
  const map = emptyShardMap('0'.repeat(32))
  expect(comparable(decodeShardMap(encodeShardMap(map)))).toEqual(comparable(map))
  expect(map.epoch).toBe(0)
  expect(map.slots.every((group) => group === 0)).toBe(true)
})

describe('a shard map', () => {
  const node = { dirId: 'cd'.repeat(16), name: 'n1', peerAddress: 'h:7500', clientAddress: 'h:7400' }
  const replica = { incarnation: 1, node: node.dirId }
  const group = { group: 1, replicas: [replica], founders: [1], change: null, foundedAt: 3 }
  const opened = { id: 9, target: [1], cancelled: false, term: 0 }
  const map: ShardMap = {
    clusterId: 'ab'.repeat(16),
    epoch: 7,
    nodes: [node],
    nextIncarnation: 2,
    leaving: [],
    removed: [],
    bytesMax: 0,
    groups: [group],
    slots: new Uint32Array(16_384).fill(1),
  }
  const good = encodeShardMap(map)

  test.each<readonly [string, Partial<ShardMap>]>([
    ['a slot of a group that it does not list', { slots: new Uint32Array(16_384).fill(2) }],
    ['16,383 slots', { slots: new Uint32Array(16_383) }],
    ['a replica on a node that it does not list', { nodes: [] }],
    ['two nodes of one name', { nodes: [node, { ...node, dirId: 'ef'.repeat(16) }] }],
    ['one node twice', { nodes: [node, { ...node, name: 'n2' }] }],
    ['groups out of order', { groups: [{ ...group, group: 2 }, group] }],
    ['a group twice', { groups: [group, group] }],
    [
      'one incarnation twice in a group',
      { groups: [{ ...group, replicas: [...group.replicas, ...group.replicas] }] },
    ],
    ['an incarnation that was never minted', { nextIncarnation: 1 }],
    ['a removed node that is there', { removed: [node.dirId] }],
    ['a node removed twice', { removed: ['ef'.repeat(16), 'ef'.repeat(16)] }],
    ['an unknown node that leaves', { leaving: ['ef'.repeat(16)] }],
    ['founders out of order', { groups: [{ ...group, founders: [2, 1] }] }],
    ['a change to nobody', { groups: [{ ...group, change: { ...opened, target: [] } }] }],
    ['a change to an unknown replica', { groups: [{ ...group, change: { ...opened, target: [1, 2] } }] }],
    ['a change without an id', { groups: [{ ...group, change: { ...opened, id: 0 } }] }],
    ['incarnation 0', { groups: [{ ...group, replicas: [{ incarnation: 0, node: node.dirId }] }] }],
    ['a cluster id that is none', { clusterId: 'AB'.repeat(16) }],
    ['a fractional epoch', { epoch: 0.5 }],
  ])('with %s is not encoded', (_, change) => {
    expect(() => encodeShardMap({ ...map, ...change })).toThrow(/a shard map with/)
  })

  test('is refused where its runs of slots do not end at the last slot', () => {
    // The map ends with one run: `runs u16 | length u16 | group u32`.
    for (const length of [0, 16_383, 16_385]) {
      const bytes = good.slice()
      new DataView(bytes.buffer, bytes.byteOffset).setUint16(bytes.length - 6, length, true)
      expect(() => decodeShardMap(bytes)).toThrow(BadFrameError)
    }
  })

  test('is refused where a slot names a group that it does not list', () => {
    const bytes = good.slice()
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 4, 2, true)
    expect(() => decodeShardMap(bytes)).toThrow(/a slot of an unknown group/)
  })
})

test('two sides speak the newest version that both know, or none', () => {
  expect(agreeProtocol(1, 1)).toBe(1)
  expect(agreeProtocol(1, 9)).toBe(1)
  expect(agreeProtocol(2, 9)).toBeNull()
  expect(agreeProtocol(0, 0)).toBeNull()
})
