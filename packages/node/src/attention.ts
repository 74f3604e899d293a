// Ticks for the replicas that have something to wait for; a quiet one costs nothing (performance.md, idle shards).
import type { QuietReplica } from './peers/quiet-replica.ts'

/** A replica as far as its timers go. */
export interface Ticked extends Pick<QuietReplica, 'group' | 'raft' | 'condition' | 'installing'> {
  step(input: { readonly type: 'tick' }): void
}

export interface AttentionParts<Replica extends Ticked> {
  /** Monotonic ms. */
  readonly now: () => number
  /** Still hosted here. */
  readonly hosts: (replica: Replica) => boolean
  /** Somebody else watches whether its leader, or its quorum, falls silent. */
  readonly hushed: (replica: Replica) => boolean
  /** It may wait for its turn; called at each tick for each replica attended, before its own. */
  readonly look: (replica: Replica) => 'tick' | 'skip'
}

/** Every step puts a replica in; a tick takes out those that need none before something else is stepped. */
export class Attention<Replica extends Ticked> {
  readonly #parts: AttentionParts<Replica>
  readonly #attended = new Set<Replica>()

  constructor(parts: AttentionParts<Replica>) {
    this.#parts = parts
  }

  get size(): number {
    return this.#attended.size
  }

  attend(replica: Replica): void {
    this.#attended.add(replica)
  }

  tick(): void {
    const now = this.#parts.now()
    for (const replica of this.#attended) {
      if (!this.#parts.hosts(replica) || replica.condition !== 'live') this.#attended.delete(replica)
      else if (this.#parts.look(replica) === 'tick' && !replica.installing) this.#tick(replica, now)
    }
  }

  #tick(replica: Replica, now: number): void {
    const { raft } = replica
    const at = Math.min(raft.nextTickAt, this.#parts.hushed(replica) ? Infinity : raft.silentAt)
    if (at <= now) return replica.step({ type: 'tick' })
    // What is proposed and not committed is watched (progress-watch.ts).
    const settled = raft.role !== 'leader' || raft.commitIndex === raft.lastIndex
    if (at === Infinity && settled) this.#attended.delete(replica)
  }
}
