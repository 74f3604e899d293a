// What the core knows of the log: runs of equal term, sizes, configurations, and where it begins (dissertation 3.5, 5.1).
import type { Configuration } from './configuration.ts'
import type { EntryMeta } from './entry.ts'
import { violated } from './invariant.ts'
import { APPEND_ENTRIES_MAX, RECOVERED_ENTRY_BYTES } from './limits.ts'
import { assertWellFormed, emptyConfiguration } from './membership.ts'
import type { Recovered } from './raft.ts'

interface TermRun {
  readonly firstIndex: number
  readonly term: number
}

export interface PlacedConfiguration {
  readonly index: number
  readonly configuration: Configuration
}

export interface LogImage {
  readonly compacted: { readonly index: number; readonly term: number }
  readonly terms: readonly TermRun[]
  readonly lastIndex: number
  readonly configurations: readonly PlacedConfiguration[]
  readonly sizes: readonly number[]
  readonly sizesFirst: number
}

/** Sizes of compacted entries are cut off in blocks: cutting at each compaction would copy the array every time. */
const SIZES_CUT = 4_096

export class LogIndex {
  /** The last entry that is no longer in the log; its term is known. */
  #compactedIndex: number
  #compactedTerm: number
  #lastIndex: number
  /** Ascending, covering compactedIndex + 1 .. lastIndex. */
  #runs: TermRun[]
  /** Sizes of entries from `#sizesFirst` on; older ones were recovered and are not known. */
  #sizes: number[] = []
  #sizesFirst: number
  /** Ascending; the first one is in force at `#compactedIndex`, so that the list is never empty. */
  #configurations: PlacedConfiguration[]

  constructor(recovered: Pick<Recovered, 'compacted' | 'terms' | 'lastIndex' | 'configurations'>) {
    this.#compactedIndex = recovered.compacted.index
    this.#compactedTerm = recovered.compacted.term
    this.#lastIndex = recovered.lastIndex
    this.#runs = recovered.terms.map(({ firstIndex, term }) => ({ firstIndex, term }))
    this.#sizesFirst = recovered.lastIndex + 1
    this.#configurations =
      recovered.configurations.length === 0
        ? [{ index: 0, configuration: emptyConfiguration }]
        : recovered.configurations.map(({ index, configuration }) => ({ index, configuration }))
    this.#assertRecovered()
  }

  static of(image: LogImage): LogIndex {
    const log = new LogIndex(image)
    log.#sizes = [...image.sizes]
    log.#sizesFirst = image.sizesFirst
    return log
  }

