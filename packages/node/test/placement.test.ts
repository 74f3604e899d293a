// Placement within the limits that a cluster may have: 8 to 1,024 shards on 1 to 9 nodes.
import { decodeShardMap, encodeServerFrame, encodeShardMap, limits, type MapNode } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMetaCommand, type MetaCommand } from '../src/meta/meta-command.ts'
import { MetaState } from '../src/meta/meta-state.ts'
import { placeReplicas, placeSlots } from '../src/meta/placement.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)
const shardCounts = fc.integer({ min: 8, max: 1_024 })

describe('placement of 8 to 1,024 shards', () => {
  it('gives every shard its share of the slots, as evenly as a hash can', () => {
    fc.assert(
      fc.property(shardCounts, (count) => {
        const shares = new Map<number, number>()
        for (const shard of placeSlots(upTo(count))) shares.set(shard, (shares.get(shard) ?? 0) + 1)
        const fair = limits.slots / count
        expect(shares.size).toBe(count)
        // Independent draws: five standard deviations, and with 1,024 shards of 16 slots each nobody is without.
        for (const share of shares.values())
          expect(Math.abs(share - fair)).toBeLessThan(5 * Math.sqrt(fair) + 1)
      }),
      { numRuns: 12 },
    )
  }, 120_000)

  it('moves about 1/N of the slots when a shard joins, all of them to it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 1_023 }), (count) => {
        const before = placeSlots(upTo(count))
        const after = placeSlots(upTo(count + 1))
        const moved = after.filter((shard, slot) => shard !== before[slot])
        expect(moved.every((shard) => shard === count + 1)).toBe(true)
        const fair = limits.slots / (count + 1)
        expect(Math.abs(moved.length - fair)).toBeLessThan(5 * Math.sqrt(fair) + 1)
      }),
      { numRuns: 8 },
    )
  }, 120_000)

  it('puts replicas on distinct nodes of which none has more than its share, rounded up', () => {
    fc.assert(
      fc.property(shardCounts, fc.integer({ min: 1, max: 9 }), (count, nodes) => {
        const each = Math.min(3, nodes)
        const load = Array.from({ length: nodes }, () => 0)
        for (const chosen of placeReplicas(upTo(count), nodes, 3)) {
          expect(new Set(chosen).size).toBe(each)
          for (const node of chosen) load[node] = (load[node] ?? 0) + 1
        }
        const fair = (count * each) / nodes
        expect(Math.max(...load)).toBeLessThanOrEqual(Math.ceil(fair))
        // What one has less than its share, the others would have to have more.
        expect(Math.min(...load)).toBeGreaterThanOrEqual(Math.floor(fair) - nodes)
      }),
      { numRuns: 40 },
    )
  }, 120_000)

  it('opens 1,024 shards on nine nodes with a map that fits a frame many times over', () => {
    const node = (at: number): MapNode => ({
      dirId: String(at).repeat(32).slice(0, 32),
      name: `n${at}`,
      peerAddress: `host-${at}.example:7500`,
      clientAddress: `host-${at}.example:7400`,
    })
    const state = MetaState.create('c'.repeat(32))
    const apply = (command: MetaCommand): void => {
      const index = state.appliedIndex + 1
      state.apply({ index, term: 1, type: 'commands', stamp: index, payload: encodeMetaCommand(command) })
    }
    apply({ type: 'form', nodes: upTo(9).map(node), shards: 1_024, replicas: 3, bytesMax: 0 })
    apply({ type: 'open' })
    expect(state.map.groups).toHaveLength(1_025)
    // The same with a change of every shard open.
    for (const group of upTo(1_024)) {
      const hosting = state.map.groups[group]?.replicas.map((one) => one.node) ?? []
      const coming = state.map.nodes.map((one) => one.dirId).filter((dirId) => !hosting.includes(dirId))
      apply({ type: 'assign', group, nodes: coming.slice(0, 3) })
    }
    expect(state.map.groups.filter(({ change }) => change !== null)).toHaveLength(1_025)
    const bytes = encodeShardMap(state.map)
    expect(bytes.length).toBeLessThan(limits.frameBytes / 8)
    expect(encodeServerFrame({ type: 'map', map: state.map }).length).toBeLessThan(limits.frameBytes / 8)
    expect(decodeShardMap(bytes).groups).toHaveLength(1_025)
  }, 120_000)
})
