// What a benchmark and its load process tell each other.
import type { LoadKind, LoadResult } from '../measurement.ts'

export interface LoadTask {
  readonly kind: LoadKind
  readonly outstanding: number
  readonly keys: number
  readonly valueBytes: number
  /** Before what counts, ms. */
  readonly warmMs: number
  readonly measuredMs: number
  readonly seed: number
  /** A file for a CPU profile of the load process; null for none. */
  readonly profile: string | null
}

export type LoadOrder =
  /** Writes every key once. */
  | { readonly type: 'fill'; readonly keys: number; readonly valueBytes: number }
  | { readonly type: 'load'; readonly task: LoadTask }
  /** The measured time begins now; sent after `warm`. */
  | { readonly type: 'begin' }
  | { readonly type: 'close' }

export type LoadReport =
  | { readonly type: 'ready' }
  | { readonly type: 'filled' }
  | { readonly type: 'warm' }
  | { readonly type: 'measured'; readonly result: LoadResult; readonly client: ClientFigures }
  /** Nothing is in flight any more; how many succeeded, before and after the measured time as well. */
  | { readonly type: 'drained'; readonly succeeded: number }
  | { readonly type: 'failed'; readonly message: string }

export interface ClientFigures {
  /** Of one core. */
  readonly cpu: number
  readonly eventLoopUtilization: number
}
