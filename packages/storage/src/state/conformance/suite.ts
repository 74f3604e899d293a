// The state store's conformance suite: what LevelDB and its memory twin must do alike.
import { describe } from 'vitest'
import { crashTests, interleavingTests } from './crashes.ts'
import { damageTests, gapTests, headDamageTests, refusalTests } from './damage.ts'
import { generationNumberTests, generationTests, ruleTests, strayTests } from './generations.ts'
import { abandonTests, randomTests, scanTests, semanticTests, snapshotTests } from './semantics.ts'
import type { CreateStateStoreWorld } from './world.ts'

const PARTS = [
  semanticTests,
  scanTests,
  snapshotTests,
  randomTests,
  abandonTests,
  generationTests,
  strayTests,
  generationNumberTests,
  ruleTests,
  crashTests,
  interleavingTests,
  damageTests,
  headDamageTests,
  gapTests,
  refusalTests,
]

/** Registers the suite with vitest. Each test gets a world of its own from `create` and disposes of it. */
export function stateStoreConformance(name: string, create: CreateStateStoreWorld): void {
  describe(`state store: ${name}`, () => {
    for (const part of PARTS) part(create)
  })
}
