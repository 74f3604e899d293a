// Whether the monotonic clock can be trusted to say how long ago a heartbeat left (time.md, leases; D6).
import { limits } from '@quorate/protocol'
import { fixed } from './settings.ts'

export interface ClockWatchParts {
  /** Monotonic ms. */
  readonly now: () => number
  readonly wallMs: () => number
}

/**
 * One per node. Two things end all leases, until a heartbeat that left later is confirmed: a stall of this process, and a
 * disagreement of its two clocks (a machine that was suspended, a clock that was set). Both are looked for at the read
 * itself, as no timer runs between a stall and what comes right behind it.
 */
export class ClockWatch {
  readonly #parts: ClockWatchParts
  #tickedAt = -Infinity
  #stalledAt = -Infinity
  #disagreedAt = -Infinity
  /** Wall less monotonic time: the extremes since the clocks last disagreed. */
  #offsetMin = Infinity
  #offsetMax = -Infinity

  constructor(parts: ClockWatchParts) {
    this.#parts = parts
  }

  /** The node's timer ran. */
  ticked(): void {
    this.look()
    this.#tickedAt = this.#parts.now()
  }

  /** Confirmations of heartbeats that left up to this moment, in monotonic ms, are the ground of no lease. */
  leaseVoidedAt(): number {
    this.look()
    return Math.max(this.#stalledAt, this.#disagreedAt)
  }

  /** The age, in ms; null where the clock that measured it may have stood still meanwhile. */
  trustedAge(age: number): number | null {
    this.look()
    return this.#parts.now() - age > this.#disagreedAt ? age : null
  }

  /** Before each beat, too: what its confirmation is worth depends on the clocks since it left. */
  look(): void {
    const now = this.#parts.now()
    const offset = this.#parts.wallMs() - now
    this.#offsetMin = Math.min(this.#offsetMin, offset)
    this.#offsetMax = Math.max(this.#offsetMax, offset)
    // A tick is due every heartbeat; it may be late by another one.
    if (now - this.#tickedAt > 2 * limits.heartbeatMs) this.#stalledAt = now
    if (this.#offsetMax - this.#offsetMin <= fixed.clocksDisagreeMs) return
    this.#disagreedAt = now
    this.#offsetMin = offset
    this.#offsetMax = offset
  }
}
