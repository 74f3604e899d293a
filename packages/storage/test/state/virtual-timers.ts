// Timers for tests of the memory twin: virtual time that runs on by itself, in order, one callback per real turn.
import type { Random, Timer, Timers } from '@quorate/runtime'

interface Armed {
  readonly atMs: number
  readonly order: number
  readonly callback: () => void
}

export class VirtualTimers implements Timers {
  #nowMs = 0
  #order = 0
  #armed: Armed[] = []
  #running = false

  after(delayMs: number, callback: () => void): Timer {
    const armed = { atMs: this.#nowMs + delayMs, order: (this.#order += 1), callback }
    this.#armed.push(armed)
    this.#run()
    return {
      cancel: () => {
        this.#armed = this.#armed.filter((each) => each !== armed)
      },
    }
  }

  endOfTurn(callback: () => void): void {
    this.after(0, callback)
  }

  #run(): void {
    if (this.#running || this.#armed.length === 0) return
    this.#running = true
    setImmediate(() => {
      this.#running = false
      const next = this.#armed.toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0]
      if (next === undefined) return
      this.#armed = this.#armed.filter((each) => each !== next)
      this.#nowMs = next.atMs
      next.callback()
      this.#run()
    })
  }
}

/** mulberry32: small, seeded, good enough to shuffle. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) }
}
