// One event-loop turn: what arrived is handled at once, what it caused leaves together at the end (performance.md, 7).
import type { Timers } from '@quorate/runtime'

/** In this order, so that one turn's work leaves in one frame per peer and one batch of the log. */
const phases = ['propose', 'read', 'peers', 'log', 'clients'] as const
type Phase = (typeof phases)[number]

/** Collects work for the end of the turn. Work scheduled while a turn ends runs in a later phase of it or in the next turn. */
export class Turn {
  readonly #timers: Timers
  readonly #work: Map<Phase, Set<() => void>> = new Map(phases.map((phase) => [phase, new Set()]))
  #scheduled = false
  #stopped = false

  readonly #failed: (error: Error) => void

  /** `failed` hears of an exception in the work: a broken invariant, after which the node must not go on. */
  constructor(timers: Timers, failed: (error: Error) => void) {
    this.#timers = timers
    this.#failed = failed
  }

  /** Runs `work` once at the end of this turn, however often it is asked for. */
  at(phase: Phase, work: () => void): void {
    this.#work.get(phase)?.add(work)
    if (this.#scheduled || this.#stopped) return
    this.#scheduled = true
    this.#timers.endOfTurn(this.#run)
  }

  stop(): void {
    this.#stopped = true
    for (const set of this.#work.values()) set.clear()
  }

  readonly #run = (): void => {
    this.#scheduled = false
    if (this.#stopped) return
    try {
      this.#phases()
    } catch (error) {
      this.#failed(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #phases(): void {
    for (const phase of phases) {
      const set = this.#work.get(phase)
      if (set === undefined || set.size === 0) continue
      const batch = [...set]
      set.clear()
      for (const work of batch) work()
      if (this.#stopped) return
    }
    let left = false
    for (const set of this.#work.values()) left ||= set.size > 0
    if (left && !this.#scheduled) {
      this.#scheduled = true
      this.#timers.endOfTurn(this.#run)
    }
  }
}
