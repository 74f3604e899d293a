// Puts load on a running cluster for a bounded time and number of operations, and says how it went.
import { setTimeout as sleep } from 'node:timers/promises'
import { QuorateError } from '@quorate/protocol'
import type { Cache, CallOptions } from '../context.ts'
import { Latencies, type Percentiles } from './latencies.ts'

export interface LoadOptions {
  readonly seconds: number
  /** At most so many. */
  readonly operations: number
  /** Operations under way at once, on each connection. */
  readonly concurrency: number
  /** From 0 to 1. */
  readonly readShare: number
  readonly valueBytes: number
  readonly keys: number
  readonly prefix: string
}

export interface LoadResult {
  readonly seconds: number
  readonly operations: number
  readonly operationsPerSecond: number
  readonly reads: Percentiles
  readonly writes: Percentiles
  /** How many operations failed, by code. */
  readonly failures: Readonly<Record<string, number>>
}

/** What was written goes by itself. */
const ttlMs = 600_000
/** After a failure, so that a cluster that is down is not asked in a tight loop. */
const pauseMs = 50
const fillConcurrency = 64

export class Load {
  readonly #options: LoadOptions
  readonly #value: string
  readonly #reads = new Latencies()
  readonly #writes = new Latencies()
  readonly #failures = new Map<string, number>()
  #begun = 0
  #done = 0

  constructor(options: LoadOptions) {
    this.#options = options
    this.#value = 'x'.repeat(options.valueBytes)
  }

  get done(): number {
    return this.#done
  }

  /** Writes every key once, so that reads find something. Rejects with the first failure. */
  async fill(cache: Cache, call: CallOptions): Promise<void> {
    let next = 0
    const work = async (): Promise<void> => {
      while (next < this.#options.keys && !call.signal.aborted) {
        const key = this.#key(next)
        next += 1
        // oxlint-disable-next-line no-await-in-loop -- a worker does one after the other
        await cache.set(key, this.#value, { ...call, ttl: ttlMs })
      }
    }
    await Promise.all(Array.from({ length: fillConcurrency }, work))
  }

  /** Resolves after the time, after the operations, or when `call.signal` is aborted; what is under way is waited for. */
  async run(caches: readonly Cache[], call: CallOptions): Promise<LoadResult> {
    const start = performance.now()
    const end = start + this.#options.seconds * 1000
    const workers = caches.flatMap((cache) =>
      Array.from({ length: this.#options.concurrency }, () => this.#work(cache, call, end)),
    )
    await Promise.all(workers)
    const seconds = (performance.now() - start) / 1000
    return {
      seconds,
      operations: this.#done,
      operationsPerSecond: seconds === 0 ? 0 : this.#done / seconds,
      reads: this.#reads.read(),
      writes: this.#writes.read(),
      failures: Object.fromEntries(this.#failures),
    }
  }

  async #work(cache: Cache, call: CallOptions, end: number): Promise<void> {
    while (this.#begun < this.#options.operations && !call.signal.aborted) {
      const start = performance.now()
      if (start >= end) return
      this.#begun += 1
      // oxlint-disable-next-line no-await-in-loop -- a worker does one after the other
      const failed = await this.#operate(cache, call, start)
      // oxlint-disable-next-line no-await-in-loop -- a worker does one after the other
      if (failed) await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => undefined)
    }
  }

  async #operate(cache: Cache, call: CallOptions, start: number): Promise<boolean> {
    const key = this.#key(Math.floor(Math.random() * this.#options.keys))
    const reads = Math.random() < this.#options.readShare
    try {
      if (reads) await cache.getEntry(key, call)
      else await cache.set(key, this.#value, { ...call, ttl: ttlMs })
    } catch (error) {
      // What was under way when the end was asked for has not failed by itself.
      if (call.signal.aborted) return true
      const code = error instanceof QuorateError ? error.code : 'FAILED'
      this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1)
      return true
    }
    ;(reads ? this.#reads : this.#writes).add(performance.now() - start)
    this.#done += 1
    return false
  }

  #key(index: number): string {
    return `${this.#options.prefix}${index}`
  }
}
