// Linearizable reads of one group: waiting for their round, then for apply to reach their index (shards.md, read position).
import type { Answer, ErrorCode } from '@quorate/protocol'

export interface QueuedRead {
  readonly keys: readonly Uint8Array[]
  /** `age` of a stale read: ms, null where it cannot be told. */
  readonly answers: (answers: readonly Answer[], age?: number | null) => void
  readonly refused: (code: ErrorCode) => void
}

interface Waiting {
  readonly round: number
  readonly reads: readonly QueuedRead[]
  /** null until confirmed. */
  index: number | null
}

/** A read is evaluated once, after both its confirmation and its index, or refused: a read has no effect to be unsure of. */
export class ReadQueue {
  #arrived: QueuedRead[] = []
  readonly #waiting = new Map<number, Waiting>()
  #tag = 0
  #count = 0

  /** Reads that arrived or wait. */
  get count(): number {
    return this.#count
  }

  arrive(read: QueuedRead): void {
    this.#arrived.push(read)
    this.#count += 1
  }

  /** Everything that arrived waits for `round` under one tag; null if nothing arrived. */
  begin(round: number): { readonly tag: number; readonly count: number } | null {
    if (this.#arrived.length === 0) return null
    this.#tag += 1
    this.#waiting.set(this.#tag, { round, reads: this.#arrived, index: null })
    const count = this.#arrived.length
    this.#arrived = []
    return { tag: this.#tag, count }
  }

  /** Leadership was confirmed for the tag; returns its round and count for the bookkeeping of rounds. */
  confirmed(tag: number, index: number): { readonly round: number; readonly count: number } | null {
    const waiting = this.#waiting.get(tag)
    if (waiting === undefined || waiting.index !== null) return null
    waiting.index = index
    return { round: waiting.round, count: waiting.reads.length }
  }

  /** Takes the reads whose index is applied. */
  ready(appliedIndex: number): QueuedRead[] {
    const ready: QueuedRead[] = []
    for (const [tag, waiting] of this.#waiting) {
      if (waiting.index === null || waiting.index > appliedIndex) continue
      this.#waiting.delete(tag)
      ready.push(...waiting.reads)
    }
    this.#count -= ready.length
    return ready
  }

  /** The tag lost its leader. Returns what the rounds no longer have to wait for. */
  dropped(tag: number, code: ErrorCode): { readonly round: number; readonly count: number } | null {
    const waiting = this.#waiting.get(tag)
    if (waiting === undefined) return null
    this.#waiting.delete(tag)
    this.#count -= waiting.reads.length
    for (const read of waiting.reads) read.refused(code)
    return waiting.index === null ? { round: waiting.round, count: waiting.reads.length } : null
  }

  /** Refuses what arrived and has no tag yet. */
  refuseArrived(code: ErrorCode): void {
    this.#count -= this.#arrived.length
    for (const read of this.#arrived.splice(0)) read.refused(code)
  }

  /** Refuses everything, confirmed or not (leadership lost, replica stopped). Returns the rounds to be released. */
  refuseAll(code: ErrorCode): { readonly round: number; readonly count: number }[] {
    this.refuseArrived(code)
    const released: { readonly round: number; readonly count: number }[] = []
    for (const tag of this.#waiting.keys()) {
      const round = this.dropped(tag, code)
      if (round !== null) released.push(round)
    }
    return released
  }
}