  image(): LogImage {
    return {
      compacted: { index: this.#compactedIndex, term: this.#compactedTerm },
      terms: [...this.#runs],
      lastIndex: this.#lastIndex,
      configurations: [...this.#configurations],
      sizes: [...this.#sizes],
      sizesFirst: this.#sizesFirst,
    }
  }

  get compactedIndex(): number {
    return this.#compactedIndex
  }

  get lastIndex(): number {
    return this.#lastIndex
  }

  get lastTerm(): number {
    return this.#runs.at(-1)?.term ?? this.#compactedTerm
  }

  /** The newest configuration in the log, committed or not (dissertation 4.1). */
  get configuration(): Configuration {
    return this.#newest().configuration
  }

  get configurationIndex(): number {
    return this.#newest().index
  }

  /** Known also for the last compacted entry; null outside. */
  termAt(index: number): number | null {
    if (index === this.#compactedIndex) return this.#compactedTerm
    if (index < this.#compactedIndex || index > this.#lastIndex) return null
    return this.#runs[this.#runAt(index)]?.term ?? null
  }

  /** The largest index at or below `index`, not below the compacted one, whose term is at most `term`. */
  lastIndexWithTermAtMost(index: number, term: number): number {
    let candidate = Math.min(index, this.#lastIndex)
    let run = this.#runAt(candidate)
    while (candidate > this.#compactedIndex) {
      const { firstIndex, term: runTerm } = this.#runs[run] ?? violated('LOG_SHAPE', `no run at ${candidate}`)
      if (runTerm <= term) return candidate
      candidate = firstIndex - 1
      run--
    }
    return this.#compactedIndex
  }

  /** True if a configuration entry lies in (after, upTo]. */
  hasConfigurationIn(after: number, upTo: number): boolean {
    return this.#configurations.some(({ index }) => index > after && index <= upTo)
  }

  /** The configuration in force at `index`, which is not compacted, and the index of its entry. */
  configurationAt(index: number): PlacedConfiguration {
    const placed = this.#configurations.findLast((one) => one.index <= index) ?? this.#configurations[0]
    return placed ?? violated('LOG_SHAPE', 'no configuration left')
  }

  /** The configuration in force at `index`, and every newer one. */
  configurationsFrom(index: number): readonly Configuration[] {
    const inForce = this.#configurations.findLastIndex((placed) => placed.index <= index)
    return this.#configurations.slice(Math.max(inForce, 0)).map(({ configuration }) => configuration)
  }

  /** Payload bytes of the entries in (after, upTo]. */
  bytesBetween(after: number, upTo: number): number {
    let bytes = 0
    for (let index = after + 1; index <= upTo; index++) bytes += this.#sizeAt(index)
    return bytes
  }

  /** Entries from `first` on, until `bytesMax` would be exceeded; the first one whatever its size. */
  entriesFrom(first: number, bytesMax: number): EntryMeta[] {
    const entries: EntryMeta[] = []
    if (first > this.#lastIndex) return entries
    let run = this.#runAt(first)
    let bytes = 0
    const end = Math.min(this.#lastIndex, first + APPEND_ENTRIES_MAX - 1)
    for (let index = first; index <= end; index++) {
      const size = this.#sizeAt(index)
      bytes += size
      if (bytes > bytesMax && index > first) break
      if (this.#runs[run + 1]?.firstIndex === index) run++
      entries.push(this.#entry(index, this.#runs[run]?.term ?? 0, size))
    }
    return entries
  }

  append(entry: EntryMeta): void {
    if (entry.index !== this.#lastIndex + 1 || entry.term < this.lastTerm) {
      violated('LOG_SHAPE', `entry ${entry.index}/${entry.term} behind ${this.#lastIndex}/${this.lastTerm}`)
    }
    if (entry.configuration !== undefined) assertWellFormed(entry.configuration)
    if (this.#runs.length === 0 || entry.term > this.lastTerm) {
      this.#runs.push({ firstIndex: entry.index, term: entry.term })
    }
    this.#lastIndex = entry.index
    this.#sizes.push(entry.bytes)
    if (entry.configuration !== undefined) {
      this.#configurations.push({ index: entry.index, configuration: entry.configuration })
    }
  }

  /** Drops `index` and everything above it, configurations included. */
  truncateFrom(index: number): void {
    if (index <= this.#compactedIndex) {
      violated('LOG_SHAPE', `truncation at ${index}, compacted up to ${this.#compactedIndex}`)
    }
    while ((this.#runs.at(-1)?.firstIndex ?? 0) >= index) this.#runs.pop()
    while (this.#newest().index >= index) this.#configurations.pop()
    if (index < this.#sizesFirst) this.#sizesFirst = index
    this.#sizes.length = Math.min(this.#sizes.length, index - this.#sizesFirst)
    this.#lastIndex = index - 1
  }

  /** The log now begins behind `index`, which it holds. */
  compact(index: number): void {
    const term = this.termAt(index) ?? violated('LOG_SHAPE', `compaction at ${index} outside the log`)
    const run = this.#runAt(index)
    this.#runs =
      index === this.#lastIndex ? [] : [{ firstIndex: index + 1, term }, ...this.#runs.slice(run + 1)]
    // The entry behind may begin a run of its own; then the shortened run is empty.
    if (this.#runs[1]?.firstIndex === index + 1) this.#runs.shift()
    this.#compactedIndex = index
    this.#compactedTerm = term
    while ((this.#configurations[1]?.index ?? Infinity) <= index) this.#configurations.shift()
    this.#cutSizes()
  }

  /** A snapshot replaces everything: what the discarded log said of members is void (C2). */
  reset(index: number, term: number, configuration: Configuration, configurationIndex: number): void {
    assertWellFormed(configuration)
    this.#compactedIndex = index
    this.#compactedTerm = term
    this.#lastIndex = index
    this.#runs = []
    this.#sizes = []
    this.#sizesFirst = index + 1
    this.#configurations = [{ index: configurationIndex, configuration }]
  }

  #newest(): PlacedConfiguration {
    return this.#configurations.at(-1) ?? violated('LOG_SHAPE', 'no configuration left')
  }

  #entry(index: number, term: number, bytes: number): EntryMeta {
    // Nearly every log ends behind its newest configuration: one comparison decides.
    if (index > this.#newest().index) return { index, term, bytes }
    const placed = this.#configurations.find((candidate) => candidate.index === index)
    return placed === undefined
      ? { index, term, bytes }
      : { index, term, bytes, configuration: placed.configuration }
  }

  #sizeAt(index: number): number {
    return this.#sizes[index - this.#sizesFirst] ?? RECOVERED_ENTRY_BYTES
  }

  /** Position of the run that holds `index`. */
  #runAt(index: number): number {
    let low = 0
    let high = this.#runs.length - 1
    // Nearly every question is about the newest run.
    if (index >= (this.#runs[high]?.firstIndex ?? Infinity)) return high
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#runs[middle]?.firstIndex ?? Infinity) <= index) low = middle
      else high = middle - 1
    }
    return low
  }

  #cutSizes(): void {
    const obsolete = this.#compactedIndex + 1 - this.#sizesFirst
    if (obsolete < SIZES_CUT && obsolete < this.#sizes.length) return
    if (obsolete <= 0) return
    this.#sizes = this.#sizes.slice(obsolete)
    this.#sizesFirst += obsolete
  }

  #assertRecovered(): void {
    let previous: TermRun = { firstIndex: this.#compactedIndex, term: this.#compactedTerm }
    for (const [position, run] of this.#runs.entries()) {
      const starts =
        position === 0 ? run.firstIndex === this.#compactedIndex + 1 : run.firstIndex > previous.firstIndex
      if (!starts || run.term < previous.term || run.firstIndex > this.#lastIndex) {
        violated('LOG_SHAPE', `recovered run ${run.firstIndex}/${run.term} does not fit`)
      }
      previous = run
    }
    if (this.#runs.length === 0 && this.#lastIndex !== this.#compactedIndex) {
      violated('LOG_SHAPE', `no terms for ${this.#compactedIndex + 1}..${this.#lastIndex}`)
    }
    for (const { configuration } of this.#configurations) assertWellFormed(configuration)
  }
}
