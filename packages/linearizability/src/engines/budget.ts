// How much a search may take. Steps are the same on every machine; seconds are what people wait.
import { SEARCH_SECONDS, SEARCH_STEPS, STEPS_PER_LOOK } from '../limits.ts'

export interface BudgetOptions {
  /** Default 200,000,000. */
  readonly steps?: number
  /** For one key. Default 60. */
  readonly seconds?: number
  /** Milliseconds of any monotonic clock. Default `performance.now`. */
  readonly now?: () => number
}

export class Budget {
  #left: number
  readonly #now: () => number
  readonly #until: number
  #nextLook: number
  /** Why it is used up; null while it is not. */
  exhausted: string | null = null

  constructor({
    steps = SEARCH_STEPS,
    seconds = SEARCH_SECONDS,
    now = () => performance.now(),
  }: BudgetOptions) {
    this.#left = steps
    this.#now = now
    this.#until = now() + seconds * 1_000
    this.#nextLook = steps - STEPS_PER_LOOK
  }

  /** True when there is no more. */
  spend(): boolean {
    this.#left -= 1
    if (this.#left <= this.#nextLook) {
      this.#nextLook = this.#left - STEPS_PER_LOOK
      if (this.#now() > this.#until) this.exhausted ??= 'out of time'
    }
    if (this.#left < 0) this.exhausted ??= 'out of steps'
    return this.exhausted !== null
  }
}
