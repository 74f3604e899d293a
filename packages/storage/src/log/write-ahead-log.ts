// The one writer of the log: while a sync is in flight the next batch collects (storage.md, the write-ahead log).
import assert from 'node:assert/strict'
import { DiskError, type Timer } from '@quorate/runtime'
import { type BatchBuilder, batchBytesMax } from './batch.ts'
import { DurationCounts, type Durations } from './duration-counts.ts'
import type { EntryReader } from './entry-reader.ts'
import { IDLE_MARKER_MS, REWRITE_AFTER_SEGMENTS, REWRITE_PART } from './limits.ts'
import type { LogOptions } from './log-options.ts'
import type { LogPosition, LogStats, WriteAheadLog } from './log.ts'
import { positionOf } from './position.ts'
import { excessUpTo, holders, oldestNeeded, toWriteAgain } from './reclaim.ts'
import type { LogEntry, LogRecord } from './record.ts'
import type { StoredRecord } from './record-codec.ts'
import type { ReplicaTable } from './replica-table.ts'
import type { Run } from './run.ts'
import type { Segment, SegmentFiles } from './segment-files.ts'
import type { SegmentRows } from './segment-rows.ts'
import type { SegmentSupply } from './segment-supply.ts'
import type { TailCache } from './tail-cache.ts'
import { type QueuedRecord, WriteQueue } from './write-queue.ts'

export interface LogParts {
  readonly table: ReplicaTable
  readonly tailCache: TailCache
  readonly rows: SegmentRows
  readonly files: SegmentFiles
  readonly reader: EntryReader
  readonly builder: BatchBuilder
  readonly supply: SegmentSupply
  /** The segment of this boot, opened and synced, and how far it may be filled. */
  readonly current: Segment
  readonly capacity: number
}

export class SegmentedLog implements WriteAheadLog {
  syncedTicket = 0
  syncedPosition: LogPosition
  readonly #options: LogOptions
  readonly #parts: LogParts
  readonly #queue: WriteQueue = new WriteQueue()
  #current: Segment
  #capacity: number
  #writtenTicket = 0
  #batches = 0
  #syncs = 0
  #bytesWritten = 0
  #busySince: number | null = null
  readonly #durations = new DurationCounts()
  #syncing = false
  #flushWanted = false
  /** A batch waits for the next segment. */
  #waiting = false
  #markerTimer: Timer | null = null
  /** Everything written is known to be synced by what a later boot can read. */
  #marked = true
  #segmentOpened = false
  /** Oldest segment that the newest preamble names, and that the newest synced one names: older ones may go. */
  #preambleFrom: number
  #neededFrom: number
  #deleting: Promise<void> | null = null
  /** Oldest segment of the runs that queued records have dropped: the disk does not know yet that they are gone. */
  #droppedFrom: number = Number.POSITIVE_INFINITY
  #failed = false
  #closing = false
  #closed = false
  #whenIdle: (() => void)[] = []

  constructor(options: LogOptions, parts: LogParts) {
    this.#options = options
    this.#parts = parts
    this.#current = parts.current
    this.#capacity = parts.capacity
    this.syncedPosition = positionOf(parts.current.number, parts.current.end)
    this.#neededFrom = oldestNeeded(parts.table.values(), parts.current.number)
    this.#preambleFrom = this.#neededFrom
    this.#deleteUnneeded()
  }

