/**
 * Makes a leader remove what has expired, also where nobody asks (time.md). It keeps one timer, for the earliest deadline; a
 * shard without deadlines has none, and looking costs a comparison.
 */
import { encodeSection } from '@quorate/protocol'
import type { Timer } from '@quorate/runtime'
import type { ShardState } from '@quorate/state-machine'
import { fixed } from '../settings.ts'
import type { ReplicaHost } from './host.ts'
import type { Replica } from './replica.ts'

export class Sweeper {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  readonly #propose: () => void
  #timer: Timer | null = null
  /** The deadline that the timer waits for. */
  #armedFor = 0
  /** A sweep is on its way, or the store is asked what expires next. */
  #busy = false

  constructor(host: ReplicaHost, replica: Replica, propose: () => void) {
    this.#host = host
    this.#replica = replica
    this.#propose = propose
  }

  /** Entries were applied, or the role changed. */
  look(pauseMs: number = fixed.sweepPauseMs): void {
    if (!this.#leads) return this.stop()
    if (this.#busy) return
    const { earliestDeadline } = this.#state
    if (earliestDeadline === null) return this.stop()
    if (earliestDeadline === 'unknown') return this.#lookAhead()
    if (this.#timer !== null && this.#armedFor <= earliestDeadline) return
    this.stop()
    this.#armedFor = earliestDeadline
    const delayMs = earliestDeadline - this.#replica.leaderTime()
    const timerMs = Math.max(pauseMs, Math.min(delayMs, fixed.sweepLookMs))
    this.#timer = this.#host.timers.after(timerMs, () => {
      this.#timer = null
      this.#due()
    })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  get #state(): ShardState {
    return this.#replica.state as ShardState
  }

  /** What it has applied is what its log says: before that an earliest deadline may be long gone. */
  get #leads(): boolean {
    return this.#replica.isLeader && this.#replica.raft.servesReads
  }

  #due(): void {
    if (!this.#leads || this.#busy) return
    const { earliestDeadline } = this.#state
    const isDue = typeof earliestDeadline === 'number' && earliestDeadline <= this.#replica.leaderTime()
    if (!isDue) return this.look()
    // A removal waits in memory for a checkpoint like any change; where space is short it is welcome.
    if (this.#host.admission() === 'overloaded') return this.look(fixed.sweepRetryMs)
    this.#sweep()
  }

  #sweep(): void {
    this.#busy = true
    const ended = (pauseMs: number): void => {
      this.#busy = false
      this.look(pauseMs)
    }
    const { group, proposals } = this.#replica
    proposals.enqueue({
      bytes: encodeSection({ kind: 'sweep', group, limit: fixed.sweepEntries }),
      requester: {
        answers: () => ended(fixed.sweepPauseMs),
        refused: () => ended(fixed.sweepRetryMs),
        open: () => ended(fixed.sweepRetryMs),
      },
    })
    this.#host.turn.at('propose', this.#propose)
  }

  #lookAhead(): void {
    const replica = this.#replica
    const { state } = replica
    const scan = this.#state.lookAhead()
    if (scan === null) return
    this.#busy = true
    this.#host.store.scan(replica.group, replica.generation, scan).then(
      (rows) => {
        this.#busy = false
        // A snapshot replaced the state: what was read is of another generation.
        if (replica.condition !== 'live' || replica.state !== state) return
        try {
          scan.complete(rows)
        } catch (error) {
          return replica.failed(error instanceof Error ? error : new Error(String(error)))
        }
        this.look()
      },
      (error: unknown) => {
        this.#busy = false
        replica.failed(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }
}
