// Which segments the log still needs, who keeps them, and what is worth writing again.
import { REWRITE_RUNS_MAX } from './limits.ts'
import type { ReplicaLog } from './replica-log.ts'
import type { Run } from './run.ts'
import type { Segment } from './segment-files.ts'

export interface Holder {
  readonly group: number
  /** Last index of the group in the segments looked at. */
  readonly index: number
  readonly firstSegment: number
}

/** The oldest segment that holds an entry of anybody; `newest` where there is none. */
export function oldestNeeded(replicas: Iterable<ReplicaLog>, newest: number): number {
  let oldest = newest
  for (const { runs } of replicas) {
    for (const { place } of runs) if (place !== null && place.segment < oldest) oldest = place.segment
  }
  return oldest
}

/** Number of the newest segment that makes the log longer than `retainBytes`; 0 if it is not. */
export function excessUpTo(segments: readonly Segment[], retainBytes: number): number {
  let bytes = segments.reduce((sum, segment) => sum + segment.end, 0)
  let excess = 0
  for (const segment of segments.slice(0, -1)) {
    if (bytes <= retainBytes) break
    bytes -= segment.end
    excess = segment.number
  }
  return excess
}

/** Live groups with entries in segments up to `upTo`, those in the oldest first. */
export function holders(replicas: Iterable<ReplicaLog>, upTo: number): Holder[] {
  const found: Holder[] = []
  for (const { group, runs, state } of replicas) {
    if (state !== 'live') continue
    const held = runs.filter(({ place }) => place !== null && place.segment <= upTo)
    const index = held.at(-1)?.lastIndex
    if (index === undefined) continue
    const firstSegment = Math.min(...held.map(({ place }) => place?.segment ?? upTo))
    found.push({ group, index, firstSegment })
  }
  return found.toSorted((a, b) => a.firstSegment - b.firstSegment || a.group - b.group)
}

/**
 * What to write again into the current segment so that the oldest ones come free: oldest segment first, at most
 * `bytesMax` and `REWRITE_RUNS_MAX`. Whole segments' worth; but where most of what is kept is kept for the sake of a
 * few, as far as it goes: otherwise one group with more than that in the oldest segment would keep the log for ever. A
 * log that is needed itself (a follower lags behind all of it) is not copied to its own end.
 */
export function toWriteAgain(
  replicas: Iterable<ReplicaLog>,
  segments: readonly Segment[],
  upTo: number,
  bytesMax: number,
): { readonly replica: ReplicaLog; readonly run: Run }[] {
  const all = [...replicas]
  const held = heldBySegment(all, upTo)
  const chosen: { replica: ReplicaLog; run: Run }[] = []
  const excess = segments.filter(({ number }) => number <= upTo)
  const keptBytes = excess.reduce((sum, { end }) => sum + end, 0)
  const inSteps = 2 * [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0) <= keptBytes
  let bytesLeft = bytesMax
  for (const { number } of excess) {
    const here = held.get(number)
    if (here === undefined) continue
    const fits = here.bytes <= bytesLeft && here.runs <= REWRITE_RUNS_MAX - chosen.length
    if (!fits && !inSteps) break
    for (const holding of runsIn(all, number)) {
      bytesLeft -= holding.run.place?.bytes ?? 0
      if (bytesLeft < 0 || chosen.length === REWRITE_RUNS_MAX) return chosen
      chosen.push(holding)
    }
  }
  return chosen
}

/** Counted, not listed: there may be hundreds of thousands of runs, and this happens between two heartbeats. */
function heldBySegment(
  replicas: readonly ReplicaLog[],
  upTo: number,
): Map<number, { bytes: number; runs: number }> {
  const held = new Map<number, { bytes: number; runs: number }>()
  for (const { runs } of replicas) {
    for (const { place } of runs) {
      if (place === null || place.segment > upTo) continue
      const here = held.get(place.segment)
      if (here === undefined) held.set(place.segment, { bytes: place.bytes, runs: 1 })
      else {
        here.bytes += place.bytes
        here.runs += 1
      }
    }
  }
  return held
}

function* runsIn(
  replicas: readonly ReplicaLog[],
  segment: number,
): Generator<{ readonly replica: ReplicaLog; readonly run: Run }> {
  for (const replica of replicas) {
    for (const run of replica.runs) if (run.place?.segment === segment && !run.moving) yield { replica, run }
  }
}
