// The steps of a change of members: what the meta group accepts, what a leader does next, when a learner counts.
import { limits, META_GROUP, type MapNode, type ShardMap } from '@quorate/protocol'
import type { Configuration } from '@quorate/raft'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CATCH_UP_ROUND_MS, CatchUp } from '../src/members/catch-up.ts'
import { nextStep, type Step } from '../src/members/next-step.ts'
import { sameMembers } from '../src/meta/change-members.ts'
import type { MembershipCommand, MembershipReport, MetaCommand } from '../src/meta/meta-command.ts'
import { decodeMembershipReport, decodeMetaCommand, encodeMetaCommand } from '../src/meta/meta-command.ts'
import { MetaState } from '../src/meta/meta-state.ts'
import { planMetaMembers } from '../src/meta/plan-meta-members.ts'
import { isOver } from '../src/replica/removal.ts'

const dirId = (at: number): string => String(at).repeat(32).slice(0, 32)
const node = (at: number): MapNode => ({
  dirId: dirId(at),
  name: `n${at}`,
  peerAddress: `h:${at}`,
  clientAddress: `c:${at}`,
})

/** Three nodes, two shards, and nodes 4 to 6 that joined. */
function opened(): { readonly state: MetaState; readonly apply: (command: MetaCommand) => string | null } {
  const state = MetaState.create('c'.repeat(32))
  const apply = (command: MetaCommand): string | null => {
    const index = state.appliedIndex + 1
    state.apply({ index, term: 1, type: 'commands', stamp: index, payload: encodeMetaCommand(command) })
    return state.refused
  }
  apply({ type: 'form', nodes: [node(1), node(2), node(3)], shards: 2, replicas: 3, bytesMax: 0 })
  const id = state.map.groups[0]?.change?.id ?? 0
  apply({ type: 'claim', group: META_GROUP, change: id, term: 1 })
  apply({ type: 'settle', group: META_GROUP, change: id, term: 1, voters: [1, 2, 3] })
  apply({ type: 'open' })
  for (const at of [4, 5, 6]) apply({ type: 'addNode', node: node(at) })
  return { state, apply }
}

const incarnations = (map: ShardMap): number[] =>
  map.groups.flatMap(({ replicas }) => replicas.map(({ incarnation }) => incarnation))

