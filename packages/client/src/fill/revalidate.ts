// Loads a value anew while the old one is still served: a lease beside the key, so that readers see nothing of it.
import { limits } from '@quorate/protocol'
import type { Events } from '../events.ts'
import { REVALIDATE_PAUSE_MS } from '../limits.ts'
import type { Seen, SeenKey } from '../seen.ts'
import type { Span, Spans } from '../span.ts'
import { callLoader, release } from './get-or-set.ts'
import type { FillTimes, Loader } from './options.ts'

const PREFIX = new TextEncoder().encode('\0fill:')

/** Where the lease lies; null for a key that is too long to have one, whose value is not loaded before its end. */
export function leaseKeyOf(key: Uint8Array): Uint8Array | null {
  if (PREFIX.byteLength + key.byteLength > limits.keyBytes) return null
  const leaseKey = new Uint8Array(PREFIX.byteLength + key.byteLength)
  leaseKey.set(PREFIX)
  leaseKey.set(key, PREFIX.byteLength)
  return leaseKey
}

export interface Revalidation<V> {
  readonly key: Uint8Array
  readonly access: SeenKey<V>
  /** To the key of the lease. */
  readonly lease: SeenKey
  readonly loader: Loader<V>
  readonly times: FillTimes
}

/** Of one client: at most one for each key, however many reads find it stale. */
export class Revalidations {
  readonly #spans: Spans
  readonly #events: Events
  readonly #keys = new Set<string>()

  constructor(spans: Spans, events: Events) {
    this.#spans = spans
    this.#events = events
  }

  start<V>(seen: Seen<V>, revalidation: Revalidation<V>): void {
    const name = Buffer.from(revalidation.key).toString('latin1')
    if (this.#keys.has(name)) return
    this.#keys.add(name)
    const { timeoutMs } = revalidation.times
    void this.#spans
      .run({ timeoutMs, signal: undefined }, async (span) => {
        const isDone = await this.#attempt(seen, revalidation, span)
        // Somebody else is at it, or it failed: not with every read again at once.
        if (!isDone) await span.pause(REVALIDATE_PAUSE_MS, REVALIDATE_PAUSE_MS)
      })
      .catch(() => undefined)
      .finally(() => this.#keys.delete(name))
  }

  async #attempt<V>(seen: Seen<V>, revalidation: Revalidation<V>, span: Span): Promise<boolean> {
    const { access, lease, loader, times } = revalidation
    let held = 0
    try {
      const taken = await lease.hold({ version: 0, t: seen.t }, times.leaseMs, span.share())
      if (!taken.applied) return false
      held = taken.version
      // Between the read that found it stale and the lease another one may have ended its work.
      const now = await access.see(span.share())
      if (now.version !== seen.version) return true
      const value = await callLoader(loader, span)
      // The version that was read is the fence: a deletion or another write since then wins.
      if (value !== undefined) await access.replace(seen, value, { ...span.share(), ttl: times.ttl })
      return true
    } catch (error) {
      this.#events.emit('error', { error })
      return false
    } finally {
      if (held > 0) release(lease, held)
    }
  }
}
