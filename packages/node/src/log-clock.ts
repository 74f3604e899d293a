// The leader's reading of the log clock (L): a clock enters the log only if a majority agrees with it.
import { limits } from '@quorate/protocol'

/**
 * L = anchor + monotonic time since the term began; the anchor starts as the stamp of the last entry in the leader's
 * log. A majority's clock ahead of L pulls it up; L more than the tolerated skew ahead of it is held there.
 * Invariants: `read` never goes back in a term; `stamp` is never below the last stamp.
 */
export class LogClock {
  #anchor = 0
  #since = 0
  #lastStamp = 0
  #latest = 0

  /** A term begins with `lastStamp` as the stamp of the last entry in the log, applied or not. */
  begin(lastStamp: number, now: number): void {
    this.#anchor = lastStamp
    this.#since = now
    this.#lastStamp = lastStamp
    this.#latest = lastStamp
  }

  /** L at `now` (monotonic ms). `agreed` is the lower median of a majority's wall clocks, null without a majority. */
  read(now: number, agreed: number | null): number {
    let time = this.#anchor + (now - this.#since)
    if (agreed !== null) {
      if (agreed > time) this.#anchor += agreed - time
      else if (time > agreed + limits.clockSkewMs && this.#lastStamp <= agreed + limits.clockSkewMs)
        this.#anchor -= time - (agreed + limits.clockSkewMs)
      time = this.#anchor + (now - this.#since)
    }
    this.#latest = Math.max(this.#latest, Math.floor(time))
    return this.#latest
  }

  /** The stamp of an entry appended now. */
  stamp(now: number, agreed: number | null): number {
    this.#lastStamp = Math.max(this.#lastStamp, this.read(now, agreed))
    return this.#lastStamp
  }
}

/** A node's wall clock as last heard. */
export interface HeardClock {
  readonly wallMs: number
  /** Monotonic ms of this node when it was heard. */
  readonly heardAt: number
}

/**
 * The lower median of the wall clocks of a majority of `voters` nodes, each carried forward to `now`; null if fewer than
 * a majority were heard within the longest election timeout. The own clock is passed like the others.
 */
export function agreedWallMs(heard: readonly (HeardClock | null)[], now: number): number | null {
  const clocks: number[] = []
  for (const clock of heard)
    if (clock !== null && now - clock.heardAt <= limits.electionTimeoutMsMax)
      clocks.push(clock.wallMs + (now - clock.heardAt))
  if (clocks.length * 2 <= heard.length) return null
  const sorted = clocks.toSorted((left, right) => left - right)
  return sorted[(sorted.length - 1) >> 1] ?? null
}
