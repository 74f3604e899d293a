// Reads the log back: what is whole is applied, what was synced and is not whole is damage, a torn tail is dropped.
import { type BatchHeader, type LogIdentity, type PlacedRecord, readBatch, readHeader } from './batch.ts'
import { BLOCK_BYTES } from './limits.ts'
import { offsetOf, positionOf, segmentOf } from './position.ts'
import type { LogRecord, ReplicaKey } from './record.ts'
import type { InternalRecord, StoredRecord } from './record-codec.ts'
import type { ReplicaTable } from './replica-table.ts'
import { ownEntry, type Run } from './run.ts'
import type { SegmentRows } from './segment-rows.ts'
import { type Chain, type Link, nextHeaderAt, readWhole, type Survey } from './survey.ts'

/** A record above what was known to be synced: to be written again before the node speaks. */
export interface TailRecord {
  readonly record: LogRecord | (InternalRecord & { readonly kind: 'moved' })
  readonly run: Run | null
}

export interface Replay {
  readonly tail: readonly TailRecord[]
  /** Replicas of which synced records are lost, with the reason. */
  readonly condemned: readonly { readonly key: ReplicaKey; readonly reason: string }[]
}

type Batch = { readonly header: BatchHeader; readonly records: readonly PlacedRecord[] | null }

/** Fills `table` with all that the chain holds, and `rows` with what it held where the log was known to be synced. */
export class Replayer {
  readonly #identity: LogIdentity
  readonly #table: ReplicaTable
  readonly #rows: SegmentRows
  readonly #syncedUpTo: number
  readonly #tail: TailRecord[] = []
  readonly #condemned: { key: ReplicaKey; reason: string }[] = []
  #rowsLoaded = false
  /** A header could not be read: everything on this node up to the next segment's beginning is suspect. */
  #unreadable: string | null = null

  constructor(survey: Survey, identity: LogIdentity, table: ReplicaTable, rows: SegmentRows) {
    this.#identity = identity
    this.#table = table
    this.#rows = rows
    this.#syncedUpTo = survey.syncedUpTo
  }

  replay(chain: Chain): Replay {
    for (const link of chain.links) {
      this.#unreadable ??= link.gapBefore
      this.#replaySegment(link)
    }
    this.#unreadable ??= chain.gapAtEnd
    this.#loadRows()
    this.#condemnAll()
    return { tail: this.#tail, condemned: this.#condemned }
  }

  #replaySegment({ segment: { number, file }, end }: Link): void {
    const bytes = readWhole(file)
    const claimed = segmentOf(this.#syncedUpTo) === number ? offsetOf(this.#syncedUpTo) : 0
    const required = end ?? claimed
    // Behind the end that its successor names a segment holds only what was dropped or written again.
    const limit = end === null ? bytes.length : Math.min(end, bytes.length)
    let at = 0
    while (at < limit) {
      const header = readHeader(bytes, number, at, this.#identity)
      const records = header === null ? null : readBatch(bytes, header, this.#identity)
      if (records === null && at >= required) return
      if (header === null) {
        this.#unreadableAt(number, at)
        at = nextHeaderAt(bytes, number, at + BLOCK_BYTES, this.#identity)
        continue
      }
      this.#replayBatch({ header, records })
      at = header.end
    }
    if (at < required) this.#unreadableAt(number, at)
  }

  #replayBatch({ header, records }: Batch): void {
    const where = `segment ${header.segment} offset ${header.offset}`
    const isTail = positionOf(header.segment, header.offset) >= this.#syncedUpTo
    if (records === null) {
      const reason = `synced records are damaged in ${where}`
      for (const key of header.groups) this.#condemned.push({ key, reason })
    }
    for (const { record, offset, bytes } of records ?? []) {
      // A preamble tells the state where its segment begins: above it, but not a part of the tail.
      const isRow = record.kind === 'replica' || record.kind === 'nodeDamaged'
      const place = { segment: header.segment, offset, bytes }
      const refused = isTail && !isRow ? this.#replayTail(record) : this.#table.apply(record, place).refused
      if (refused !== null) this.#condemned.push({ key: record, reason: `${refused} (${where})` })
    }
    if (header.opensSegment) this.#condemnAll()
  }

  /** Records above what was known to be synced get their own bytes: they are written again. */
  #replayTail(record: Exclude<StoredRecord, { readonly kind: 'replica' | 'nodeDamaged' }>): string | null {
    this.#loadRows()
    const own =
      record.kind === 'entries' || record.kind === 'moved'
        ? { ...record, entries: record.entries.map(ownEntry) }
        : record
    const applied = this.#table.apply(own, null)
    if (applied.refused !== null) return applied.refused
    this.#tail.push({ record: own, run: applied.run })
    return null
  }

  #loadRows(): void {
    if (this.#rowsLoaded) return
    this.#rowsLoaded = true
    this.#rows.load(this.#table.values(), this.#table.nodeDamage)
  }

  #unreadableAt(segment: number, offset: number): void {
    this.#unreadable ??= `synced bytes of segment ${segment} cannot be read from offset ${offset}`
  }

  /**
   * Whoever lived then may have lost something. Replicas made in later segments are none of them: so the same damage,
   * read again at each boot, does not condemn their successors.
   */
  #condemnAll(): void {
    const reason = this.#unreadable
    if (reason === null) return
    this.#unreadable = null
    this.#table.nodeDamage ??= reason
    for (const { group, incarnation } of this.#table.values()) {
      this.#condemned.push({ key: { group, incarnation }, reason })
    }
  }
}
