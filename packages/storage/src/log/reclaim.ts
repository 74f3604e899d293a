// Which segments the log still needs, who keeps them, and what is worth writing again.
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
 * What to write again into the current segment so that the oldest ones come free: whole segments' worth, oldest first,
 * as long as it stays within `bytesMax`.
 */
export function toWriteAgain(
  replicas: Iterable<ReplicaLog>,
  segments: readonly Segment[],
  upTo: number,
  bytesMax: number,
): { readonly replica: ReplicaLog; readonly run: Run }[] {
  const all = [...replicas].flatMap((replica) => replica.runs.map((run) => ({ replica, run })))
  const chosen: { replica: ReplicaLog; run: Run }[] = []
  let bytes = 0
  for (const { number } of segments) {
    if (number > upTo) break
    const here = all.filter(({ run }) => run.place?.segment === number && !run.moving)
    for (const { run } of here) bytes += run.place?.bytes ?? 0
    if (bytes > bytesMax) break
    chosen.push(...here)
  }
  return chosen
}
