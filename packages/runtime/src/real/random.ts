import { randomBytes } from 'node:crypto'
import type { Random } from '../random.ts'

/** Chance that nobody can foresee for identities; ordinary chance for jitter. */
export function createRealRandom(): Random {
  return {
    next: () => Math.random(),
    bytes: (length) => new Uint8Array(randomBytes(length)),
  }
}
