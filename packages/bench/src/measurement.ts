// What one measurement says; one line of JSON each in the file of `--json`.

export type SystemName = 'quorate' | 'ceiling' | 'etcd'

/** `read` is linearizable, except at the ceiling, which confirms nothing. */
export type LoadKind = 'write' | 'read'

/** What is asked of a system: so many operations in flight at all times, each followed by the next at once. */
export interface Work {
  readonly kind: LoadKind
  readonly outstanding: number
}

export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly failed: number
}

/** From inside Quorate's servers, over the measured time. Lists have one number per server. */
export interface ServerFigures {
  /** Operations of the whole cluster per sync of one node (mean of the nodes); null for reads. */
  readonly operationsPerSync: number | null
  readonly operationsPerEntry: number | null
  /** Entries of all groups, led or followed, per batch appended to a node's log. */
  readonly entriesPerAppend: number | null
  /** Bytes of one node's log per byte of keys and values. */
  readonly logBytesPerUserByte: number | null
  /** All that one node gave to the disk, checkpoints and zeros written beforehand included; null where there is no /proc. */
  readonly diskBytesPerUserByte: number | null
  readonly eventLoopUtilization: readonly number[]
  /** Of one core. */
  readonly cpu: readonly number[]
  /** Of the client's process per operation, microseconds. */
  readonly clientCpuUs: number
  readonly clientLoopUtilization: number
  readonly gcShare: readonly number[]
  readonly gcMaxMs: number
  readonly residentMiB: readonly number[]
}

/** What a system says of one run. */
export interface SystemRun extends LoadResult {
  readonly system: SystemName
  readonly kind: LoadKind
  readonly outstanding: number
  /** From 1. */
  readonly run: number
  /** How many shards each server leads; for etcd and the ceiling the one group they have. */
  readonly leaders: readonly number[]
  readonly shards: number
  readonly keys: number
  readonly servers: ServerFigures | null
}

export interface Measurement extends SystemRun {
  /** Share of all CPUs in use just before, while every system was idle; null where there is no /proc. */
  readonly foreignCpu: number | null
  /** CPU time of all three servers per operation, microseconds: holds on a busy machine too. Null where there is no /proc. */
  readonly serverCpuUs: number | null
}

/** A single number: the gap after a kill, the idle CPU, a restart. */
export interface ScalarMeasurement {
  readonly system: SystemName
  readonly kind: 'gap' | 'idle' | 'restart'
  readonly run: number
  readonly shards: number
  readonly keys: number
  readonly [figure: string]: number | string | readonly number[]
}

export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** The nearest rank; NaN of nothing. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((left, right) => left - right)
  if (share === 0.5 && sorted.length > 0 && sorted.length % 2 === 0) {
    const half = sorted.length / 2
    return ((sorted[half - 1] ?? Number.NaN) + (sorted[half] ?? Number.NaN)) / 2
  }
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
