// At most so many reads at a time, the others in the order of their asking.

export class ReadLimit {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(inFlightMax: number) {
    this.#free = inFlightMax
  }

  async run<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await read()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#free += 1
      else next()
    }
  }
}
