// Deadlines of all operations of a client over one armed timer: arming and cancelling makes nothing.
import type { Clock, Timer, Timers } from '@quorate/runtime'
import { WHEEL_STEP_MS } from './limits.ts'

/** More than what adding a delay to a clock can lose to rounding. */
const ROUNDING_MS = 0.001

/** What can be woken: an operation is its own alarm and its own link in the list of its step. The fields are the wheel's own. */
export interface Alarm<Owner> {
  /** Where it waits; null while it is not set. */
  step: AlarmStep<Owner> | null
  before: Owner | null
  behind: Owner | null
}

/** The alarms of one step, in the order in which they were set. */
export interface AlarmStep<Owner> {
  readonly step: number
  first: Owner | null
  last: Owner | null
}

export class Wheel<Owner extends Alarm<Owner>> {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #ring: (alarm: Owner) => void
  readonly #steps = new Map<number, AlarmStep<Owner>>()
  /** The step whose alarms ring right now, out of `#steps`: an alarm may set itself or others again, also to this step. */
  #ringing: AlarmStep<Owner> | null = null
  #timer: Timer | null = null
  #armedStep = Number.POSITIVE_INFINITY

  constructor(clock: Clock, timers: Timers, ring: (alarm: Owner) => void) {
    this.#clock = clock
    this.#timers = timers
    this.#ring = ring
  }

  /** Sets (or moves) the alarm to ring not before `atMs` on the monotonic clock, and at most one step later. */
  set(alarm: Owner, atMs: number): void {
    const at = Math.ceil(atMs / WHEEL_STEP_MS)
    if (alarm.step?.step === at) return
    this.cancel(alarm)
    let step = this.#steps.get(at)
    if (step === undefined) {
      step = { step: at, first: null, last: null }
      this.#steps.set(at, step)
    }
    append(step, alarm)
    if (at < this.#armedStep) this.#arm(at)
  }

  cancel(alarm: Owner): void {
    const { step } = alarm
    if (step === null) return
    remove(step, alarm)
    if (step.first !== null || step === this.#ringing) return
    this.#steps.delete(step.step)
    // An armed timer would keep the process alive for nothing.
    if (this.#steps.size === 0) this.stop()
  }

  /** Every alarm that is set, also those about to ring in this turn. */
  alarms(): Owner[] {
    const alarms: Owner[] = []
    const steps = this.#ringing === null ? this.#steps.values() : [this.#ringing, ...this.#steps.values()]
    for (const { first } of steps) {
      for (let alarm = first; alarm !== null; alarm = alarm.behind) alarms.push(alarm)
    }
    return alarms
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
    for (const step of due) this.#ringAll(step)
    let next = Number.POSITIVE_INFINITY
    for (const step of this.#steps.keys()) next = Math.min(next, step)
    if (next < this.#armedStep) this.#arm(next)
  }

  #ringAll(at: number): void {
    const step = this.#steps.get(at)
    // An alarm before may have cancelled all of them.
    if (step === undefined) return
    this.#steps.delete(at)
    this.#ringing = step
    for (let alarm = step.first; alarm !== null; alarm = step.first) {
      remove(step, alarm)
      this.#ring(alarm)
    }
    this.#ringing = null
  }
}

function append<Owner extends Alarm<Owner>>(step: AlarmStep<Owner>, alarm: Owner): void {
  alarm.step = step
  alarm.before = step.last
  if (step.last === null) step.first = alarm
  else step.last.behind = alarm
  step.last = alarm
}

/** Keeps no way from an alarm that is over to one that is not: it would keep the garbage collector from either. */
function remove<Owner extends Alarm<Owner>>(step: AlarmStep<Owner>, alarm: Owner): void {
  const { before, behind } = alarm
  if (before === null) step.first = behind
  else before.behind = behind
  if (behind === null) step.last = before
  else behind.before = before
  alarm.step = null
  alarm.before = null
  alarm.behind = null
}
