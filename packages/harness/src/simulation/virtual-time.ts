// Virtual time: the one queue of events of a simulated world. An event runs, its promise callbacks run, then the next.
import { EventHeap } from './event-heap.ts'
import type { Trace } from './trace.ts'

// Taken before the guards replace it: the only real primitive that a run uses. Node runs all promise callbacks between
// two immediates, however long their chain.
const realSetImmediate = globalThis.setImmediate

/** Events handed to the event loop at once: one poll of the operating system per batch instead of one per event. */
const BATCH_EVENTS = 64

/**
 * Times are whole ticks, a power of two of them in a millisecond: sums are exact, no timer fires a rounding error too early,
 * and a delay above zero always moves time on.
 */
const TICKS_PER_MS = 1_024

/** More events at one instant than this is a loop that would never end. */
const INSTANT_EVENTS_MAX = 200_000

/** The kind of an event that is no part of the trace. */
export const UNTOLD = ''

/** To whom an event belongs. What is not `alive` any more gets nothing; what is paused gets it later. */
export interface EventOwner {
  readonly name: string
  readonly alive: boolean
  /** True if the owner keeps the event for later. */
  defer(event: ScheduledEvent): boolean
}

export interface ScheduledEvent {
  timeMs: number
  sequence: number
  readonly owner: EventOwner
  readonly kind: string
  readonly digest: number
  readonly run: () => void
  cancelled: boolean
}

export class VirtualTime {
  readonly #heap = new EventHeap<ScheduledEvent>()
  readonly #trace: Trace
  #nowMs = 0
  #sequence = 0
  #instantEvents = 0
  #running = false

  constructor(trace: Trace) {
    this.#trace = trace
  }

  /** Milliseconds since the start of the world. */
  get nowMs(): number {
    return this.#nowMs
  }

  get pending(): number {
    return this.#heap.size
  }

  /** `kind` names the event in the trace (UNTOLD: it is none of it); `digest` tells two of a kind apart. */
  schedule(
    delayMs: number,
    owner: EventOwner,
    kind: string,
    run: () => void,
    digest: number = 0,
  ): ScheduledEvent {
    const timeMs = Math.ceil((this.#nowMs + Math.max(0, delayMs)) * TICKS_PER_MS) / TICKS_PER_MS
    const event = { timeMs, sequence: this.#sequence++, owner, kind, digest, run, cancelled: false }
    this.#heap.push(event)
    return event
  }

  /** Part of the event that runs reached this owner: the trace must know. */
  arrived(owner: EventOwner, kind: string, digest: number): void {
    this.#trace.event(this.#nowMs, owner.name, kind, digest)
  }

  /** An event that a paused owner kept comes back, behind everything that is due now. */
  release(event: ScheduledEvent): void {
    event.timeMs = this.#nowMs
    event.sequence = this.#sequence++
    this.#heap.push(event)
  }

  /** Runs events until `done` says so (asked after each event) or `untilMs` is reached. Rejects with what an event throws. */
  run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    if (this.#running) throw new Error('virtual time runs already')
    this.#running = true
    return new Promise<void>((resolve, reject) => {
      // Immediates of this run that are left over when it ends must do nothing, also not for the next run.
      let finished = false
      let batchLeft = 0
      const finish = (settle: () => void): void => {
        finished = true
        this.#running = false
        settle()
      }
      const turn = (): void => {
        batchLeft -= 1
        if (finished) return
        try {
          if (done() || !this.#step(untilMs)) finish(resolve)
          else if (batchLeft === 0) arm()
        } catch (error) {
          finish(() => reject(error instanceof Error ? error : new Error(String(error))))
        }
      }
      const arm = (): void => {
        batchLeft = BATCH_EVENTS
        for (let count = 0; count < BATCH_EVENTS; count++) realSetImmediate(turn)
      }
      arm()
    })
  }

  /** Runs the next live event; false when there is none before `untilMs`. */
  #step(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap.peek()
      if (next === undefined || next.timeMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs)
        return false
      }
      this.#heap.pop()
      if (next.cancelled || !next.owner.alive || next.owner.defer(next)) continue
      this.#advance(next)
      if (next.kind !== UNTOLD) this.#trace.event(next.timeMs, next.owner.name, next.kind, next.digest)
      next.run()
      return true
    }
  }

  #advance({ timeMs, owner, kind }: ScheduledEvent): void {
    if (timeMs > this.#nowMs) this.#instantEvents = 0
    this.#nowMs = Math.max(this.#nowMs, timeMs)
    this.#instantEvents += 1
    if (this.#instantEvents > INSTANT_EVENTS_MAX)
      throw new Error(`time stands still at ${this.#nowMs} ms: ${owner.name} again and again (${kind})`)
  }
}
