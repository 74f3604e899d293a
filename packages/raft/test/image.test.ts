// What a flight recording rests on: from an image, the same inputs lead to the same effects and the same state.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Effects, type Input, type Raft, raftFromImage } from '../src/index.ts'
import { heal } from './support/chaos.ts'
import { numRuns, run, scenarios } from './support/scenario.ts'

interface Watched {
  readonly raft: Raft
  readonly image: ReturnType<Raft['image']>
  readonly steps: { readonly input: Input; readonly effects: Effects }[]
}

function watch(raft: Raft): Watched {
  const watched: Watched = { raft, image: raft.image(), steps: [] }
  const step = raft.step.bind(raft)
  raft.step = (input) => {
    const effects = step(input)
    watched.steps.push(structuredClone({ input, effects }))
    return effects
  }
  return watched
}

describe('an image', () => {
  test('and the inputs that came behind it lead to the same effects and the same state, on every replica', () => {
    let replayed = 0
    const roles = new Set<string>()
    fc.assert(
      fc.property(scenarios, (given) => {
        const world = run(given)
        const watched = [...world.hosts.values()].flatMap(({ raft }) => (raft === null ? [] : [watch(raft)]))
        heal(world)
        for (const { raft, image, steps } of watched) {
          const replay = raftFromImage(structuredClone(image))
          expect(replay.image()).toEqual(image)
          for (const { input, effects } of steps) expect(replay.step(input)).toEqual(effects)
          expect(replay.image()).toEqual(raft.image())
          replayed += steps.length
          roles.add(image.role.name)
        }
      }),
      { numRuns: Math.ceil(numRuns / 4) },
    )
    expect(replayed).toBeGreaterThan(numRuns)
    expect(roles).toContain('leader')
    expect(roles).toContain('follower')
  })

  test('is a copy: later steps do not change it', () => {
    fc.assert(
      fc.property(scenarios, (given) => {
        const world = run(given)
        const images = [...world.hosts.values()].flatMap(({ raft }) => (raft === null ? [] : [raft.image()]))
        const before = structuredClone(images)
        heal(world)
        expect(images).toEqual(before)
      }),
      { numRuns: Math.ceil(numRuns / 8) },
    )
  })
})
