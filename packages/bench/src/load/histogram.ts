// Latencies by their logarithm: constant memory and constant cost for any number of operations.

/** 2^(1/64): a bucket is about 1 % wide. */
const BUCKETS_PER_DOUBLING = 64
/** From 1 us to 2^27 us, two minutes. */
const BUCKETS = BUCKETS_PER_DOUBLING * 27

export class Histogram {
  readonly #buckets = new Float64Array(BUCKETS)
  #count = 0
  #maxMs = 0

  get count(): number {
    return this.#count
  }

  get maxMs(): number {
    return this.#maxMs
  }

  record(ms: number): void {
    this.#count += 1
    if (ms > this.#maxMs) this.#maxMs = ms
    const bucket = ms <= 0.001 ? 0 : Math.floor(Math.log2(ms * 1_000) * BUCKETS_PER_DOUBLING)
    const index = Math.min(BUCKETS - 1, bucket)
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
  }

  /** The middle of the bucket that holds it, ms, and never above the maximum; 0 of nothing. */
  quantileMs(share: number): number {
    const wanted = this.#count * share
    let seen = 0
    for (const [index, count] of this.#buckets.entries()) {
      seen += count
      if (count > 0 && seen >= wanted)
        return Math.min(this.#maxMs, 2 ** ((index + 0.5) / BUCKETS_PER_DOUBLING) / 1_000)
    }
    return this.#maxMs
  }

  clear(): void {
    this.#buckets.fill(0)
    this.#count = 0
    this.#maxMs = 0
  }
}
