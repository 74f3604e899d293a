// What the log holds of one replica: identity, term and vote, compaction point, and where its entries lie.
import type { HardState } from '@quorate/raft'
import type { CompactionPoint, ReplicaKey } from './record.ts'
import type { ReplicaRow } from './record-codec.ts'
import type { Run } from './run.ts'

export class ReplicaLog implements ReplicaKey {
  readonly group: number
  readonly incarnation: number
  state: 'live' | 'removed' | 'condemned' = 'live'
  reason: string | null = null
  /** The term never goes back and within a term the vote never changes (rule 1). */
  hardState: HardState = { currentTerm: 0, votedFor: null }
  configuration: Uint8Array
  compacted: CompactionPoint | null = null
  /** Ascending, without overlap. Without gaps too, except while recovery has read only a part of the log. */
  runs: Run[] = []

  constructor(key: ReplicaKey, configuration: Uint8Array) {
    this.group = key.group
    this.incarnation = key.incarnation
    this.configuration = configuration
  }

  get firstIndex(): number {
    return (this.compacted?.index ?? 0) + 1
  }

  get lastIndex(): number {
    return this.runs.at(-1)?.lastIndex ?? this.compacted?.index ?? 0
  }

  get row(): ReplicaRow {
    const { state, reason, configuration, compacted } = this
    return { state, reason, configuration, compacted }
  }

  /** The first index that no run covers although later ones or the compaction point demand it; null if there is none. */
  get gapAt(): number | null {
    let next = this.firstIndex
    for (const run of this.runs) {
      if (run.firstIndex > next) return next
      next = run.lastIndex + 1
    }
    return null
  }

  /** The run that holds `index`. */
  runAt(index: number): Run | null {
    let low = 0
    let high = this.runs.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const run = this.runs[middle]
      if (run === undefined) return null
      if (index < run.firstIndex) high = middle - 1
      else if (index > run.lastIndex) low = middle + 1
      else return run
    }
    return null
  }

  /** Drops the entries at `index` and above and returns the runs that went with them (B8, B9). */
  truncateFrom(index: number): Run[] {
    let keep = this.runs.length
    while (keep > 0 && (this.runs[keep - 1]?.firstIndex ?? 0) >= index) keep -= 1
    const dropped = this.runs.splice(keep)
    const last = this.runs.at(-1)
    if (last !== undefined && last.lastIndex >= index) last.lastIndex = index - 1
    return dropped
  }

  /** Drops the entries at `index` and below. */
  truncateTo(index: number): Run[] {
    let dropped = 0
    while (dropped < this.runs.length && (this.runs[dropped]?.lastIndex ?? 0) <= index) dropped += 1
    const first = this.runs[dropped]
    if (first !== undefined && first.firstIndex <= index) first.firstIndex = index + 1
    return this.runs.splice(0, dropped)
  }

  /** Puts `run` in the place of whatever covers its indexes, without touching the rest (a record written again). */
  overlay(run: Run): Run[] {
    const inside = (old: Run): boolean => old.firstIndex >= run.firstIndex && old.lastIndex <= run.lastIndex
    const dropped = this.runs.filter(inside)
    const kept = this.runs.filter((old) => !inside(old))
    for (const old of kept) {
      if (old.lastIndex < run.firstIndex || old.firstIndex > run.lastIndex) continue
      // Records are written again whole, so this does not happen; if it did, a gap would remain and be found.
      if (old.firstIndex < run.firstIndex) old.lastIndex = run.firstIndex - 1
      else old.firstIndex = run.lastIndex + 1
    }
    this.runs = [...kept, run].toSorted((a, b) => a.firstIndex - b.firstIndex)
    return dropped
  }

  clear(): Run[] {
    return this.runs.splice(0)
  }
}
