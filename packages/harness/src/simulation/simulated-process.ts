// One life of a simulated process: its clock, its timers, its death. A restart is a new object.
import type { Clock, Timer, Timers } from '@quorate/runtime'
import type { EventOwner, ScheduledEvent, VirtualTime } from './virtual-time.ts'

/** Every simulated machine believes that the world began at this instant (2026-01-01T00:00:00Z). */
const WORLD_EPOCH_MS = 1_767_225_600_000

/** How a machine's clocks differ from virtual time. */
export interface ClockFault {
  /** Speed of both clocks, 1 = right. */
  readonly rate: number
  readonly wallOffsetMs: number
}

export class SimulatedProcess implements EventOwner {
  readonly name: string
  readonly clock: Clock
  readonly timers: Timers
  readonly #time: VirtualTime
  #alive = true
  #paused = false
  #deferred: ScheduledEvent[] = []
  #deferredCount = 0
  /** Arrivals that have an event of their own, not run yet: nothing may overtake them. */
  #waiting = 0
  #rate = 1
  #wallOffsetMs = 0
  // Local time is linear between two changes of the rate: never back, whatever the rate does.
  #anchorMs: number
  #localAnchorMs = 0

  constructor(name: string, time: VirtualTime) {
    this.name = name
    this.#time = time
    this.#anchorMs = time.nowMs
    this.clock = {
      monotonicMs: () => this.#localMs(),
      wallMs: () => WORLD_EPOCH_MS + time.nowMs + this.#wallOffsetMs,
    }
    this.timers = {
      after: (delayMs, callback) => this.#arm(delayMs / this.#rate, 'timer', callback),
      // Everything that is ready at this instant runs before: what `setImmediate` does after one poll.
      endOfTurn: (callback) => void this.#arm(0, 'turn', callback),
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  get paused(): boolean {
    return this.#paused
  }

  /** What arrives now has to wait. */
  get busy(): boolean {
    return this.#paused || this.#waiting > 0
  }

  /** Events that pauses have held back since the start of this life. */
  get deferredSinceStart(): number {
    return this.#deferredCount
  }

  /** Runs `run` in this process after `delayMs` of virtual time, unless it is dead by then. */
  schedule(delayMs: number, kind: string, run: () => void, digest?: number): ScheduledEvent {
    return this.#time.schedule(delayMs, this, kind, run, digest)
  }

  /**
   * Something arrived from outside: handled at once, as part of the event that brought it, unless a pause holds it or
   * something that arrived before still waits.
   */
  receive(kind: string, digest: number, run: () => void): void {
    if (!this.#alive) return
    if (this.busy) return this.receiveLater(kind, digest, run)
    this.#time.arrived(this, kind, digest)
    run()
  }

  /** The same in an event of its own: never from inside a call of whoever it concerns. */
  receiveLater(kind: string, digest: number, run: () => void): void {
    this.#waiting += 1
    this.schedule(
      0,
      kind,
      () => {
        this.#waiting -= 1
        run()
      },
      digest,
    )
  }

  defer(event: ScheduledEvent): boolean {
    if (!this.#paused) return false
    this.#deferred.push(event)
    this.#deferredCount += 1
    return true
  }

  /** SIGKILL: no timer, no arrival, no completion reaches it any more. */
  kill(): void {
    this.#alive = false
    this.#deferred = []
  }

  /** SIGSTOP. */
  pause(): void {
    this.#paused = true
  }

  /** SIGCONT: everything that became due meanwhile comes at once, in order. */
  resume(): void {
    this.#paused = false
    const deferred = this.#deferred
    this.#deferred = []
    for (const event of deferred) this.#time.release(event)
  }

  skew(fault: ClockFault): void {
    this.#localAnchorMs = this.#localMs()
    this.#anchorMs = this.#time.nowMs
    this.#rate = fault.rate
    this.#wallOffsetMs = fault.wallOffsetMs
  }

  #localMs(): number {
    return this.#localAnchorMs + (this.#time.nowMs - this.#anchorMs) * this.#rate
  }

  #arm(delayMs: number, kind: string, callback: () => void): Timer {
    const event = this.schedule(delayMs, kind, callback)
    return {
      cancel: () => {
        event.cancelled = true
      },
    }
  }
}
