// Lease reads whose index is not applied yet: the lease held when they arrived, and that is all they need of it.
import type { ErrorCode } from '@quorate/protocol'
import type { QueuedRead } from './read-queue.ts'

interface Waiting {
  readonly read: QueuedRead
  /** The commit index at its arrival. */
  readonly index: number
  /** L at its arrival: later than that this leader may be none. */
  readonly t: number
}

export class LeaseWaits {
  #waiting: Waiting[] = []

  get count(): number {
    return this.#waiting.length
  }

  wait(read: QueuedRead, index: number, t: number): void {
    this.#waiting.push({ read, index, t })
  }

  /** Takes the reads whose index is applied. */
  ready(appliedIndex: number): readonly Waiting[] {
    if (this.#waiting.length === 0) return []
    const ready = this.#waiting.filter(({ index }) => index <= appliedIndex)
    if (ready.length > 0) this.#waiting = this.#waiting.filter(({ index }) => index > appliedIndex)
    return ready
  }

  refuseAll(code: ErrorCode): void {
    for (const { read } of this.#waiting.splice(0)) read.refused(code)
  }
}
