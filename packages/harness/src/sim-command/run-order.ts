// What is to be run: a seed, and what takes the place of what it draws.
import { parseSchedule } from '../schedule/schedule.ts'
import { runSeed, type RunOptions, type SeedResult } from '../simulation/run-seed.ts'

export interface SeedOrder {
  readonly seed: number
  readonly shards: number | undefined
  /** The text of exactly those faults that are injected; undefined: what the seed draws. */
  readonly schedule?: string | undefined
}

export type Watchers = Pick<RunOptions, 'sink' | 'message'>

/** Throws ScheduleError before anything runs. */
export function runOrder(
  { seed, shards, schedule }: SeedOrder,
  watchers: Watchers = {},
): Promise<SeedResult> {
  const faults = schedule === undefined ? undefined : parseSchedule(schedule)
  return runSeed(seed, { shards, schedule: faults, ...watchers })
}

/** The message of our own parent: checked for being one at all. */
export function asOrder(message: unknown): SeedOrder {
  if (typeof message !== 'object' || message === null || !('seed' in message))
    throw new Error('a parent sent something else than an order')
  const { seed, shards, schedule } = message as Partial<SeedOrder>
  return { seed: Number(seed), shards, schedule }
}