  append(record: LogRecord): number {
    assert(!this.#closed, 'the log is closed')
    const applied = this.#parts.table.apply(record, null)
    assert(applied.refused === null, applied.refused ?? '')
    return this.#queue.push(record, applied.run)
  }

  flush(): void {
    if (this.#failed || this.#queue.isEmpty) return
    if (this.#syncing || this.#waiting) this.#flushWanted = true
    else this.#write(() => this.#writeQueued())
  }

  entries(group: number, from: number, to: number, maxBytes: number): LogEntry[] | null {
    const replica = this.#parts.table.get(group)
    return replica === undefined ? null : this.#parts.reader.read(replica, from, to, maxBytes)
  }

  compactionWanted(): readonly { readonly group: number; readonly index: number }[] {
    const upTo = excessUpTo(this.#parts.files.all, this.#options.retainBytes)
    if (upTo === 0) return []
    return holders(this.#parts.table.values(), upTo).map(({ group, index }) => ({ group, index }))
  }

  get stats(): LogStats {
    return {
      batches: this.#batches,
      syncs: this.#syncs,
      bytesWritten: this.#bytesWritten,
      segments: this.#parts.files.all.length,
      busySince: this.#busySince,
    }
  }

  get durations(): Durations {
    return this.#durations.read()
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#markerTimer?.cancel()
    this.flush()
    await this.#idle()
    if (!this.#marked && !this.#failed) this.#write(() => this.#writeMarker())
    // Appended since by somebody who will not flush it: nothing that waits in the queue may keep this from ending.
    this.flush()
    await this.#idle()
    this.#closed = true
    await this.#parts.supply.close()
    await this.#deleting
    this.#parts.files.closeAll()
  }

  /** The host of the table: a run left a log. */
  runDropped({ place }: Run): void {
    if (place !== null && place.segment < this.#droppedFrom) this.#droppedFrom = place.segment
  }

  segmentReady(): void {
    if (!this.#waiting || this.#failed) return
    this.#waiting = false
    this.#write(() => this.#writeQueued())
  }

  /** No segment can be made. Only a log that already waits for it has nowhere to write. */
  noSpace(): void {
    if (this.#waiting) this.fail(new DiskError('ENOSPC', 'there is no space for another segment of the log'))
  }

  /** The first failure ends all writing: what a failed write or sync left behind is unknown (rule 11). */
  fail(error: Error): void {
    if (this.#failed) return
    this.#failed = true
    this.#markerTimer?.cancel()
    this.#resolveIdle()
    this.#options.onFailure(error)
  }

  #write(write: () => void): void {
    this.#busySince ??= this.#options.clock.monotonicMs()
    this.#markerTimer?.cancel()
    this.#flushWanted = false
    try {
      write()
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Everything queued, as far as the segment reaches; the rest follows after this sync. */
  #writeQueued(): void {
    let written = false
    while (!this.#queue.isEmpty) {
      const queued = this.#queue.peekBatch()
      if (!this.#fits(queued)) {
        this.#flushWanted = true
        if (written) break
        if (!this.#openNextSegment()) return
      }
      this.#writeRecords(queued)
      written = true
    }
    if (this.#queue.isEmpty) this.#droppedFrom = Number.POSITIVE_INFINITY
    this.#marked = false
    this.#sync()
  }

  #fits(queued: readonly QueuedRecord[]): boolean {
    const bytes = queued.reduce((sum, record) => sum + record.bytes, 0)
    const hardStates = queued.filter(({ record }) => record.kind === 'hardState').length
    return this.#current.end + batchBytesMax(queued.length, bytes, hardStates) <= this.#capacity
  }

  #writeRecords(queued: readonly QueuedRecord[]): void {
    const { number, end } = this.#current
    const offsets = this.#writeBatch(queued.map(({ record }) => record))
    queued.forEach(({ ticket, record, run, bytes }, index) => {
      this.#parts.rows.note(record)
      this.#writtenTicket = ticket
      if (run === null) return
      // Dropped while it waited, by a record that may reach the disk only behind the next preamble.
      if (run.place === null && run.entries === null) this.#droppedFrom = Math.min(this.#droppedFrom, number)
      run.place = { segment: number, offset: offsets[index] ?? end, bytes }
      run.moving = false
    })
    this.#queue.remove(queued.length)
    this.#parts.tailCache.trim()
  }

  #writeBatch(records: readonly StoredRecord[], firstSegment = 0): readonly number[] {
    const { number, end, file } = this.#current
    const { bytes, offsets } = this.#parts.builder.build({
      segment: number,
      offset: end,
      opensSegment: end === 0,
      syncedUpTo: this.syncedPosition,
      firstSegment,
      records,
    })
    file.write([bytes], end)
    this.#current.end = end + bytes.length
    this.#batches += 1
    this.#bytesWritten += bytes.length
    return offsets
  }

  /** False where the next segment is not ready: `segmentReady` goes on. Nothing is in flight when this is called. */
  #openNextSegment(): boolean {
    const { files, supply, table, rows } = this.#parts
    const prepared = supply.take()
    if (prepared === null) {
      this.#waiting = true
      return false
    }
    this.#current = { number: prepared.number, file: prepared.file, end: 0 }
    files.add(this.#current)
    this.#preambleFrom = Math.min(oldestNeeded(table.values(), prepared.number), this.#droppedFrom)
    this.#writeBatch(rows.records(), this.#preambleFrom)
    this.#capacity = capacityOf(prepared.bytes, this.#current.end)
    this.#segmentOpened = true
    this.#writeAgain()
    return true
  }

  /** Records that alone keep the oldest segments: they leave the log with the preamble after this one. */
  #writeAgain(): void {
    const { files, table, reader } = this.#parts
    const { retainBytes, segmentBytes } = this.#options
    const upTo = excessUpTo(files.all, retainBytes + REWRITE_AFTER_SEGMENTS * segmentBytes)
    if (upTo === 0) return
    for (const { replica, run } of toWriteAgain(
      table.values(),
      files.all,
      upTo,
      segmentBytes * REWRITE_PART,
    )) {
      const { group, incarnation, state } = replica
      let entries: readonly LogEntry[]
      try {
        entries = reader.entriesOf(replica, run)
      } catch {
        // The host hears of it when it reads it. Of a replica that no longer votes it need not be kept.
        if (state === 'condemned') replica.runs = replica.runs.filter((other) => other !== run)
        continue
      }
      run.moving = true
      const kept = entries.filter(({ index }) => index >= run.firstIndex && index <= run.lastIndex)
      this.#queue.push({ kind: 'moved', group, incarnation, entries: kept }, run)
    }
  }

  #writeMarker(): void {
    if (this.#current.end + batchBytesMax(0, 0, 0) <= this.#capacity) this.#writeBatch([])
    // A preamble says what a marker says.
    else if (!this.#openNextSegment()) {
      this.#waiting = false
      this.#busySince = null
      return this.#armMarker()
    }
    this.#marked = true
    this.#sync()
  }

  #sync(): void {
    this.#syncing = true
    this.#syncs += 1
    const { number, end, file } = this.#current
    const ticket = this.#writtenTicket
    file.datasync().then(
      () => this.#synced(ticket, positionOf(number, end)),
      (error: unknown) => this.fail(error instanceof Error ? error : new Error(String(error))),
    )
  }

  #synced(ticket: number, position: LogPosition): void {
    if (this.#failed) return
    this.#syncing = false
    if (this.#busySince !== null) this.#durations.add(this.#options.clock.monotonicMs() - this.#busySince)
    this.#busySince = null
    this.syncedPosition = position
    this.#neededFrom = this.#preambleFrom
    this.#deleteUnneeded()
    if (!this.#closing) this.#armMarker()
    if (this.#segmentOpened) this.#options.onSegment(position)
    this.#segmentOpened = false
    if (ticket > this.syncedTicket) {
      this.syncedTicket = ticket
      this.#options.onSynced(ticket, position)
    }
    if ((this.#flushWanted || this.#closing) && !this.#syncing) this.flush()
    if (!this.#syncing && !this.#waiting) this.#resolveIdle()
  }

  #armMarker(): void {
    this.#markerTimer?.cancel()
    if (this.#marked) return
    this.#markerTimer = this.#options.timers.after(IDLE_MARKER_MS, () => {
      if (!this.#syncing && !this.#waiting && !this.#failed && !this.#closing)
        this.#write(() => this.#writeMarker())
    })
  }

  /** Strictly oldest first, behind a synced preamble that no longer needs them, each name gone before the next. */
  #deleteUnneeded(): void {
    const oldest = this.#parts.files.all[0]
    if (this.#deleting !== null || oldest === undefined || oldest.number >= this.#neededFrom || this.#failed)
      return
    this.#deleting = this.#parts.files.deleteOldest().then(
      () => {
        this.#deleting = null
        this.#parts.supply.refill()
        if (!this.#closing) this.#deleteUnneeded()
      },
      (error: unknown) => {
        this.#deleting = null
        this.fail(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }

  #idle(): Promise<void> {
    if (this.#failed || (!this.#syncing && !this.#waiting && this.#queue.isEmpty)) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #resolveIdle(): void {
    if (!this.#failed && !this.#queue.isEmpty) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}

/** A long preamble must not eat its segment: at least half a segment of records follows it. */
export function capacityOf(segmentBytes: number, preambleBytes: number): number {
  return Math.max(segmentBytes, preambleBytes + Math.floor(segmentBytes / 2))
}
