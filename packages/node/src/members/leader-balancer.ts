// Spreads leaderships: every node decides for the shards that it leads, from counts that the nodes tell each other.
import { type DirId, limits, META_GROUP, type PeerFrame } from '@quorate/protocol'
import { transferTo } from '../hand-over.ts'
import type { MapHolder } from '../map-holder.ts'
import type { Replica } from '../replica/replica.ts'
import { type LedShard, planTransfer, type Transfer } from './plan-transfer.ts'

export interface BalancerParts {
  /** Ms between two looks, on average; 0 switches balancing off. */
  readonly everyMs: number
  readonly map: MapHolder
  readonly replicas: () => Iterable<Replica>
  readonly replica: (group: number) => Replica | undefined
  readonly now: () => number
  /** Uniform in [0, 1). */
  readonly draw: () => number
  /** The node answers and has disk space. */
  readonly isHealthy: (node: DirId) => boolean
  readonly broadcast: (frame: PeerFrame) => void
}

/** Counts come once a look; one that was not repeated for this many looks counts for nothing. */
const LOOKS_REMEMBERED = 2
/**
 * A node takes leaderships over when it has told its counts for this many looks without a pause: one that has just come (back)
 * reads its log and catches up, and where nodes come and go every transfer would make the gaps longer. 10 s by default.
 */
const LOOKS_TO_SETTLE = 20
/** A transfer that has not succeeded by then has failed: the core gives up after one election timeout. */
const TRANSFER_MS = 2 * limits.electionTimeoutMsMax
/** After a failed transfer, during which writes waited, none is tried for this long. */
const PAUSE_MS = 10_000

interface Load {
  readonly leads: number
  /** Monotonic ms. */
  readonly heardAt: number
  /** Since when it has told its counts without a pause. */
  readonly since: number
}

/**
 * Only the leader of a shard knows who could take over, so it decides; the meta leader would have to ask it. Counts of two
 * nodes that look at the same moment may be late: the random pause between looks and the difference of two keep that rare
 * and harmless. The meta group's leader is not balanced: it has next to nothing to do.
 */
export class LeaderBalancer {
  readonly #parts: BalancerParts
  readonly #loads = new Map<DirId, Load>()
  #lookAt = 0
  /** Leadership began or ended here: the peers are told at the next tick. */
  #changed = false
  #underWay: { readonly group: number; readonly endsAt: number } | null = null

  constructor(parts: BalancerParts) {
    this.#parts = parts
    this.#lookAgain(parts.now(), parts.everyMs)
  }

  leadershipChanged(): void {
    this.#changed = true
  }

  heard(from: DirId, leads: number): void {
    const { everyMs, now } = this.#parts
    const heardAt = now()
    const before = this.#loads.get(from)
    const goesOn = before !== undefined && heardAt - before.heardAt <= LOOKS_REMEMBERED * everyMs
    this.#loads.set(from, { leads, heardAt, since: goesOn ? before.since : heardAt })
  }

  tick(): void {
    const { everyMs, now: clock, broadcast } = this.#parts
    const now = clock()
    if (everyMs === 0) return
    const due = now >= this.#lookAt
    if (!due && !this.#changed) return
    this.#changed = false
    const led = this.#led()
    broadcast({ type: 'load', leads: led.length })
    if (!due) return
    this.#lookAgain(now, everyMs)
    if (this.#waitsForTransfer(now)) return
    const transfer = planTransfer({
      leads: led.length,
      loads: this.#known(now),
      shards: led.map(this.#shard),
    })
    if (transfer !== null) this.#begin(transfer, now)
  }

  /** Half to one and a half times the interval, so that nodes do not look at the same moment. */
  #lookAgain(now: number, ms: number): void {
    this.#lookAt = now + ms * (0.5 + this.#parts.draw())
  }

  #led(): Replica[] {
    const led: Replica[] = []
    for (const replica of this.#parts.replicas())
      if (replica.group !== META_GROUP && replica.isLeader) led.push(replica)
    return led
  }

  #known(now: number): Map<DirId, number> {
    const { everyMs } = this.#parts
    const known = new Map<DirId, number>()
    for (const [node, { leads, heardAt, since }] of this.#loads)
      if (heardAt < now - LOOKS_REMEMBERED * everyMs) this.#loads.delete(node)
      else if (since <= now - LOOKS_TO_SETTLE * everyMs) known.set(node, leads)
    return known
  }

  readonly #shard = ({ group, incarnation, raft }: Replica): LedShard => {
    const { voters, outgoing } = raft.configuration
    const { map } = this.#parts
    // While its members change, the change decides who leads.
    if (outgoing.length > 0 || !raft.servesReads || map.changeOf(group) !== null) return { group, heirs: [] }
    const heirs = voters.flatMap((voter) => {
      const node = map.nodeOf(group, voter)
      const isHeir =
        voter !== incarnation &&
        node !== null &&
        (raft.matchIndexOf(voter) ?? 0) >= raft.commitIndex &&
        this.#parts.isHealthy(node)
      return isHeir ? [node] : []
    })
    return { group, heirs }
  }

  /** One transfer at a time. */
  #waitsForTransfer(now: number): boolean {
    if (this.#underWay === null) return false
    const { group, endsAt } = this.#underWay
    const failed = this.#parts.replica(group)?.isLeader === true
    if (failed && now < endsAt) return true
    this.#underWay = null
    if (failed) this.#lookAt = now + PAUSE_MS
    return failed
  }

  #begin({ group, to }: Transfer, now: number): void {
    const replica = this.#parts.replica(group)
    const voter = this.#parts.map.incarnationAt(group, to)
    if (replica === undefined || voter === null) return
    this.#underWay = { group, endsAt: now + TRANSFER_MS }
    transferTo(replica, voter)
  }
}
