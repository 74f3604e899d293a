// Time that passes only when a test says so.
import type { Clock, Timer, Timers } from '@quorate/runtime'

interface Event {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

export interface VirtualTime {
  readonly clock: Clock
  readonly timers: Timers
  readonly now: number
  /** Timers that are armed. */
  readonly armed: number
  /** Runs everything due in the next `ms`, promises included. */
  advance(ms: number): Promise<void>
  /** Lets time pass until the promise settles, at most `msMax`; rejects as it does, or if time runs out. */
  until<T>(promise: Promise<T>, msMax?: number): Promise<T>
}

/** The event loop's own turn: everything that promises can do is done afterwards. */
const promisesDone = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function createVirtualTime(startMs = 1_000): VirtualTime {
  let now = startMs
  let order = 0
  let events: Event[] = []

  const schedule = (delayMs: number, callback: () => void): Timer => {
    order += 1
    const event: Event = { at: now + Math.max(0, delayMs), order, callback }
    events.push(event)
    return { cancel: () => void (events = events.filter((other) => other !== event)) }
  }
  const next = (): Event | undefined =>
    events.reduce<Event | undefined>((first, event) => {
      if (first === undefined) return event
      return event.at < first.at || (event.at === first.at && event.order < first.order) ? event : first
    }, undefined)
  const step = async (untilMs: number): Promise<boolean> => {
    await promisesDone()
    const event = next()
    if (event === undefined || event.at > untilMs) return false
    events = events.filter((other) => other !== event)
    now = event.at
    event.callback()
    return true
  }
  const advance = async (ms: number): Promise<void> => {
    const untilMs = now + ms
    while (await step(untilMs));
    now = untilMs
    await promisesDone()
  }
  return {
    clock: { monotonicMs: () => now, wallMs: () => 1_700_000_000_000 + now },
    timers: { after: schedule, endOfTurn: (callback) => void schedule(0, callback) },
    get now() {
      return now
    },
    get armed() {
      return events.length
    },
    advance,
    until: async (promise, msMax = 70_000) => {
      const state = { settled: false }
      const mark = (): void => void (state.settled = true)
      promise.then(mark, mark)
      const untilMs = now + msMax
      await promisesDone()
      while (!state.settled && (await step(untilMs))) await promisesDone()
      if (!state.settled) throw new Error(`nothing settled it within ${msMax} ms of virtual time`)
      return promise
    },
  }
}
