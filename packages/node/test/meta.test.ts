import { META_GROUP, type MapNode } from '@quorate/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMetaCommand, type MetaCommand } from '../src/meta/meta-command.ts'
import { MetaState } from '../src/meta/meta-state.ts'
import { placeReplicas, placeSlots } from '../src/meta/placement.ts'

const clusterId = 'c'.repeat(32)
const node = (at: number): MapNode => ({
  dirId: String(at).repeat(32).slice(0, 32),
  name: `n${at}`,
  peerAddress: `h:${at}`,
  clientAddress: `c:${at}`,
})
const form: MetaCommand = {
  type: 'form',
  nodes: [node(1), node(2), node(3)],
  shards: 4,
  replicas: 3,
  bytesMax: 0,
}

function applied(commands: readonly MetaCommand[]): MetaState {
  const state = MetaState.create(clusterId)
  for (const [at, command] of commands.entries())
    state.apply({ index: at + 1, term: 1, type: 'commands', stamp: at, payload: encodeMetaCommand(command) })
  return state
}

function restored(state: MetaState): MetaState {
  const frozen = state.freeze()
  const [row] = [...frozen.changes]
  return MetaState.restore(
    { index: frozen.appliedIndex, term: frozen.appliedTerm },
    frozen.machine,
    row?.value ?? new Uint8Array(0),
  )
}

describe('the meta group', () => {
  it('forms once, opens once, and mints every incarnation once', () => {
    const state = applied([form, { type: 'open' }, form, { type: 'open' }])
    expect(state.map.epoch).toBe(2)
    expect(state.map.groups.map((group) => group.group)).toEqual([0, 1, 2, 3, 4])
    const incarnations = state.map.groups.flatMap((group) =>
      group.replicas.map((replica) => replica.incarnation),
    )
    expect(new Set(incarnations).size).toBe(incarnations.length)
    expect(incarnations).toHaveLength(15)
    expect(state.map.groups.slice(1).every((group) => group.foundedAt === 2)).toBe(true)
    expect(new Set(state.map.slots)).toEqual(new Set([1, 2, 3, 4]))
  })

  it('takes a new node under its own directory: the old directory of a wiped node keeps its replicas and never votes for it (A11)', () => {
    const wiped = { ...node(2), dirId: 'f'.repeat(32) }
    const state = applied([form, { type: 'open' }, { type: 'addNode', node: wiped }])
    expect(state.map.nodes).toHaveLength(4)
    expect(new Set(state.map.nodes.map((one) => one.name)).size).toBe(4)
    expect(() => state.freeze()).not.toThrow()
    expect(
      state.map.groups.some((group) => group.replicas.some((replica) => replica.node === wiped.dirId)),
    ).toBe(false)
    expect(
      state.map.groups.find((group) => group.group === META_GROUP)?.replicas.map((replica) => replica.node),
    ).toContain(node(2).dirId)
  })

  it('an undecodable command changes nothing and stops nobody (E8)', () => {
    const state = applied([form])
    const hash = state.map
    state.apply({ index: 2, term: 1, type: 'commands', stamp: 9, payload: new Uint8Array([0xc1, 7]) })
    expect(state.map).toBe(hash)
    expect(state.appliedIndex).toBe(2)
  })

  it('is the same after a restart from a checkpoint at any point', () => {
    const command = fc.oneof(
      fc.constant<MetaCommand>(form),
      fc.constant<MetaCommand>({ type: 'open' }),
      fc.integer({ min: 1, max: 9 }).map((at): MetaCommand => ({ type: 'addNode', node: node(at) })),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), fc.nat(12), (commands, cut) => {
        const whole = applied(commands)
        const state = restored(applied(commands.slice(0, cut)))
        for (const [at, one] of commands.slice(cut).entries())
          state.apply({
            index: Math.min(cut, commands.length) + at + 1,
            term: 1,
            type: 'commands',
            stamp: Math.min(cut, commands.length) + at,
            payload: encodeMetaCommand(one),
          })
        expect(state.stateHash()).toBe(whole.stateHash())
      }),
      { numRuns: 50 },
    )
  })
})

describe('placement', () => {
  it('gives every slot to a shard, within a tenth of an even share', () => {
    const shards = [1, 2, 3, 4, 5, 6, 7, 8]
    const slots = placeSlots(shards)
    for (const shard of shards) {
      const share = slots.filter((owner) => owner === shard).length
      expect(share).toBeGreaterThan(2048 * 0.9)
      expect(share).toBeLessThan(2048 * 1.1)
    }
  })

  it('moves only about its share when a shard joins, and only to the new shard', () => {
    const before = placeSlots([1, 2, 3, 4])
    const after = placeSlots([1, 2, 3, 4, 5])
    let moved = 0
    for (const [slot, owner] of after.entries()) {
      if (owner === before[slot]) continue
      expect(owner).toBe(5)
      moved += 1
    }
    expect(moved).toBeGreaterThan((16_384 / 5) * 0.85)
    expect(moved).toBeLessThan((16_384 / 5) * 1.15)
  })

  it('places each shard on distinct nodes within the bounded load', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        (shards, nodes, replicas) => {
          const placed = placeReplicas(
            Array.from({ length: shards }, (_, at) => at + 1),
            nodes,
            replicas,
          )
          const load = new Map<number, number>()
          for (const chosen of placed) {
            expect(new Set(chosen).size).toBe(Math.min(replicas, nodes))
            for (const one of chosen) load.set(one, (load.get(one) ?? 0) + 1)
          }
          const most = Math.ceil((shards * Math.min(replicas, nodes)) / nodes)
          for (const count of load.values()) expect(count).toBeLessThanOrEqual(most)
        },
      ),
    )
  })
})
