// Rule 9: when a learner holds enough of the log to be promoted (dissertation 4.2.1, catching up in rounds).
import { limits } from '@quorate/protocol'

/** A round that ends within this leaves so little behind that a promoted learner would not hold up commits. */
export const CATCH_UP_ROUND_MS: number = limits.electionTimeoutMsMin

/**
 * One learner of one leader. A round ends when the learner holds everything that was committed as it began; the learner
 * is caught up while its last round was short and the present one is not too long already.
 */
export class CatchUp {
  #goal: number | null = null
  #beganAt = 0
  #caughtUp = false

  /** To be told at each tick of the leader; `matchIndex` is what the learner has acknowledged as durable. */
  observe(matchIndex: number, commitIndex: number, now: number): boolean {
    const lasted = now - this.#beganAt
    if (this.#goal === null || matchIndex >= this.#goal) {
      this.#caughtUp = this.#goal !== null && lasted <= CATCH_UP_ROUND_MS
      this.#goal = commitIndex
      this.#beganAt = now
    } else if (lasted > CATCH_UP_ROUND_MS) this.#caughtUp = false
    return this.#caughtUp
  }
}
