// Commands on their way: queued for the next entry, then in the log until their index is applied or taken by another.
import { type Answer, type ErrorCode, limits } from '@quorate/protocol'

/** Who asked; called exactly once. */
export interface Requester {
  answers(answers: readonly Answer[]): void
  refused(code: ErrorCode): void
  /** The outcome is open: it may still take effect. */
  open(code: ErrorCode): void
}

export interface QueuedSection {
  readonly bytes: Uint8Array
  readonly requester: Requester
}

interface Appended {
  readonly term: number
  readonly requesters: readonly Requester[]
}

/** Sections of one group. A section is answered once: refused before the log, or answered at its index, or open. */
export class Proposals {
  readonly #queue: QueuedSection[] = []
  #queuedBytes = 0
  /** By log index; at most one entry each: a newer append at the index closes the older one as refused. */
  readonly #appended = new Map<number, Appended>()

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get queued(): boolean {
    return this.#queue.length > 0
  }

  enqueue(section: QueuedSection): void {
    this.#queue.push(section)
    this.#queuedBytes += section.bytes.length
  }

  /** Takes the next entry's sections: up to the entry limit, the first whatever its size; empty if none wait. */
  takeBatch(): QueuedSection[] {
    let bytes = 0
    let count = 0
    for (const section of this.#queue) {
      if (count > 0 && bytes + section.bytes.length > limits.entryBytes) break
      bytes += section.bytes.length
      count += 1
    }
    this.#queuedBytes -= bytes
    return this.#queue.splice(0, count)
  }

  /** The batch is in this leader's log. */
  appended(index: number, term: number, batch: readonly QueuedSection[]): void {
    this.#appended.set(index, { term, requesters: batch.map((section) => section.requester) })
  }

  /** The entry at `index` is applied: its requesters hear the answers, or that another entry took their place. */
  applied(index: number, term: number, answers: readonly (readonly Answer[])[]): void {
    const appended = this.#appended.get(index)
    if (appended === undefined) return
    this.#appended.delete(index)
    for (const [at, requester] of appended.requesters.entries()) {
      const sectionAnswers = answers[at]
      // A different committed entry at the index is the one proof that this one never commits (sessions.md).
      if (appended.term !== term) requester.refused('NOT_LEADER')
      else if (sectionAnswers === undefined) requester.open('LEADERSHIP_LOST')
      else requester.answers(sectionAnswers)
    }
  }

  /** Leadership is lost: what waits was never appended; what was appended may still win under another leader. */
  leadershipLost(): void {
    this.refuseQueued('NOT_LEADER')
    for (const { requesters } of this.#appended.values())
      for (const requester of requesters) requester.open('LEADERSHIP_LOST')
    this.#appended.clear()
  }

  refuseQueued(code: ErrorCode): void {
    this.#queuedBytes = 0
    for (const { requester } of this.#queue.splice(0)) requester.refused(code)
  }
}
