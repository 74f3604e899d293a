// How long something took, counted in classes: a histogram that costs no allocation when it is added to.

/** Upper bounds of the classes, ms; what is longer is counted in one more class. */
export const durationBoundsMs: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
]

export interface Durations {
  /** One count per bound of `durationBoundsMs` and a last one for what is above them all; not summed up. */
  readonly counts: readonly number[]
  /** Ms of all of them together. */
  readonly sumMs: number
}

export class DurationCounts {
  readonly #counts = new Float64Array(durationBoundsMs.length + 1)
  #sumMs = 0

  add(durationMs: number): void {
    let place = 0
    while (durationMs > (durationBoundsMs[place] ?? Infinity)) place += 1
    this.#counts[place] = (this.#counts[place] ?? 0) + 1
    this.#sumMs += durationMs
  }

  read(): Durations {
    return { counts: [...this.#counts], sumMs: this.#sumMs }
  }
}
