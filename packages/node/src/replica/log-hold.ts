// How long a leader keeps the log behind a snapshot: also while its receiver catches up with what was written meanwhile.
import { fixed } from '../settings.ts'

export interface LogHoldParts {
  /** Monotonic ms. */
  readonly now: () => number
  /** Bytes written to the log in this boot. */
  readonly logBytes: () => number
  /** What the peer has acknowledged; null where it is no peer of this leader. */
  readonly matchIndexOf: (peer: number) => number | null
}

/** When a snapshot began, and how much had been written to the log by then. */
export interface HoldStart {
  readonly at: number
  readonly logBytes: number
}

interface Follower {
  readonly began: HoldStart
  matchIndex: number
  advancedAt: number
}

/**
 * A snapshot that is installed is as old as its beginning. Let the log go at its end, and the receiver needs another one
 * before it can acknowledge anything; where that takes as long, it is the same again, for ever (snapshot loop).
 */
export class LogHold {
  readonly #parts: LogHoldParts
  readonly #followers = new Map<number, Follower>()

  constructor(parts: LogHoldParts) {
    this.#parts = parts
  }

  begin(): HoldStart {
    return { at: this.#parts.now(), logBytes: this.#parts.logBytes() }
  }

  /** The log that has grown since then is kept no longer, for nobody: a new snapshot begins further on. */
  isTooLong(began: HoldStart): boolean {
    const { now, logBytes } = this.#parts
    return now() - began.at >= fixed.snapshotHoldMs || logBytes() - began.logBytes >= fixed.snapshotHoldBytes
  }

  /** The peer has installed a snapshot up to `index` and needs what follows. */
  installed(peer: number, began: HoldStart, index: number): void {
    this.#followers.set(peer, { began, matchIndex: index, advancedAt: this.#parts.now() })
  }

  forget(peer: number): void {
    this.#followers.delete(peer)
  }

  clear(): void {
    this.#followers.clear()
  }

  /** What all those have who are still getting there; Infinity where there is none. */
  get matchIndexMin(): number {
    let least = Infinity
    for (const [peer, follower] of this.#followers)
      if (this.#isOver(peer, follower)) this.#followers.delete(peer)
      else least = Math.min(least, follower.matchIndex)
    return least
  }

  #isOver(peer: number, follower: Follower): boolean {
    const { now, matchIndexOf } = this.#parts
    const matchIndex = matchIndexOf(peer)
    if (matchIndex === null || this.isTooLong(follower.began)) return true
    if (matchIndex > follower.matchIndex) {
      follower.matchIndex = matchIndex
      follower.advancedAt = now()
    }
    return now() - follower.advancedAt > fixed.snapshotSilentMs
  }
}
