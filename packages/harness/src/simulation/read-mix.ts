// How the clients of a seed read: which share of their reads by lease, which stale, and how old those may be.
import type { ReadMix } from '../workload/plan.ts'
import type { SeededRandom } from './seeded-random.ts'

/** Four in five runs have either kind; some have both, some none. A chance of its own: plans stay what they were. */
const SHARE = 0.8
/** From what only a leader can give to what a follower keeps through an election. */
const MAX_AGE_MS_MIN = 20
const MAX_AGE_MS_MAX = 5_000

export function drawReadMix(random: SeededRandom): ReadMix {
  const lease = random.chance(SHARE) ? random.between(0.1, 0.5) : 0
  const stale = random.chance(SHARE) ? random.between(0.1, 0.5) : 0
  const limited = random.next()
  const maxAgeMs = MAX_AGE_MS_MIN * (MAX_AGE_MS_MAX / MAX_AGE_MS_MIN) ** random.next()
  return { lease, stale, limited, maxAgeMs }
}
