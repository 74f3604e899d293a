// Random scenarios: a founded group and a schedule of operations over it.
import fc from 'fast-check'
import { perform, weights } from './chaos.ts'
import type { Operation } from './chaos.ts'
import { World } from './world.ts'

export interface Scenario {
  readonly seed: number
  readonly voters: number
  readonly tinyWindow: boolean
  readonly operations: readonly Operation[]
}

/** More by hand: RAFT_RUNS=20000. */
export const numRuns = Number(process.env['RAFT_RUNS'] ?? 100)

/** Ms for as many, on a loaded machine. */
export const runsTimeoutMs: number = 60_000 + numRuns * 500

const FOUNDERS = [1, 2, 3, 4, 5]

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

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.nat(),
  voters: fc.integer({ min: 1, max: FOUNDERS.length }),
  tinyWindow: fc.boolean(),
  operations: fc.array(operation, { minLength: 150, maxLength: 600, size: 'max' }),
})

/** Throws `PropertyBroken` at the first step that breaks a property, `InvariantViolation` where a core notices it. */
export function run({ seed, voters, tinyWindow, operations }: Scenario): World {
  const world = new World({
    voters: FOUNDERS.slice(0, voters),
    draw: chance(seed),
    ...(tinyWindow
      ? { limits: { inflightAppends: 1, inflightBytes: 1, appendBytes: 1, uncommittedBytes: 500 } }
      : {}),
  })
  for (const id of FOUNDERS.slice(voters)) world.addHost(id)
  world.settle(1_000)
  for (const each of operations) perform(world, each)
  return world
}

export function describeWorld(world: World): string {
  return [...world.hosts.values()]
    .map(({ id, raft, appliedIndex }) => {
      if (raft === null) return `${id} is down`
      const { role, currentTerm, commitIndex, lastIndex, configuration } = raft
      return `${id}: ${role} term ${currentTerm} applied ${appliedIndex} commit ${commitIndex} last ${lastIndex} ${JSON.stringify(configuration)}`
    })
    .join('; ')
}

export function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
