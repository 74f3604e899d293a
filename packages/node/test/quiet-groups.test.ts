// Quiet groups are stepped less; that nobody can tell the difference is what these tests are about.
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type Fault, NODES, QuietWorld } from './support/quiet-world.ts'

// Two worlds for each run, where many share a machine.
vi.setConfig({ testTimeout: 120_000 })

const RUN_MS = 8_000

/** More by hand: QUIET_RUNS=2000. */
const numRuns = Number(process.env['QUIET_RUNS'] ?? 40)

const kinds = [
  'cut',
  'pause',
  'propose',
  'read',
  'transfer',
  'reconnect',
  'change',
  'install',
  'stepDown',
] as const
const weights: Readonly<Record<Fault['kind'], number>> = {
  cut: 6,
  pause: 2,
  propose: 8,
  read: 8,
  transfer: 2,
  reconnect: 3,
  change: 1,
  install: 1,
  stepDown: 1,
}

const fault: fc.Arbitrary<Fault> = fc.record({
  kind: fc.oneof(...kinds.map((kind) => ({ weight: weights[kind], arbitrary: fc.constant(kind) }))),
  at: fc.integer({ min: 500, max: RUN_MS - 1_000 }),
  node: fc.nat(NODES - 1),
  other: fc.nat(NODES - 1),
  group: fc.integer({ min: 1, max: 3 }),
  ms: fc.integer({ min: 1, max: 1_500 }),
})

const scenario = fc.record({
  seed: fc.nat(),
  lossy: fc.boolean(),
  faults: fc.array(fault, { minLength: 10, maxLength: 80, size: 'max' }),
})

interface Scenario {
  readonly seed: number
  readonly lossy: boolean
  readonly faults: readonly Fault[]
}

function play({ seed, lossy, faults }: Scenario, lazy: boolean): QuietWorld {
  const world = new QuietWorld(seed, lazy, 3, lossy ? 0.1 : 0)
  for (const each of faults) world.plan(each)
  world.run(RUN_MS)
  return world
}

describe('quiet groups', () => {
  test('vote, lead, commit, read and step down as if every heartbeat and every answer had been stepped', () => {
    const seen = { steps: [0, 0], elections: 0, reads: 0 }
    fc.assert(
      fc.property(scenario, (given) => {
        const eager = play(given, false)
        const lazy = play(given, true)
        expect([...lazy.trace]).toEqual([...eager.trace])
        expect(lazy.facts()).toEqual(eager.facts())
        seen.steps = [(seen.steps[0] ?? 0) + lazy.steps, (seen.steps[1] ?? 0) + eager.steps]
        const lines = [...lazy.trace.values()].flat()
        seen.elections += lines.filter((line) => line.includes('"role":"leader"')).length
        seen.reads += lines.filter((line) => line.includes('"tag"')).length
      }),
      { numRuns },
    )
    // The floor: a comparison of nothing proves nothing.
    expect(seen.elections).toBeGreaterThan(numRuns * 3)
    expect(seen.reads).toBeGreaterThan(numRuns)
    expect(seen.steps[0]).toBeLessThan((seen.steps[1] ?? 0) / 2)
  })

  test('tell an age of what they would show to stale reads that no commit anywhere contradicts', () => {
    const ages: number[] = []
    fc.assert(
      fc.property(scenario, (given) => {
        for (const age of play(given, true).ages) ages.push(age)
      }),
      { numRuns },
    )
    expect(ages.length).toBeGreaterThan(numRuns * 100)
    expect(ages.toSorted((left, right) => left - right)[ages.length >> 1]).toBeLessThan(200)
  })

  test('of a calm cluster are not stepped at all, however many they are', () => {
    const world = new QuietWorld(7, true, 40, 0)
    world.run(3_000)
    const before = world.steps
    world.run(13_000)
    expect(world.steps).toBe(before)
    for (let group = 1; group <= 40; group += 1) expect(world.leaders(group)).toHaveLength(1)
  })

  test('A15: whose followers fall silent lose their leader after the time that CheckQuorum allows, not later', () => {
    const world = new QuietWorld(7, true, 5, 0)
    world.run(3_000)
    const [leader] = world.leaders(1)
    if (leader === undefined) throw new Error('nobody leads')
    const id = leader.incarnation % 10
    for (const other of [0, 1, 2])
      world.plan({ kind: 'cut', at: 3_000, node: other, other: id, group: 1, ms: 60_000 })
    world.run(3_500)
    expect(world.leaders(1)).toContain(leader)
    world.run(3_720)
    expect(leader.raft.role).not.toBe('leader')
  })
})
