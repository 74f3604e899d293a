// How long operations took, as percentiles.
import { createHistogram } from 'node:perf_hooks'

/** Milliseconds; all 0 where there was nothing. */
export interface Percentiles {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

const usPerMs = 1000
/** Longer than any operation may take. */
const highestUs = 120_000_000

export class Latencies {
  readonly #histogram = createHistogram({ lowest: 1, highest: highestUs, figures: 3 })

  add(milliseconds: number): void {
    this.#histogram.record(Math.min(highestUs, Math.max(1, Math.round(milliseconds * usPerMs))))
  }

  read(): Percentiles {
    const { count, mean, max } = this.#histogram
    const at = (percent: number) => (count === 0 ? 0 : this.#histogram.percentile(percent) / usPerMs)
    return {
      count,
      mean: count === 0 ? 0 : Math.round(mean) / usPerMs,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: count === 0 ? 0 : max / usPerMs,
    }
  }
}
