/** A timer that was armed; `cancel` is idempotent and safe after it fired. */
export interface Timer {
  cancel(): void
}

/** Arms callbacks. There is no promise form: product code never sleeps, it waits for events with a deadline. */
export interface Timers {
  /** Runs `callback` once, not before `delayMs` from now. */
  after(delayMs: number, callback: () => void): Timer
  /** Runs `callback` after the I/O that is ready now has been handled (`setImmediate`): the end of an event-loop turn. */
  endOfTurn(callback: () => void): void
}
