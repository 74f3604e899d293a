// How long it takes until a mutant is found, in the middle of many.
import type { Killer } from './mutant.ts'

/** Lower median; NaN of none. */
export function medianSeconds(killers: readonly Killer[]): number {
  const seconds = killers.map((killer) => killer.seconds).toSorted((left, right) => left - right)
  return seconds[Math.floor((seconds.length - 1) / 2)] ?? Number.NaN
}
