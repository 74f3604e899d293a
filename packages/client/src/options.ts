// What a user may say, and its checks.
import {
  type Position,
  type Result,
  type ErrorCode,
  type GroupId,
  type Outcome,
  QuorateError,
  limits,
} from '@quorate/protocol'
import type { ClientRuntime } from './runtime.ts'
import type { Codec } from './values/codec.ts'
import type { CodecName } from './values/value.ts'

/** Text (1 byte to 1 KiB in UTF-8) or bytes. */
export type Key = string | Uint8Array

export interface ConnectOptions {
  /** Default: this machine's clock and event loop, over WebSocket. */
  readonly runtime?: ClientRuntime
  /** One deadline for all attempts of an operation, and for connecting, ms. Default 5,000; at most 60,000. */
  readonly timeout?: number
  /** How values become bytes. Default `msgpack`. Safe integers travel as integers whatever it is. */
  readonly codec?: CodecName | Codec
  /** Hears of every operation's end, before its promise is settled. It must not throw. */
  readonly observer?: (event: OperationEvent) => void
}

export interface OperationOptions {
  /** One deadline for all attempts, ms. Default: that of the client. */
  readonly timeout?: number
  /** Aborted before anything left: `ABORTED`, `not-done`; afterwards the outcome says what is known. */
  readonly signal?: AbortSignal
  /** Hears of this operation's end (of each key's, in a batch), before its promise is settled. It must not throw. */
  readonly observer?: (event: OperationEvent) => void
}

export interface ReadOptions extends OperationOptions {
  /**
   * `linearizable` (default): the read sees every write acknowledged before it. `lease`: so too, and where the leader holds
   * a lease it asks no other node first; that rests on clocks whose rates differ by less than a factor of four. `stale`:
   * any replica answers from what it has; what it shows was current at some moment, and may be older than what this client
   * has written or read.
   */
  readonly consistency?: 'linearizable' | 'lease' | 'stale' | undefined
  /**
   * Of stale reads: how old the answer may be, ms from 0: `TOO_OLD` if nobody can prove that. Default: however old. The
   * leader answers what is too strict for the others as a linearizable read.
   */
  readonly maxAge?: number | undefined
}

/** One operation that ended, with its place in the key's history (sessions.md, Version). */
export interface OperationEvent {
  readonly op: 'get' | 'set' | 'del' | 'incr' | 'touch' | 'persist'
  readonly key: Uint8Array
  readonly outcome: 'ok' | Outcome
  /** null if ok. */
  readonly code: ErrorCode | null
  /** null unless ok. */
  readonly group: GroupId | null
  readonly position: Position | null
  readonly result: Result | null
  /** Attempts that left this process. */
  readonly attempts: number
  /** Of stale reads that are ok: what was seen was current at most so many ms before the call; null where that cannot be told. */
  readonly age?: number | null
}

export interface TtlOption {
  /**
   * The entry is gone this long after it was written, ms: a whole number from 1 to ten years, counted by the shard's log
   * clock. Default: it stays, also where the key had a deadline before.
   */
  readonly ttl?: number | undefined
}

export interface EvictOption {
  /**
   * `false`: the entry is never evicted, until a `set` without it or a `del`; for locks and counters. A cluster with a limit
   * takes so much of it as a tenth of that limit, then `OVERLOADED`. Default `true`.
   */
  readonly evict?: boolean | undefined
}

export interface SetManyOptions extends OperationOptions, TtlOption, EvictOption {}

export interface UpdateOptions extends OperationOptions, TtlOption {
  /** How often it tries while others come first: 1 to 1,000, default 16. */
  readonly attempts?: number | undefined
}

/** At most one condition. */
export interface SetOptions extends OperationOptions, TtlOption, EvictOption {
  /** Only if the entry has this version. */
  readonly ifVersion?: number | undefined
  /** Only if there is no entry. */
  readonly ifAbsent?: boolean | undefined
  /** Only if there is an entry. */
  readonly ifPresent?: boolean | undefined
}

/** Whatever the entry is. */
export interface UnconditionalOptions extends OperationOptions {
  readonly ifVersion?: undefined
  readonly ifAbsent?: false | undefined
  readonly ifPresent?: false | undefined
}

export interface UnconditionalSetOptions extends UnconditionalOptions, TtlOption, EvictOption {}

/** Of `del`, `touch` and `persist`. */
export interface DelOptions extends OperationOptions {
  /** Only if the entry has this version. */
  readonly ifVersion?: number | undefined
}

/** @throws QuorateError `ARGUMENT_INVALID`, `not-done`. */
export function checkedTimeout(timeout: number | undefined, otherwise: number): number {
  if (timeout === undefined) return otherwise
  if (typeof timeout === 'number' && timeout > 0 && timeout <= limits.operationTimeoutMsMax) return timeout
  throw new QuorateError(
    'ARGUMENT_INVALID',
    'not-done',
    `timeout is more than 0 and at most ${limits.operationTimeoutMsMax} ms, not ${String(timeout)}`,
  )
}
