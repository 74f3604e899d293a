import type { Clock } from '../clock.ts'

/** The clock of this machine: `performance.now` for durations, `Date.now` for what people call time. */
export function createRealClock(): Clock {
  return {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
  }
}
