// The flags of `npm run mutants`.
import { parseArgs } from 'node:util'
import { parseSeeds } from '../sim-command/arguments.ts'
import { type Layer, layers } from './mutant.ts'

const SEEDS_DEFAULT = '1..12'

export interface MutantArguments {
  readonly layers: readonly Layer[]
  /** Only mutants whose name or file contains one of these; empty: all. */
  readonly only: readonly string[]
  readonly jobs: number
  readonly seeds: readonly number[]
  readonly first: boolean
  readonly write: boolean
  /** Only looks whether every patch fits and the page is complete. */
  readonly check: boolean
  /** The few mutants of `npm test`. */
  readonly short: boolean
  /** Only test files that the mutant names look, whichever layer they are of. */
  readonly named: boolean
}

export const usage: string = `usage: npm run mutants -- [flags]
  --layers ${layers.join(',')}   layers that look, in this order (default: all)
  --only TEXT      only mutants with this in their name or file; may be repeated
  --first          stop at the first layer that finds a mutant (default)
  --all            let every layer look
  --seeds A..B     seeds of the simulator (default ${SEEDS_DEFAULT})
  --jobs J         mutants at a time, each in a copy of its own (default 1)
  --write          write docs/mutants.md; rows of mutants that were left out are kept
  --check          only: does every patch fit, is the page complete
  --named          only test files that a mutant names, and no simulator: a quick look while writing one
  --short          only the few that npm test runs`

/** Throws with a sentence where the flags make no sense. */
export function parseMutantArguments(argv: readonly string[]): MutantArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      layers: { type: 'string', default: layers.join(',') },
      only: { type: 'string', multiple: true, default: [] },
      jobs: { type: 'string', default: '1' },
      seeds: { type: 'string', default: SEEDS_DEFAULT },
      first: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      short: { type: 'boolean', default: false },
      named: { type: 'boolean', default: false },
    },
  })
  const { only, first, all, write, check, short, named } = values
  if (first && all) throw new Error('--first or --all')
  const names = values.layers.split(',')
  const unknown = names.filter((name) => !layers.some((layer) => layer === name))
  if (unknown.length > 0) throw new Error(`--layers ${unknown.join(',')}: there are ${layers.join(', ')}`)
  const jobs = Number(values.jobs)
  if (!Number.isSafeInteger(jobs) || jobs < 1) throw new Error(`--jobs ${values.jobs}: write 1 or more`)
  // The short version is about tests; the simulator has its own place in `npm test`.
  const chosen = layers.filter(
    (layer) => names.includes(layer) && !((short || named) && layer === 'simulator'),
  )
  return {
    layers: chosen,
    only,
    jobs,
    seeds: parseSeeds(values.seeds),
    first: !all,
    write,
    check,
    short,
    named,
  }
}