describe('the meta group', () => {
  it.each<readonly [string, MetaCommand, string]>([
    ['an unknown group', { type: 'assign', group: 9, nodes: [dirId(1)] }, 'UNKNOWN_GROUP'],
    ['an unknown node', { type: 'assign', group: 1, nodes: [dirId(1), dirId(9)] }, 'UNKNOWN_NODE'],
    ['a node named twice', { type: 'assign', group: 1, nodes: [dirId(1), dirId(1)] }, 'DUPLICATE_NODE'],
    ['nobody', { type: 'assign', group: 1, nodes: [] }, 'NO_NODES'],
    [
      'the nodes that host it',
      { type: 'assign', group: 1, nodes: [dirId(3), dirId(1), dirId(2)] },
      'NOTHING_TO_DO',
    ],
    [
      'more than five meta members',
      { type: 'assign', group: 0, nodes: [1, 2, 3, 4, 5, 6].map(dirId) },
      'TOO_MANY_NODES',
    ],
    ['the end of a change that is not open', { type: 'cancel', group: 1, change: 3 }, 'UNKNOWN_CHANGE'],
    ['the removal of a node with shards', { type: 'removeNode', dirId: dirId(1) }, 'HOSTS_SHARDS'],
    ['the removal of a stranger', { type: 'removeNode', dirId: dirId(9) }, 'UNKNOWN_NODE'],
  ])('refuses %s, and nothing changes', (_, command, code) => {
    const { state, apply } = opened()
    const { map } = state
    expect(apply(command)).toBe(code)
    expect(state.map).toBe(map)
  })

  it('refuses a second change of a group while one is open, and takes one of another group', () => {
    const { apply } = opened()
    expect(apply({ type: 'assign', group: 1, nodes: [dirId(2), dirId(3), dirId(4)] })).toBe(null)
    expect(apply({ type: 'assign', group: 1, nodes: [dirId(2), dirId(3), dirId(5)] })).toBe('CHANGE_OPEN')
    expect(apply({ type: 'assign', group: 2, nodes: [dirId(2), dirId(3), dirId(4)] })).toBe(null)
  })

  it('keeps the incarnations that go until the log of the group has excluded them', () => {
    const { state, apply } = opened()
    const before = state.map.groups[1]?.replicas ?? []
    apply({ type: 'assign', group: 1, nodes: [dirId(2), dirId(3), dirId(4)] })
    const group = state.map.groups[1]
    const change = group?.change
    expect(group?.replicas.slice(0, 3)).toEqual(before)
    expect(group?.replicas).toHaveLength(4)
    const target = change?.target ?? []
    const settle = { type: 'settle', group: 1, change: change?.id ?? 0, term: 4, voters: target } as const
    expect(apply(settle)).toBe('UNKNOWN_CHANGE')
    expect(apply({ type: 'claim', group: 1, change: change?.id ?? 0, term: 4 })).toBe(null)
    expect(apply({ type: 'claim', group: 1, change: change?.id ?? 0, term: 3 })).toBe('NOTHING_TO_DO')
    // An earlier leader says what it likes: this term's leader decides.
    expect(apply({ ...settle, term: 3 })).toBe('UNKNOWN_CHANGE')
    expect(apply(settle)).toBe(null)
    expect(state.map.groups[1]?.replicas.map((one) => one.node).toSorted()).toEqual([2, 3, 4].map(dirId))
    expect(apply(settle)).toBe('UNKNOWN_CHANGE')
  })

  it('F5 F7: mints every incarnation once and raises the epoch with every change, in whatever order commands come', () => {
    const anyNodes = fc.uniqueArray(fc.integer({ min: 1, max: 7 }).map(dirId), { maxLength: 4 })
    const group = fc.integer({ min: 0, max: 3 })
    const change = fc.integer({ min: 0, max: 40 })
    const command: fc.Arbitrary<MembershipCommand | MembershipReport | 'settle'> = fc.oneof(
      fc.record({ type: fc.constant('assign' as const), group, nodes: anyNodes }),
      fc.record({ type: fc.constant('cancel' as const), group, change }),
      fc.record({
        type: fc.constant('removeNode' as const),
        dirId: fc.integer({ min: 1, max: 7 }).map(dirId),
      }),
      fc.record({ type: fc.constant('claim' as const), group, change, term: fc.integer({ min: 1, max: 5 }) }),
      fc.constant('settle' as const),
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const { state, apply } = opened()
        const ever = new Map<number, string>()
        let known = state.map
        for (const one of commands) {
          const { map } = state
          if (one === 'settle') {
            const open = map.groups.find((each) => each.change !== null)
            if (open?.change == null) continue
            const { id, term, target } = open.change
            apply({ type: 'settle', group: open.group, change: id, term, voters: target })
          } else apply(one)
          // Either it was refused and nothing changed, or the map is another one, of a new epoch.
          const changed = state.map !== known && state.map.epoch === state.appliedIndex
          expect(changed).toBe(state.refused === null)
          expect(changed || state.map === known).toBe(true)
          known = state.map
          for (const { group: id, replicas } of known.groups)
            for (const { incarnation, node: at } of replicas) {
              const place = `${id} ${at}`
              expect(ever.get(incarnation) ?? place).toBe(place)
              ever.set(incarnation, place)
              expect(incarnation).toBeLessThan(known.nextIncarnation)
            }
          const present = new Set(incarnations(known))
          for (const [incarnation, place] of ever) {
            if (present.has(incarnation)) continue
            const found = known.groups.find((each) => each.group === Number(place.split(' ')[0]))
            // Out of the map it is over for good.
            expect(isOver(known, found, incarnation)).toBe(true)
          }
          // What the map says must be a map that peers take.
          expect(() => state.freeze()).not.toThrow()
        }
      }),
      { numRuns: 200 },
    )
  })

  it('F7: a map that was made before a replica was minted ends nobody, whatever its epoch', () => {
    const { state, apply } = opened()
    const old = state.map
    apply({ type: 'assign', group: 1, nodes: [dirId(2), dirId(3), dirId(4)] })
    const minted = state.map.groups[1]?.replicas.at(-1)?.incarnation ?? 0
    expect(isOver(old, old.groups[1], minted)).toBe(false)
    expect(isOver({ ...old, epoch: 1_000 }, old.groups[1], minted)).toBe(false)
    expect(isOver(state.map, state.map.groups[1], minted)).toBe(false)
  })

  it('lets a removed directory never in again (A11)', () => {
    const { state, apply } = opened()
    expect(apply({ type: 'removeNode', dirId: dirId(5) })).toBe(null)
    expect(state.map.nodes.map((one) => one.name)).not.toContain('n5')
    apply({ type: 'addNode', node: node(5) })
    expect(state.map.nodes.map((one) => one.name)).not.toContain('n5')
    expect(apply({ type: 'assign', group: 1, nodes: [dirId(5)] })).toBe('UNKNOWN_NODE')
  })

  it('commands and reports come back as they were, and a peer may only report', () => {
    const commands: MetaCommand[] = [
      { type: 'assign', group: 1, nodes: [dirId(1)] },
      { type: 'cancel', group: 1, change: 7 },
      { type: 'removeNode', dirId: dirId(1) },
    ]
    const reports: MetaCommand[] = [
      { type: 'claim', group: 1, change: 7, term: 3 },
      { type: 'settle', group: 1, change: 7, term: 3, voters: [1, 2] },
    ]
    for (const one of [...commands, ...reports])
      expect(decodeMetaCommand(encodeMetaCommand(one))).toEqual(one)
    for (const one of reports) expect(decodeMembershipReport(encodeMetaCommand(one))).toEqual(one)
    for (const one of commands) expect(() => decodeMembershipReport(encodeMetaCommand(one))).toThrow(/report/)
  })
})

