// Virtual time for tests: it runs on by itself, in order, one callback per real turn, and as far as it is told.
import type { Clock, Timer, Timers } from '@quorate/runtime'

interface Armed {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualTime implements Timers, Clock {
  #nowMs = 0
  #order = 0
  #armed: Armed[] = []

  monotonicMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  /** Callbacks that wait for their time. */
  get armed(): number {
    return this.#armed.length
  }

  after(delayMs: number, callback: () => void): Timer {
    const armed = { atMs: this.#nowMs + delayMs, order: (this.#order += 1), callback }
    this.#armed.push(armed)
    return {
      cancel: () => {
        this.#armed = this.#armed.filter((each) => each !== armed)
      },
    }
  }

  endOfTurn(callback: () => void): void {
    this.after(0, callback)
  }

  /** Runs what becomes due within `budgetMs`, until `done`. Rejects if it was not done by then. */
  async until(done: () => boolean, budgetMs: number): Promise<void> {
    const endMs = this.#nowMs + budgetMs
    for (;;) {
      // All promise callbacks run before the next immediate.
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      if (done()) return
      const next = this.#armed.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
      if (next === undefined || next.atMs > endMs)
        throw new Error(`not done within ${budgetMs} ms of virtual time`)
      this.#armed = this.#armed.filter((each) => each !== next)
      this.#nowMs = next.atMs
      next.callback()
    }
  }

  /** What `work` resolves with, given as much virtual time as it needs up to `budgetMs`. */
  async settle<T>(work: Promise<T>, budgetMs = 60_000): Promise<T> {
    let settled = false
    const end = (): void => {
      settled = true
    }
    work.then(end, end)
    await this.until(() => settled, budgetMs)
    return work
  }
}
