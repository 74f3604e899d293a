// What a user may say to `getOrSet`, and its checks.
import { QuorateError } from '@quorate/protocol'
import { FILL_LEASE_MS_MAX } from '../limits.ts'
import type { OperationOptions, TtlOption } from '../options.ts'
import { checkedTtl } from '../ttl.ts'

export interface GetOrSetOptions extends OperationOptions, TtlOption {
  /**
   * For so long after `ttl` the value is still served, while one client loads it anew in the background, ms. Default: not at all.
   * Such a load has no signal; its failure is an `error` event, and the value stays until its end.
   */
  readonly staleWhileRevalidate?: number | undefined
  /**
   * How long others leave the loading to the one who began it, ms: a whole number up to 60,000. Whoever takes longer loses to
   * who came next. Default: the timeout.
   */
  readonly lease?: number | undefined
}

export interface LoaderContext {
  /** Aborted when nobody waits for the value any more: the deadline passed, the caller's signal was aborted, the client was closed. */
  readonly signal: AbortSignal
}

/** Loads a value from where it comes from. Undefined: there is none, and nothing is kept. */
export type Loader<V> = (context: LoaderContext) => V | PromiseLike<V>

export interface FillTimes {
  readonly timeoutMs: number
  readonly leaseMs: number
  /** That entries are written with, the stale part included; undefined: none. */
  readonly ttl: number | undefined
  readonly staleMs: number
}

/** @throws QuorateError `ARGUMENT_INVALID`, `not-done`. */
export function fillTimes(options: GetOrSetOptions, timeoutMs: number): FillTimes {
  const { ttl, staleWhileRevalidate: stale, lease } = options
  if (ttl !== undefined) checkedTtl(ttl)
  if (lease !== undefined && !(Number.isSafeInteger(lease) && lease > 0 && lease <= FILL_LEASE_MS_MAX))
    throw invalid(
      `lease is a whole number of milliseconds from 1 to ${FILL_LEASE_MS_MAX}, not ${String(lease)}`,
    )
  const leaseMs = lease ?? Math.ceil(timeoutMs)
  if (stale === undefined || stale === 0) return { timeoutMs, leaseMs, ttl, staleMs: 0 }
  if (ttl === undefined) throw invalid('staleWhileRevalidate follows a ttl, and there is none')
  if (!Number.isSafeInteger(stale) || stale < 0)
    throw invalid(`staleWhileRevalidate is a whole number of milliseconds, not ${String(stale)}`)
  return { timeoutMs, leaseMs, ttl: checkedTtl(ttl + stale), staleMs: stale }
}

function invalid(message: string): QuorateError {
  return new QuorateError('ARGUMENT_INVALID', 'not-done', message)
}