describe('the members of the meta group', () => {
  const everybody = (): boolean => true
  const without =
    (at: number) =>
    (one: string): boolean =>
      one !== dirId(at)
  /** Carries a planned change out. */
  function settle({ state, apply }: ReturnType<typeof opened>, nodes: readonly string[]): void {
    expect(apply({ type: 'assign', group: META_GROUP, nodes })).toBe(null)
    const change = state.map.groups[0]?.change
    expect(planMetaMembers(state.map, everybody)).toBe(null)
    apply({ type: 'claim', group: META_GROUP, change: change?.id ?? 0, term: 2 })
    apply({
      type: 'settle',
      group: META_GROUP,
      change: change?.id ?? 0,
      term: 2,
      voters: change?.target ?? [],
    })
  }

  it('are min(5, nodes), and one that leaves is replaced', () => {
    const meta = opened()
    settle(meta, planMetaMembers(meta.state.map, everybody) ?? [])
    expect(meta.state.map.groups[0]?.replicas).toHaveLength(5)
    expect(planMetaMembers(meta.state.map, everybody)).toBe(null)
    expect(meta.apply({ type: 'removeNode', dirId: dirId(4) })).toBe(null)
    expect(meta.state.map.leaving).toEqual([dirId(4)])
    settle(meta, planMetaMembers(meta.state.map, everybody) ?? [])
    expect(meta.state.map.groups[0]?.replicas.map((one) => one.node).toSorted()).toEqual(
      [1, 2, 3, 5, 6].map(dirId),
    )
    expect(meta.state.map.leaving).toEqual([])
    expect(meta.state.map.removed).toEqual([dirId(4)])
  })

  it('grow only while every member is heard, and only by nodes that are', () => {
    const { state } = opened()
    expect(planMetaMembers(state.map, without(2))).toBe(null)
    expect(planMetaMembers(state.map, without(4))).toEqual([1, 2, 3, 5, 6].map(dirId))
  })
})

/** A group as the model knows it: a configuration that commits at once or is dropped, and a leader that may be another each time. */
interface Model {
  configuration: Configuration
  settled: readonly number[] | null
}

function take(model: Model, step: Step): void {
  if (step.type === 'settle') model.settled = step.voters
  if (step.type !== 'configure') return
  const { voters } = model.configuration
  const learners = step.learners
  model.configuration = sameMembers(step.voters, voters)
    ? { voters: step.voters, outgoing: [], learners, learnersNext: [] }
    : { voters: step.voters, outgoing: voters, learners, learnersNext: [] }
}

