// Requests that are not answered yet, counted: of one connection, and of all of them together.

export interface RequestLimits {
  readonly requests: number
  /** Of sections and keys, which wait in memory for their turn. */
  readonly bytes: number
}

/** Invariant: what is taken is given back exactly once, whether or not anybody is left to hear the answer. */
export class RequestBudget {
  readonly #limits: RequestLimits
  readonly #whole: RequestBudget | null
  #requests = 0
  #bytes = 0

  /** `whole`: the budget of the node, of which this one is a connection's part. */
  constructor(limits: RequestLimits, whole: RequestBudget | null = null) {
    this.#limits = limits
    this.#whole = whole
  }

  get idle(): boolean {
    return this.#requests === 0
  }

  /** False: the request has to be refused. A first one is admitted whatever its size. */
  take(bytes: number): boolean {
    const { requests, bytes: bytesMax } = this.#limits
    const full = this.#requests >= requests || this.#bytes + bytes > bytesMax
    if (full && !this.idle) return false
    if (this.#whole !== null && !this.#whole.take(bytes)) return false
    this.#requests += 1
    this.#bytes += bytes
    return true
  }

  giveBack(bytes: number): void {
    this.#requests -= 1
    this.#bytes -= bytes
    this.#whole?.giveBack(bytes)
  }
}
