// Whether this node should lead, by its disk and by what its groups achieve, and who takes over where it should not.
import type { ShardMap } from '@quorate/protocol'
import { type DiskVerdict, judgeDisk } from './disk-watch.ts'
import { transferLeadership } from './hand-over.ts'
import type { NodeEvent } from './node.ts'
import { ProgressWatch } from './progress-watch.ts'
import type { Replica } from './replica/replica.ts'
import type { Shard } from './replica/shard.ts'
import { fixed } from './settings.ts'

export interface FitnessParts {
  /** Monotonic ms. */
  readonly now: () => number
  /** Since when a write or sync of the log is in flight; null if none is. Checkpoints do not count. */
  readonly diskBusySince: () => number | null
  readonly lowOnSpace: () => boolean
  readonly replicas: () => Iterable<Replica>
  /** The node of that replica answers, and has neither a full nor a stuck disk, as far as it last said. */
  readonly isFit: (group: number, voter: number) => boolean
  /** Whoever waited to campaign, or leads, is to be looked at in this tick. */
  readonly verdictChanged: () => void
  readonly event: (event: NodeEvent) => void
}

export class Fitness {
  readonly #parts: FitnessParts
  readonly #progress = new ProgressWatch()
  #disk: DiskVerdict = 'well'
  #handOverAt = 0

  constructor(parts: FitnessParts) {
    this.#parts = parts
  }

  get mayLead(): boolean {
    return this.#disk === 'well'
  }

  /** At each tick. A write or sync that does not end must not keep what others could lead (A15). */
  watchDisk(): void {
    const { now, diskBusySince, event, verdictChanged } = this.#parts
    const since = diskBusySince()
    const verdict = judgeDisk(since === null ? 0 : now() - since)
    if (verdict === this.#disk) return
    this.#disk = verdict
    event({ code: 'disk_watch', verdict })
    verdictChanged()
  }

  /** At each tick. A leader that cannot write: leadership goes to a node that can, now and then until it has. */
  leadElsewhere(): void {
    const { now, lowOnSpace, replicas } = this.#parts
    if (!lowOnSpace() && this.#disk !== 'handOver') return
    if (now() < this.#handOverAt) return
    this.#handOverAt = now() + fixed.spaceHandOverMs
    for (const replica of replicas()) if (replica.isLeader) this.#transfer(replica)
  }

  /** At a tick, for a replica that may have something to wait for. */
  look(replica: Replica, map: ShardMap | null, shard: Shard | null): 'tick' | 'skip' {
    if (map !== null) shard?.found(map)
    if (this.#disk !== 'well' && !replica.isLeader) return 'skip'
    if (this.#disk === 'stepDown') return this.#stepDown(replica, 'disk')
    switch (this.#progress.look(replica.group, replica.raft, this.#parts.now())) {
      case 'wait':
        return 'tick'
      case 'stepDown':
        return this.#stepDown(replica, 'progress')
      case 'transfer':
        this.#transfer(replica)
        this.#parts.event({ code: 'leader_stuck', group: replica.group })
        return 'tick'
    }
  }

  #transfer(replica: Replica): void {
    transferLeadership(replica, (voter) => this.#parts.isFit(replica.group, voter))
  }

  #stepDown(replica: Replica, reason: 'disk' | 'progress'): 'skip' {
    this.#parts.event({ code: 'stepped_down', group: replica.group, reason })
    replica.step({ type: 'stepDown' })
    return 'skip'
  }
}
