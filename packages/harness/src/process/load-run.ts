// Clients at work on a cluster of processes, and the judgement of what they saw.
import { checkCounters, totalCounters } from '../check/counters.ts'
import { checkPresence } from '../check/presence.ts'
import type { Violation } from '../check/violation.ts'
import { checkWitness } from '../check/witness.ts'
import {
  countErrors,
  countHistory,
  type HistoryCounts,
  type Operation,
  type Seen,
} from '../workload/history.ts'
import { keysOf, type WorkloadShape } from '../workload/plan.ts'
import { connectQuorate } from '../workload/quorate-client.ts'
import type { StallMeter } from './stall-meter.ts'
import { readAllKeys, runWorker, type WorkerClock, type WorkloadClient } from '../workload/worker.ts'

const FINAL_READ_ATTEMPTS = 4

export const realClock: WorkerClock = {
  nowMs: () => performance.now(),
  // A whole millisecond costs an event-loop timer; a load without pause needs none.
  sleep: (delayMs) =>
    new Promise((resolve) => {
      if (delayMs < 1) setImmediate(resolve)
      else setTimeout(resolve, delayMs)
    }),
}

export interface LoadOptions {
  readonly endpoints: readonly string[]
  readonly clients: number
  readonly shape: WorkloadShape
  /** Told of every operation on a key whose shard is known from an earlier answer. */
  readonly meter?: StallMeter
}

export interface LoadVerdict {
  readonly counts: HistoryCounts
  /** Failed and unknown operations by error code. */
  readonly errors: ReadonlyMap<string, number>
  readonly violations: readonly Violation[]
  readonly finalReads: ReadonlyMap<string, Seen>
}

export class LoadRun {
  readonly history: Operation[] = []
  readonly #options: LoadOptions
  readonly #workers: Promise<void>[] = []
  readonly #clients: WorkloadClient[] = []
  readonly #shards = new Map<string, number>()
  #stopped = false

  constructor(options: LoadOptions) {
    this.#options = options
  }

  get completed(): number {
    return this.history.length
  }

  async start(): Promise<void> {
    const { endpoints, clients, shape } = this.#options
    for (let number = 1; number <= clients; number++) {
      const client = await connectQuorate(endpoints)
      this.#clients.push(client)
      this.#workers.push(
        runWorker({
          process: `c${number}`,
          client,
          clock: realClock,
          chance: { next: () => Math.random() },
          shape,
          stopped: () => this.#stopped,
          record: (operation) => this.#record(operation),
          begin: (key) => this.#begin(key),
        }),
      )
    }
  }

  #record(operation: Operation): void {
    this.history.push(operation)
    if (operation.shard !== null) this.#shards.set(operation.key, operation.shard)
  }

  #begin(key: string): (succeeded: boolean) => void {
    const { meter } = this.#options
    const shard = this.#shards.get(key)
    if (meter === undefined || shard === undefined) return () => {}
    meter.begin(shard)
    return (succeeded) => meter.end(shard, succeeded)
  }

  /** Lets every operation under way end, and closes the clients. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#workers)
    await Promise.all(this.#clients.map((client) => client.close()))
  }

  /** Reads every key with a client of its own and judges the whole history. */
  async verify(): Promise<LoadVerdict> {
    const client = await connectQuorate(this.#options.endpoints)
    const finalReads = await readAllKeys(
      { process: 'c0', client, clock: realClock, record: (operation) => this.#record(operation) },
      keysOf(this.#options.shape),
      FINAL_READ_ATTEMPTS,
    )
    await client.close()
    const counters = new Map(
      [...finalReads].map(([key, { value }]) => [key, typeof value === 'number' ? value : 0]),
    )
    const violations = [
      ...checkPresence(this.history, finalReads),
      ...checkCounters(totalCounters(this.history, counters)),
      ...checkWitness(this.history),
    ]
    return { counts: countHistory(this.history), errors: countErrors(this.history), violations, finalReads }
  }
}
