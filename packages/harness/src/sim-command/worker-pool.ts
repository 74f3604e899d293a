// Worker processes that run seeds: simulations never share a process with a test runner or with each other's time zone.
import { type ChildProcess, fork } from 'node:child_process'
import type { SeedResult } from '../simulation/run-seed.ts'
import type { SeedOrder } from './run-order.ts'

/** A run takes a few seconds, on a busy machine a minute; one that takes this long computes for ever. */
const SEED_TIMEOUT_MS = 300_000

/** Surroundings that must not change a run. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string>>
  readonly nodeFlags: readonly string[]
}

export const plainSurroundings: Surroundings = {
  environment: { TZ: 'UTC' },
  // A run makes short-lived objects and frames: in so much room most of them die before they are copied.
  nodeFlags: ['--max-semi-space-size=32'],
}
export const otherSurroundings: Surroundings = {
  environment: { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8' },
  nodeFlags: ['--stack-size=1500', '--max-semi-space-size=1'],
}

/** What came of a seed: its result, or why its process gave none. */
export type SeedReport =
  | { readonly seed: number; readonly result: SeedResult }
  | { readonly seed: number; readonly error: string }

/** Runs every seed once, `jobs` at a time; reports come in the order in which they end. */
export async function runSeeds(
  program: string,
  orders: readonly SeedOrder[],
  jobs: number,
  surroundings: Surroundings,
  report: (report: SeedReport) => void,
): Promise<void> {
  const waiting = [...orders]
  const lane = async (): Promise<void> => {
    let worker: ChildProcess | null = null
    for (let order = waiting.shift(); order !== undefined; order = waiting.shift()) {
      worker ??= startWorker(program, surroundings)
      const outcome = await runOne(worker, order)
      if ('error' in outcome) {
        worker.kill('SIGKILL')
        worker = null
      }
      report(outcome)
    }
    worker?.kill()
  }
  await Promise.all(Array.from({ length: Math.min(jobs, orders.length) }, lane))
}

function startWorker(program: string, { environment, nodeFlags }: Surroundings): ChildProcess {
  return fork(program, ['--worker'], {
    execArgv: [...nodeFlags],
    env: { ...process.env, ...environment },
    serialization: 'json',
  })
}

function runOne(worker: ChildProcess, order: SeedOrder): Promise<SeedReport> {
  const { seed } = order
  return new Promise((resolve) => {
    const finish = (report: SeedReport): void => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      worker.off('exit', onExit)
      resolve(report)
    }
    const onMessage = (result: unknown): void => finish({ seed, result: asResult(result) })
    const onExit = (code: number | null, signal: string | null): void =>
      finish({ seed, error: `its process ended: ${signal ?? `exit code ${code}`}` })
    const timer = setTimeout(
      () => finish({ seed, error: `no end after ${SEED_TIMEOUT_MS} ms` }),
      SEED_TIMEOUT_MS,
    )
    worker.on('message', onMessage)
    worker.on('exit', onExit)
    worker.send(order)
  })
}

/** The message of our own worker: checked for being one at all. */
function asResult(message: unknown): SeedResult {
  if (typeof message !== 'object' || message === null || !('traceHash' in message))
    throw new Error('a worker sent something else than a result')
  return message as SeedResult
}
