// One loader in the whole cluster: a lease at the key itself, whose version the loaded value has to find there (H9, H10).
import { type ErrorCode, QuorateError } from '@quorate/protocol'
import { FILL_PAUSE_MS_MAX, FILL_PAUSE_MS_MIN } from '../limits.ts'
import type { Seen, SeenKey } from '../seen.ts'
import type { Span } from '../span.ts'
import type { FillTimes, Loader } from './options.ts'
import { leaseUntilIn } from './placeholder.ts'

export interface Fill<V> {
  readonly access: SeenKey<V>
  readonly loader: Loader<V>
  readonly times: FillTimes
  /** Told of a value in its stale part: it may load anew, beside. */
  readonly stale: (seen: Seen<V>) => void
}

/**
 * Every look is a linearizable read of the caller's own, also of one who waits: nobody gets a value that was loaded before a
 * deletion that ended before the call. Whoever deletes or writes the key meanwhile takes the lease away with it, so that what
 * was loaded before is not kept after (the leases of Nishtala et al., Scaling Memcache at Facebook, NSDI 2013, 3.2.1).
 */
export async function getOrSet<V>(fill: Fill<V>, span: Span): Promise<V> {
  const { access, times } = fill
  for (;;) {
    const seen = await access.see(span.share())
    if (seen.value !== undefined) {
      if (isStale(seen, times)) fill.stale(seen)
      return seen.value
    }
    const leaseUntil = seen.stored === null ? null : leaseUntilIn(seen.stored)
    // By the log clock of both reads and no clock of a client.
    if (leaseUntil === null || leaseUntil <= seen.t) {
      const held = await access.hold(seen, times.leaseMs, span.share())
      if (held.applied) return load(fill, { ...seen, version: held.version }, span)
    }
    await span.pause(FILL_PAUSE_MS_MIN, FILL_PAUSE_MS_MAX)
  }
}

async function load<V>(fill: Fill<V>, lease: Seen<V>, span: Span): Promise<V> {
  const { access, times } = fill
  let loaded: V | undefined
  try {
    const value = await callLoader(fill.loader, span)
    if (value === undefined) {
      release(access, lease.version)
      return value
    }
    loaded = value
    const kept = await access.replace(lease, value, { ...span.share(), ttl: times.ttl })
    // Lost: what another one put there is newer; what is being loaded again, or was deleted, is not waited for.
    return kept.applied || kept.value === undefined ? value : (kept.value as V)
  } catch (error) {
    release(access, lease.version)
    // There is a value, and nothing wrong with it but that it could not be kept.
    if (loaded !== undefined && error instanceof QuorateError && !telling.has(error.code)) return loaded
    throw error
  }
}

/** What the caller did: it has to hear of that. */
const telling: ReadonlySet<ErrorCode> = new Set(['VALUE_INVALID', 'VALUE_TOO_LARGE', 'ABORTED'])

/** Ends by the span, whatever the loader does; then the loader's signal is aborted. */
export async function callLoader<V>(loader: Loader<V>, span: Span): Promise<V> {
  const controller = new AbortController()
  try {
    return await span.race(called(loader, controller.signal))
  } catch (error) {
    controller.abort(error)
    throw error
  }
}

async function called<V>(loader: Loader<V>, signal: AbortSignal): Promise<V> {
  return loader({ signal })
}

/** Nobody waits for it: a lease that could not be released ends by itself, and one that was lost is not there any more. */
export function release(access: SeenKey, version: number): void {
  access.remove(version).catch(() => undefined)
}

function isStale({ expiresAt, t }: Seen, { staleMs }: FillTimes): boolean {
  return staleMs > 0 && expiresAt > 0 && t >= expiresAt - staleMs
}
