// The flags of the simulator's command line.
import { parseArgs } from 'node:util'

export interface SimArguments {
  readonly seeds: readonly number[]
  /** Numbers of the faults of a single seed that are injected; undefined: all. */
  readonly only: readonly number[] | undefined
  /** One seed, shown event by event. */
  readonly readable: boolean
  readonly jobs: number
  readonly twice: boolean
  /** Shards of every run; undefined: each seed draws its own number. */
  readonly shards: number | undefined
  /** This process serves seeds to a parent. */
  readonly worker: boolean
}

export const usage = `usage: main-sim --seed N [--only F,G] | --seeds A..B [--shards S] [--jobs J] [--twice]
  --seed N      runs one seed and prints what happens, a column per node
  --seeds A..B  runs many and prints a summary
  --shards S    so many shards in every run (default: each seed draws 1 to 64)
  --only 3,7    of a single seed's faults only those with these numbers
  --jobs J      worker processes (default 1)
  --twice       each seed in two processes with other time zone, stack and heap: the traces must be equal`

/** Throws with a sentence where the flags make no sense. */
export function parseSimArguments(argv: readonly string[]): SimArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      shards: { type: 'string' },
      only: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      twice: { type: 'boolean', default: false },
      worker: { type: 'boolean', default: false },
    },
  })
  const { worker, twice } = values
  const jobs = positive('--jobs', values.jobs)
  const shards = values.shards === undefined ? undefined : positive('--shards', values.shards)
  const only = values.only?.split(',').map((text) => positive('--only', text))
  if (only !== undefined && values.seed === undefined) throw new Error('--only goes with --seed')
  if (worker) return { seeds: [], readable: false, jobs, twice, shards, only, worker }
  if ((values.seed === undefined) === (values.seeds === undefined)) throw new Error('give --seed or --seeds')
  const seeds = values.seed === undefined ? parseSeeds(values.seeds ?? '') : [positive('--seed', values.seed)]
  return { seeds, readable: values.seed !== undefined && !twice, jobs, twice, shards, only, worker }
}

/** `1..300`: both ends belong to it. */
export function parseSeeds(text: string): number[] {
  const match = /^(\d+)\.\.(\d+)$/.exec(text)
  const from = Number(match?.[1])
  const to = Number(match?.[2])
  if (match === null || to < from) throw new Error(`--seeds ${text}: write 1..300`)
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

function positive(flag: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${flag} ${text}: write a positive integer`)
  return value
}
