// The flags of the simulator's command line.
import { parseArgs } from 'node:util'

export interface SimArguments {
  readonly seeds: readonly number[]
  /** What to do with a single seed: tell it event by event, print its faults, or make it short. */
  readonly single: 'tell' | 'print-schedule' | 'shrink' | null
  /** A file with the faults of a single seed; undefined: what the seed draws. */
  readonly scheduleFile: string | undefined
  /** Directory for what shrinking writes. */
  readonly out: string
  readonly jobs: number
  readonly twice: boolean
  /** Shards of every run; undefined: each seed draws its own number. */
  readonly shards: number | undefined
  /** This process serves seeds to a parent. */
  readonly worker: boolean
}

export const usage = `usage: main-sim --seed N [--schedule FILE] [--print-schedule] | --shrink N | --seeds A..B
                [--shards S] [--jobs J] [--twice] [--out DIR]
  --seed N          runs one seed and prints what happens, a column per node
  --schedule FILE   with exactly these faults, in place of those that the seed draws (docs/testing.md has the language)
  --print-schedule  prints the faults of the run, and nothing else
  --shrink N        leaves out faults as long as the seed still fails; writes schedule and sequence diagram to DIR (default .)
  --seeds A..B      runs many and prints a summary
  --shards S        so many shards in every run (default: each seed draws 1 to 64)
  --jobs J          worker processes (default 1)
  --twice           each seed in two processes with other time zone, stack and heap: the traces must be equal`

/** Throws with a sentence where the flags make no sense. */
export function parseSimArguments(argv: readonly string[]): SimArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      shrink: { type: 'string' },
      schedule: { type: 'string' },
      'print-schedule': { type: 'boolean', default: false },
      out: { type: 'string', default: '.' },
      shards: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      twice: { type: 'boolean', default: false },
      worker: { type: 'boolean', default: false },
    },
  })
  const { worker, twice, seed, seeds, shrink, out, schedule: scheduleFile } = values
  const jobs = positive('--jobs', values.jobs)
  const shards = values.shards === undefined ? undefined : positive('--shards', values.shards)
  const common = { scheduleFile, out, jobs, twice, shards, worker }
  if (worker) return { ...common, seeds: [], single: null }
  if ([seed, seeds, shrink].filter((one) => one !== undefined).length !== 1)
    throw new Error('give one of --seed, --seeds and --shrink')
  const print = values['print-schedule']
  if (scheduleFile !== undefined && seeds !== undefined)
    throw new Error('--schedule goes with --seed or --shrink')
  if (print && (seed === undefined || twice)) throw new Error('--print-schedule goes with --seed alone')
  if (shrink !== undefined) return { ...common, seeds: [positive('--shrink', shrink)], single: 'shrink' }
  if (seed === undefined) return { ...common, seeds: parseSeeds(seeds ?? ''), single: null }
  const single = twice ? null : print ? 'print-schedule' : 'tell'
  return { ...common, seeds: [positive('--seed', seed)], single }
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
