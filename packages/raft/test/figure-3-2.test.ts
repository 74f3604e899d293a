// Random networks, disks and crashes over real cores: the properties of Figure 3.2 hold at every step (support/properties.ts).
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { heal, perform, weights } from './support/chaos.ts'
import type { Operation } from './support/chaos.ts'
import { World } from './support/world.ts'

/** More by hand: RAFT_RUNS=20000. */
const numRuns = Number(process.env['RAFT_RUNS'] ?? 100)

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(
    ...(Object.keys(weights) as Operation['kind'][]).map((kind) => ({
      weight: weights[kind],
      arbitrary: fc.constant(kind),
    })),
  ),
  a: fc.nat(0xffff),
  b: fc.nat(0xffff),
})

const scenario = fc.record({
  seed: fc.nat(),
  voters: fc.integer({ min: 1, max: 5 }),
  tinyWindow: fc.boolean(),
  operations: fc.array(operation, { minLength: 150, maxLength: 600, size: 'max' }),
})

function describeWorld(world: World): string {
  return [...world.hosts.values()]
    .map(({ id, raft, appliedIndex }) => {
      if (raft === null) return `${id} is down`
      const { role, currentTerm, commitIndex, lastIndex, configuration } = raft
      return `${id}: ${role} term ${currentTerm} applied ${appliedIndex} commit ${commitIndex} last ${lastIndex} ${JSON.stringify(configuration)}`
    })
    .join('; ')
}

function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function run({
  seed,
  voters,
  tinyWindow,
  operations,
}: {
  seed: number
  voters: number
  tinyWindow: boolean
  operations: readonly Operation[]
}): World {
  const everyone = [1, 2, 3, 4, 5]
  const world = new World({
    voters: everyone.slice(0, voters),
    draw: chance(seed),
    ...(tinyWindow
      ? { limits: { inflightAppends: 1, inflightBytes: 1, appendBytes: 1, uncommittedBytes: 500 } }
      : {}),
  })
  for (const id of everyone.slice(voters)) world.addHost(id)
  world.settle(1_000)
  for (const each of operations) perform(world, each)
  return world
}

describe('Figure 3.2, under loss, duplication, reordering, crashes with lost writes, and membership changes', () => {
  test('election safety, append-only leaders, log matching, leader completeness, state machine safety, no stale read (A1 A3 A5 A6 A18 B1 B3 B4 B6 B9 B11 B12 C2 D2 F1 F2 F5 F6)', () => {
    let committed = 0
    let answered = 0
    let terms = 0
    fc.assert(
      fc.property(scenario, (given) => {
        const world = run(given)
        committed += world.properties.committed.size
        answered += world.reads.size
        terms += Math.max(...[...world.hosts.values()].map(({ raft }) => raft?.currentTerm ?? 0))
      }),
      { numRuns },
    )
    // The floor: runs in which nothing happens prove nothing.
    expect(committed).toBeGreaterThan(numRuns * 10)
    expect(answered).toBeGreaterThan(numRuns)
    expect(terms).toBeGreaterThan(numRuns * 2)
  })

  test('once healed, one leader commits, every member applies the same, every read ends (A7 A13 A14 B7 B14 B15 E9)', () => {
    fc.assert(
      fc.property(scenario, (given) => {
        const world = run(given)
        heal(world)
        const [leader, ...others] = world.leaders
        expect(others.map(({ id }) => id)).toEqual([])
        if (leader?.raft === null || leader === undefined)
          throw new Error(`nobody leads: ${describeWorld(world)}`)
        const before = world.properties.committedIndex
        const tag = world.read(leader.id)
        expect(world.propose(leader.id)?.dropped).toBe(null)
        world.settle(300)
        expect(world.properties.committedIndex).toBeGreaterThan(before)
        expect(world.reads.get(tag)).toBeGreaterThanOrEqual(before)
        expect(leader.raft.configuration.outgoing).toEqual([])
        const { voters, learners } = leader.raft.configuration
        for (const member of [...voters, ...learners])
          expect(world.host(member).state, `state of ${member}`).toEqual(leader.state)
      }),
      { numRuns: Math.ceil(numRuns / 2) },
    )
  })
})
