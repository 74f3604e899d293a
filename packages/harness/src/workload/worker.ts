// One client process of a workload: plans, tries, records, thinks, until it is told to stop.
import type { Operation, OperationPosition, Seen } from './history.ts'
import { type Chance, type PlannedOperation, Planner, type WorkloadShape } from './plan.ts'

/** How an operation ended, as the client reported it. */
export interface Outcome {
  readonly type: 'ok' | 'fail' | 'info'
  readonly applied: boolean
  readonly seen: Seen | null
  readonly position: OperationPosition | null
  /** get: the entry's deadline; missing = none. */
  readonly expiresAt?: number
  /** Stale get: the age that it came with. */
  readonly age?: number | null
  /** The shard that answered. */
  readonly shard: number | null
  readonly error: string | null
}

/** The system under test as the workload sees it. Never rejects: a failure is an outcome. */
export interface WorkloadClient {
  execute(operation: PlannedOperation): Promise<Outcome>
  close(): Promise<void>
}

/** Time and waiting, virtual or real. */
export interface WorkerClock {
  nowMs(): number
  sleep(delayMs: number): Promise<void>
}

export interface WorkerOptions {
  readonly process: string
  readonly client: WorkloadClient
  readonly clock: WorkerClock
  readonly chance: Chance
  readonly shape: WorkloadShape
  readonly stopped: () => boolean
  readonly record: (operation: Operation) => void
  /** Called when an operation begins; what it returns when that ends. For whoever measures stalls. */
  readonly begin?: (key: string) => (succeeded: boolean) => void
}

/** Runs until `stopped`; resolves when its last operation has ended. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const planner = new Planner(options.process, options.shape, options.chance)
  while (!options.stopped()) {
    const operation = await runOperation(options, planner.next())
    if (operation.seen !== null) planner.saw(operation.key, operation.seen)
    await options.clock.sleep(-Math.log(1 - options.chance.next()) * options.shape.thinkMsMean)
  }
}

/** One operation, recorded. */
export async function runOperation(
  options: Omit<WorkerOptions, 'shape' | 'chance' | 'stopped'>,
  planned: PlannedOperation,
): Promise<Operation> {
  const { process, client, clock, record, begin } = options
  const callMs = clock.nowMs()
  const end = begin?.(planned.key)
  const outcome = await client.execute(planned)
  end?.(outcome.type === 'ok')
  const returnMs = outcome.type === 'info' ? null : clock.nowMs()
  const operation = { process, ...planned, ...outcome, callMs, returnMs }
  record(operation)
  return operation
}

/** Linearizable reads of every key behind everything else, as operations of the history. Tries each key until it answers. */
export async function readAllKeys(
  options: Omit<WorkerOptions, 'shape' | 'chance' | 'stopped'>,
  keys: readonly string[],
  attempts: number,
): Promise<Map<string, Seen>> {
  const seen = new Map<string, Seen>()
  for (const key of keys)
    for (let attempt = 0; attempt < attempts && !seen.has(key); attempt++) {
      const read = await runOperation(options, { f: 'get', key, argument: null, expectedVersion: null })
      if (read.type === 'ok' && read.seen !== null) seen.set(key, read.seen)
    }
  return seen
}
