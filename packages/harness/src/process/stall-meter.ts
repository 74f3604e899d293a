// How long a shard stood still: the longest time in which operations on it were pending and none completed.

interface Lane {
  pending: number
  /** Since when something is pending and nothing completed; null while nothing is pending. */
  sinceMs: number | null
  longestMs: number
}

export class StallMeter {
  readonly #lanes = new Map<number, Lane>()
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  begin(shard: number): void {
    const lane = this.#lane(shard)
    lane.pending += 1
    lane.sinceMs ??= this.#nowMs()
  }

  /** A failure ends nothing for those that wait. */
  end(shard: number, succeeded: boolean): void {
    const lane = this.#lane(shard)
    lane.pending -= 1
    const nowMs = this.#nowMs()
    if (succeeded && lane.sinceMs !== null) {
      lane.longestMs = Math.max(lane.longestMs, nowMs - lane.sinceMs)
      lane.sinceMs = nowMs
    }
    if (lane.pending === 0) lane.sinceMs = null
  }

  /** The longest stall of each shard since the last call. */
  take(): number[] {
    const nowMs = this.#nowMs()
    return [...this.#lanes.values()].map((lane) => {
      const openMs = lane.sinceMs === null ? 0 : nowMs - lane.sinceMs
      const longestMs = Math.max(lane.longestMs, openMs)
      lane.longestMs = 0
      if (lane.sinceMs !== null) lane.sinceMs = nowMs
      return longestMs
    })
  }

  #lane(shard: number): Lane {
    const known = this.#lanes.get(shard)
    if (known !== undefined) return known
    const lane: Lane = { pending: 0, sinceMs: null, longestMs: 0 }
    this.#lanes.set(shard, lane)
    return lane
  }
}

export interface StallSummary {
  readonly count: number
  readonly medianMs: number
  readonly p95Ms: number
  readonly maxMs: number
}

export function summariseStalls(stalls: readonly number[]): StallSummary {
  const sorted = stalls.toSorted((left, right) => left - right)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { count: sorted.length, medianMs: at(0.5), p95Ms: at(0.95), maxMs: sorted.at(-1) ?? 0 }
}
