// The workload's view of a Quorate client: one call becomes one outcome, with the position that the client's observer told.
import { type Cache, connect, type ConnectOptions, type OperationEvent } from '@quorate/client'
import { QuorateError } from '@quorate/protocol'
import type { Seen } from './history.ts'
import type { PlannedOperation } from './plan.ts'
import type { Outcome, WorkloadClient } from './worker.ts'

const nothing: Seen = { value: null, version: null }

/** Resolves when the cluster has answered once; rejects as `connect` does. */
export async function connectQuorate(
  endpoints: readonly string[],
  options: ConnectOptions = {},
): Promise<WorkloadClient> {
  const cache = await connect(endpoints, options)
  return { execute: (operation) => execute(cache, operation), close: () => cache.close() }
}

async function execute(cache: Cache, operation: PlannedOperation): Promise<Outcome> {
  const events: OperationEvent[] = []
  const observer = (event: OperationEvent): void => void events.push(event)
  try {
    const { seen, applied, expiresAt } = await call(cache, operation, observer)
    const [event] = events
    return {
      type: 'ok',
      applied,
      seen,
      position: event?.position ?? null,
      shard: event?.group ?? null,
      error: null,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(event?.age === undefined ? {} : { age: event.age }),
    }
  } catch (error) {
    // Anything else is a bug of the client, not an outcome: nobody may take it for "did not happen".
    if (!(error instanceof QuorateError)) throw error
    const type = error.outcome === 'not-done' ? 'fail' : 'info'
    return { type, applied: false, seen: null, position: null, shard: null, error: error.code }
  }
}

async function call(
  cache: Cache,
  { f, key, argument, expectedVersion, ttl, how, maxAge }: PlannedOperation,
  observer: (event: OperationEvent) => void,
): Promise<{
  readonly seen: Seen | null
  readonly applied: boolean
  readonly expiresAt?: number | undefined
}> {
  switch (f) {
    case 'get': {
      const entry = await cache.getEntry(key, { observer, consistency: how, maxAge })
      if (entry === undefined) return { seen: nothing, applied: false }
      return {
        seen: { value: plain(entry.value), version: entry.version },
        applied: false,
        expiresAt: entry.expiresAt,
      }
    }
    case 'set': {
      const { version } = await cache.set(key, argument, { observer, ttl })
      return { seen: { value: argument, version }, applied: true }
    }
    case 'cas': {
      const condition = expectedVersion === 0 ? { ifAbsent: true } : { ifVersion: expectedVersion ?? 0 }
      const result = await cache.set<string | number | null>(key, argument, { observer, ...condition })
      if (result.applied) return { seen: { value: argument, version: result.version }, applied: true }
      if (result.version === 0) return { seen: nothing, applied: false }
      // A repeated answer may come without the value: then only the version was seen, which proves less.
      if (result.valueOmitted === true) return { seen: null, applied: false }
      return { seen: { value: plain(result.value), version: result.version }, applied: false }
    }
    case 'del': {
      const existed = await cache.del(key, { observer })
      return { seen: nothing, applied: existed }
    }
    case 'touch':
    case 'persist': {
      let version = 0
      const options = {
        observer: (event: OperationEvent) => {
          observer(event)
          if (event.result?.type === 'touched') ({ version } = event.result)
        },
      }
      const found = f === 'touch' ? cache.touch(key, ttl ?? 0, options) : cache.persist(key, options)
      return (await found)
        ? { seen: { value: null, version }, applied: true }
        : { seen: nothing, applied: false }
    }
    case 'incr': {
      let version: number | null = null
      const sum = await cache.incr(key, Number(argument), {
        observer: (event) => {
          observer(event)
          if (event.result?.type === 'counted') version = event.result.version
        },
      })
      return { seen: { value: sum, version }, applied: true }
    }
  }
}

/** This workload writes strings and integers only. */
function plain(value: unknown): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value
  throw new Error(`a value that nobody wrote: ${JSON.stringify(value)}`)
}
