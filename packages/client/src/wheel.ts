// Deadlines of all operations of a client over one armed timer: arming and cancelling costs two set operations.
import type { Clock, Timer, Timers } from '@quorate/runtime'
import { WHEEL_STEP_MS } from './limits.ts'

/** More than what adding a delay to a clock can lose to rounding. */
const ROUNDING_MS = 0.001

/** What can be woken: an operation is its own alarm, so that arming it makes nothing. */
export interface Alarm {
  /** The step at which it rings; `NOT_SET` while it is not set. The wheel's own. */
  step: number
}

export const NOT_SET = -1

export class Wheel<Owner extends Alarm> {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #ring: (alarm: Owner) => void
  readonly #steps = new Map<number, Set<Owner>>()
  #timer: Timer | null = null
  #armedStep = Number.POSITIVE_INFINITY

  constructor(clock: Clock, timers: Timers, ring: (alarm: Owner) => void) {
    this.#clock = clock
    this.#timers = timers
    this.#ring = ring
  }

  /** Sets (or moves) the alarm to ring not before `atMs` on the monotonic clock, and at most one step later. */
  set(alarm: Owner, atMs: number): void {
    const step = Math.ceil(atMs / WHEEL_STEP_MS)
    if (alarm.step === step) return
    this.cancel(alarm)
    alarm.step = step
    const alarms = this.#steps.get(step)
    if (alarms === undefined) this.#steps.set(step, new Set([alarm]))
    else alarms.add(alarm)
    if (step < this.#armedStep) this.#arm(step)
  }

  cancel(alarm: Owner): void {
    if (alarm.step === NOT_SET) return
    const alarms = this.#steps.get(alarm.step)
    alarms?.delete(alarm)
    if (alarms?.size === 0) this.#steps.delete(alarm.step)
    alarm.step = NOT_SET
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
        alarm.step = NOT_SET
        this.#ring(alarm)
      }
    }
    let next = Number.POSITIVE_INFINITY
    for (const step of this.#steps.keys()) next = Math.min(next, step)
    if (next < this.#armedStep) this.#arm(next)
  }
}
