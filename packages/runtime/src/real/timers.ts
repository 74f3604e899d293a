import type { Timer, Timers } from '../timers.ts'

/** Node turns a longer delay into 1 ms (with a warning), so long waits are made of several. */
const DELAY_MS_MAX = 2_147_483_647

/** Timers of the event loop. An armed timer keeps the process alive, as `setTimeout` does. */
export function createRealTimers(): Timers {
  return { after, endOfTurn: (callback) => void setImmediate(callback) }
}

function after(delayMs: number, callback: () => void): Timer {
  if (Number.isNaN(delayMs)) throw new RangeError('a timer needs a delay, got NaN')
  const dueAt = performance.now() + Math.max(0, delayMs)
  let handle: ReturnType<typeof setTimeout> | undefined

  const arm = (): void => {
    const delay = Math.ceil(dueAt - performance.now())
    handle = setTimeout(fire, Math.min(Math.max(delay, 0), DELAY_MS_MAX))
  }
  // libuv counts whole milliseconds from the start of the loop's turn and may fire a fraction early; the port promises
  // "not before", on which leases and timeouts rely.
  const fire = (): void => {
    if (performance.now() < dueAt) return arm()
    handle = undefined
    callback()
  }
  arm()
  return {
    cancel: () => {
      clearTimeout(handle)
      handle = undefined
    },
  }
}
