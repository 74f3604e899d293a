// Records on their way to the disk, in their order.
import { BATCH_BYTES_MAX } from './limits.ts'
import { recordBytes, type StoredRecord } from './record-codec.ts'
import type { Run } from './run.ts'

export interface QueuedRecord {
  readonly ticket: number
  readonly record: StoredRecord
  /** Whose place the record's place becomes. */
  readonly run: Run | null
  readonly bytes: number
}

export class WriteQueue {
  #records: QueuedRecord[] = []
  #oldest = 0
  #lastTicket = 0

  get isEmpty(): boolean {
    return this.#oldest === this.#records.length
  }

  push(record: StoredRecord, run: Run | null): number {
    this.#lastTicket += 1
    this.#records.push({ ticket: this.#lastTicket, record, run, bytes: recordBytes(record) })
    return this.#lastTicket
  }

  /** What the next batch holds: everything up to the limit, at least one record. It stays queued until `remove`. */
  peekBatch(): readonly QueuedRecord[] {
    let end = this.#oldest
    let bytes = 0
    for (; end < this.#records.length; end += 1) {
      bytes += this.#records[end]?.bytes ?? 0
      if (bytes > BATCH_BYTES_MAX && end > this.#oldest) break
    }
    return this.#records.slice(this.#oldest, end)
  }

  remove(count: number): void {
    this.#oldest += count
    if (this.#oldest < this.#records.length) return
    this.#records = []
    this.#oldest = 0
  }
}
