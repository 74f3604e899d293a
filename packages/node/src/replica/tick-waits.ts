// Reads of what expires between the log clock and their t: they wait for one tick, shared by all of them (time.md).
import { encodeSection, type ErrorCode } from '@quorate/protocol'
import type { ReplicaHost } from './host.ts'
import type { QueuedRead } from './read-queue.ts'
import type { Replica } from './replica.ts'

interface Waiting {
  readonly read: QueuedRead
  readonly t: number
}

/** Only of a leader; a read in here is evaluated again at its t, or refused. */
export class TickWaits {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  readonly #propose: () => void
  #waiting: Waiting[] = []
  /** A tick is queued or in the log. */
  #ticking = false

  constructor(host: ReplicaHost, replica: Replica, propose: () => void) {
    this.#host = host
    this.#replica = replica
    this.#propose = propose
  }

  get count(): number {
    return this.#waiting.length
  }

  wait(read: QueuedRead, t: number): void {
    this.#waiting.push({ read, t })
    this.#tick()
  }

  /** Takes the reads whose t the log clock has reached, by the tick or by any other entry. */
  ready(clock: number): readonly Waiting[] {
    if (this.#waiting.length === 0) return []
    const ready = this.#waiting.filter(({ t }) => t <= clock)
    this.#waiting = this.#waiting.filter(({ t }) => t > clock)
    // These came when the tick had its stamp already.
    if (this.#waiting.length > 0) this.#tick()
    return ready
  }

  refuseAll(code: ErrorCode): void {
    for (const { read } of this.#waiting.splice(0)) read.refused(code)
  }

  /** Its stamp is L when it is appended: at or above the t of everything that waits by then. */
  #tick(): void {
    if (this.#ticking) return
    this.#ticking = true
    const failed = (code: ErrorCode): void => {
      this.#ticking = false
      this.refuseAll(code)
    }
    this.#replica.proposals.enqueue({
      bytes: encodeSection({ kind: 'tick', group: this.#replica.group }),
      requester: {
        answers: () => {
          this.#ticking = false
        },
        refused: failed,
        open: () => failed('NOT_LEADER'),
      },
    })
    this.#host.turn.at('propose', this.#propose)
  }
}
