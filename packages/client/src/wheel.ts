// Deadlines of all operations of a client over one armed timer: arming and cancelling costs two set operations.
import type { Clock, Timer, Timers } from '@quorate/runtime'
import { WHEEL_STEP_MS } from './limits.ts'

/** More than what adding a delay to a clock can lose to rounding. */
const ROUNDING_MS = 0.001

export interface Alarm {
  readonly ring: () => void
  /** The step at which it rings; -1 while it is not set. */
  step: number
}

export function createAlarm(ring: () => void): Alarm {
  return { ring, step: -1 }
}

export class Wheel {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #steps = new Map<number, Set<Alarm>>()
  #timer: Timer | null = null
  #armedStep = Number.POSITIVE_INFINITY

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock
    this.#timers = timers
  }

  /** Sets (or moves) the alarm to ring not before `atMs` on the monotonic clock, and at most one step later. */
  set(alarm: Alarm, atMs: number): void {
    const step = Math.ceil(atMs / WHEEL_STEP_MS)
    if (alarm.step === step) return
    this.cancel(alarm)
    alarm.step = step
    const alarms = this.#steps.get(step)
    if (alarms === undefined) this.#steps.set(step, new Set([alarm]))
    else alarms.add(alarm)
    if (step < this.#armedStep) this.#arm(step)
  }

  cancel(alarm: Alarm): void {
    if (alarm.step === -1) return
    const alarms = this.#steps.get(alarm.step)
    alarms?.delete(alarm)
    if (alarms?.size === 0) this.#steps.delete(alarm.step)
    alarm.step = -1
    // An armed timer would keep the process alive for nothing.
    if (this.#steps.size === 0) this.stop()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#armedStep = Number.POSITIVE_INFINITY
  }

  #arm(step: number): void {
    this.#timer?.cancel()
    this.#armedStep = step
    const delay = Math.max(0, step * WHEEL_STEP_MS - this.#clock.monotonicMs())
    this.#timer = this.#timers.after(delay, () => this.#turn())
  }

  #turn(): void {
    this.#timer = null
    this.#armedStep = Number.POSITIVE_INFINITY
    // The clock has fractions, and a timer that was armed for a step must find it due.
    const now = Math.floor((this.#clock.monotonicMs() + ROUNDING_MS) / WHEEL_STEP_MS)
    const due = [...this.#steps.keys()].filter((step) => step <= now).toSorted((one, other) => one - other)
    for (const step of due) {
      // Taken out first: an alarm may set itself or others again, also to this very step.
      const alarms = this.#steps.get(step)
      this.#steps.delete(step)
      for (const alarm of alarms ?? []) {
        if (alarm.step !== step) continue
        alarm.step = -1
        alarm.ring()
      }
    }
    let next = Number.POSITIVE_INFINITY
    for (const step of this.#steps.keys()) next = Math.min(next, step)
    if (next < this.#armedStep) this.#arm(next)
  }
}
