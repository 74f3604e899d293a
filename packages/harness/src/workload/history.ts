// What the clients did: one record per completed operation, in Jepsen's words (ok, fail, info).

/** `evict` is the system's own (check/evictions.ts): no client plans it. */
export type OperationKind = ClientOperationKind | 'evict'

export type ClientOperationKind = 'get' | 'set' | 'cas' | 'incr' | 'del' | 'touch' | 'persist'

/** What an answer showed of a key. `version` is null where there was no entry. */
export interface Seen {
  readonly value: string | number | null
  readonly version: number | null
}

/** `(slot epoch, version, t)`: an applied write has its own version, everything else the counter it was evaluated at. */
export interface OperationPosition {
  readonly epoch: number
  readonly version: number
  readonly t: number
}

/**
 * `ok` happened between call and return. `fail` certainly did not and never will. `info` may have happened at any time
 * after its call, or will.
 */
export interface Operation {
  readonly process: string
  readonly type: 'ok' | 'fail' | 'info'
  readonly f: OperationKind
  readonly key: string
  /** Argument: the value of set and cas, the step of incr. */
  readonly argument: string | number | null
  /** set, touch: the time to live, ms; missing = none. */
  readonly ttl?: number
  /** get of an entry: its deadline in ms of the log clock; missing = none. */
  readonly expiresAt?: number
  /** get: missing = linearizable. One by lease is linearizable, too. */
  readonly how?: 'lease' | 'stale'
  /** Stale get: what was allowed, and what the answer came with, ms; null = it could not tell. */
  readonly maxAge?: number
  readonly age?: number | null
  /** cas: the version that the key must have; 0 = must be absent. evict: the version that it removed. */
  readonly expectedVersion: number | null
  /** Whether a set, cas, incr or del changed the key; false also for a cas that lost and a del of nothing. */
  readonly applied: boolean
  /** touch, persist: the entry's version, whose value is not shown. get: what was there. set, incr, applied cas: what is there now. Lost cas: what it saw. Null where nothing is known. */
  readonly seen: Seen | null
  /** Milliseconds of one monotonic clock. */
  readonly callMs: number
  /** Null for `info`. */
  readonly returnMs: number | null
  readonly position: OperationPosition | null
  /** The shard that answered; null where none did. */
  readonly shard: number | null
  /** Error code of `fail` and `info`. */
  readonly error: string | null
}

export interface HistoryCounts {
  readonly ok: number
  readonly fail: number
  readonly info: number
}

export function countHistory(history: readonly Operation[]): HistoryCounts {
  const counts = { ok: 0, fail: 0, info: 0 }
  for (const operation of history) counts[operation.type] += 1
  return counts
}

/** Reads that were answered and were not plain ones. */
export interface RelaxedCounts {
  readonly lease: number
  readonly stale: number
  /** Of the stale ones those with an age. */
  readonly dated: number
}

export function countRelaxed(history: readonly Operation[]): RelaxedCounts {
  const counts = { lease: 0, stale: 0, dated: 0 }
  for (const { type, how, age } of history) {
    if (type !== 'ok' || how === undefined) continue
    counts[how] += 1
    if (typeof age === 'number') counts.dated += 1
  }
  return counts
}

/** How often each error code ended an operation, with its outcome. */
export function countErrors(history: readonly Operation[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { type, error } of history) {
    if (error === null) continue
    const name = `${type} ${error}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

export function isWrite(operation: Operation): boolean {
  return operation.f !== 'get' && operation.applied
}