describe('a change of members', () => {
  it('is finished or undone by whoever leads next, wherever the one before stopped (rule 26)', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.record({ leader: fc.nat(8), drop: fc.boolean(), cancel: fc.boolean() }), {
          maxLength: 20,
        }),
        (from, to, turns) => {
          const voters = from.toSorted((a, b) => a - b)
          const target = to.toSorted((a, b) => a - b)
          const model: Model = {
            configuration: { voters, outgoing: [], learners: [], learnersNext: [] },
            settled: null,
          }
          let cancelled = false
          let joint = false
          const calm = Array.from({ length: 12 }, (_, leader) => ({ leader, drop: false, cancel: false }))
          for (const { leader, drop, cancel } of [...turns, ...calm]) {
            cancelled ||= cancel
            const { configuration } = model
            // The joint configuration is left by itself.
            if (configuration.outgoing.length > 0) model.configuration = { ...configuration, outgoing: [] }
            const leaders = model.configuration.voters
            const step = nextStep({
              self: leaders[leader % leaders.length] ?? 0,
              change: { id: 9, target, cancelled, term: 1 },
              configuration: model.configuration,
              mayChange: true,
              isCaughtUp: () => true,
              mayLead: () => leader % 2 === 0,
            })
            const settled = model.settled ?? (step.type === 'settle' ? step.voters : null)
            // Once the log has decided, everybody later says the same.
            expect(settled === null || sameMembers(settled, step.type === 'settle' ? step.voters : [])).toBe(
              true,
            )
            if (!drop) take(model, step)
            joint ||= model.configuration.outgoing.length > 0
            // Nobody is ever a member who is neither old nor new, and nobody votes who was never a learner.
            for (const one of model.configuration.voters) expect([...voters, ...target]).toContain(one)
          }
          const settled = model.settled ?? []
          expect(settled).toEqual(cancelled && !joint && !sameMembers(voters, target) ? voters : target)
          expect(model.configuration.learners).toEqual([])
        },
      ),
      { numRuns: 500 },
    )
  })

  it('promotes nobody before all who come are caught up, and never while another configuration is open (rules 8, 9)', () => {
    const change = { id: 9, target: [2, 3, 4], cancelled: false, term: 1 }
    const base = { self: 2, change, mayChange: true, isCaughtUp: () => true, mayLead: () => true }
    const configuration = { voters: [1, 2, 3], outgoing: [], learners: [4], learnersNext: [] }
    expect(nextStep({ ...base, configuration, isCaughtUp: () => false })).toEqual({
      type: 'wait',
      why: 'learners',
    })
    expect(nextStep({ ...base, configuration, mayChange: false }).type).toBe('wait')
    expect(
      nextStep({
        ...base,
        configuration: { ...configuration, outgoing: [1, 2, 3], voters: [2, 3, 4], learners: [] },
      }).type,
    ).toBe('wait')
    expect(nextStep({ ...base, configuration })).toEqual({
      type: 'configure',
      voters: [2, 3, 4],
      learners: [],
    })
    // The one that goes hands over first, where somebody who stays can take over.
    expect(nextStep({ ...base, self: 1, configuration })).toEqual({ type: 'transfer', to: 2 })
    expect(nextStep({ ...base, self: 1, configuration, mayLead: () => false }).type).toBe('configure')
  })
})

describe('a learner', () => {
  it('is caught up after a round shorter than an election timeout, not after a longer one (rule 9)', () => {
    const learner = new CatchUp()
    expect(learner.observe(0, 100, 0)).toBe(false)
    expect(learner.observe(50, 150, 50)).toBe(false)
    // The first round was long.
    expect(learner.observe(100, 500, CATCH_UP_ROUND_MS + 50)).toBe(false)
    expect(learner.observe(400, 520, CATCH_UP_ROUND_MS + 100)).toBe(false)
    expect(learner.observe(500, 530, CATCH_UP_ROUND_MS + 150)).toBe(true)
    expect(learner.observe(505, 540, CATCH_UP_ROUND_MS + 200)).toBe(true)
    // It stands still: its round becomes too long.
    expect(learner.observe(505, 540, 2 * CATCH_UP_ROUND_MS + 200)).toBe(false)
    expect(CATCH_UP_ROUND_MS).toBe(limits.electionTimeoutMsMin)
  })

  it('that falls behind for ever is never caught up', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 10, max: 200 }), { minLength: 1, maxLength: 50 }), (pauses) => {
        const learner = new CatchUp()
        let now = 0
        for (const pause of pauses) {
          now += pause
          // It holds what was committed 400 ms ago.
          expect(learner.observe(Math.max(0, now - 400), now, now)).toBe(false)
        }
      }),
    )
  })
})
