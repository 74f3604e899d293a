// Read rounds of a node: one heartbeat round confirms the waiting reads of every group it leads (shards.md, read position).

/** Round numbers count up for the life of a process and are never used twice. */
export class ReadRounds {
  #next = 1
  /** Reads not yet confirmed, by the round they wait for. */
  readonly #waiting = new Map<number, number>()
  #inFlight: number | null = null

  /** A read that arrives now may count only on this round or a later one. */
  get next(): number {
    return this.#next
  }

  wait(round: number, count: number): void {
    this.#waiting.set(round, (this.#waiting.get(round) ?? 0) + count)
  }

  ended(round: number, count: number): void {
    const left = (this.#waiting.get(round) ?? 0) - count
    if (left > 0) this.#waiting.set(round, left)
    else this.#waiting.delete(round)
  }

  /** True if reads wait for a round that has not begun and none is in flight. */
  get due(): boolean {
    if (this.#inFlight !== null && this.#waiting.has(this.#inFlight)) return false
    return this.#waiting.has(this.#next)
  }

  /** A heartbeat is about to leave: the round it carries. */
  begin(): number {
    const round = this.#next
    this.#next += 1
    this.#inFlight = round
    return round
  }
}
