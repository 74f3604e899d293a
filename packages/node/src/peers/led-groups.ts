// Which of the groups led here each peer has to hear of, how far it may commit, and how old the leadership is known to be.
import type { DirId, GroupId } from '@quorate/protocol'
import type { Configuration } from '@quorate/raft'
import { FirstCommits } from './first-commits.ts'
import type { Led, PairHeartbeats } from './pair-heartbeats.ts'
import type { QuietReplica } from './quiet-replica.ts'

/** `confirmedAge` of a leader that does not know it. */
export const AGE_UNKNOWN: number = Number.MAX_SAFE_INTEGER

export interface LedParts {
  readonly heartbeats: PairHeartbeats
  readonly replicaOf: (group: GroupId) => QuietReplica | undefined
  readonly nodeOf: (group: GroupId, replica: number) => DirId | null
  readonly self: () => DirId
}

/** The nodes whose confirmations make a quorum: the same for many groups. */
interface Seat {
  readonly key: string
  readonly voters: readonly (DirId | null)[]
  readonly outgoing: readonly (DirId | null)[]
  groups: number
}

/** Kept as replicas are stepped, so that a beat looks only at groups in which something happened. */
export class LedGroups {
  readonly #parts: LedParts
  readonly #dirty = new Set<GroupId>()
  readonly #seats = new Map<string, Seat>()
  readonly #seatOf = new Map<GroupId, Seat>()
  readonly #firstCommits = new FirstCommits()

  constructor(parts: LedParts) {
    this.#parts = parts
  }

  /** Something happened in the group, or the map changed. */
  note(group: GroupId): void {
    this.#dirty.add(group)
  }

  /** Before a beat: what happened is in the led sets. */
  refresh(): void {
    for (const group of this.#dirty) this.#refresh(group)
    this.#dirty.clear()
  }

  /** True if the group has heard from all its members lately (`PairHeartbeats`). */
  hushed(group: GroupId): boolean {
    const replica = this.#parts.replicaOf(group)
    // What is led but not yet in the sets has not been confirmed by anybody.
    if (replica === undefined || this.#dirty.has(group)) return false
    return this.#parts.heartbeats.hushed(group, membersOf(replica.raft.configuration).length - 1)
  }

  /** The replica led in this life, and has applied what was committed then. */
  hasCaughtUp(incarnation: number, appliedIndex: number): boolean {
    return this.#firstCommits.reached(incarnation, appliedIndex)
  }

  /** Ms since the oldest group led here was confirmed by a quorum: what stale reads at followers add to their own age. */
  confirmedAge(now: number): number {
    let oldest = now
    for (const { voters, outgoing } of this.#seats.values())
      oldest = Math.min(oldest, this.#quorum(voters, now), this.#quorum(outgoing, now))
    for (const group of this.#parts.heartbeats.unconfirmed())
      oldest = Math.min(oldest, this.confirmedSentAt(group, now))
    return oldest === -Infinity ? AGE_UNKNOWN : now - oldest
  }

  /** Send time of the newest heartbeat that a quorum of the group has confirmed; -Infinity without one. */
  confirmedSentAt(group: GroupId, now: number): number {
    const replica = this.#parts.replicaOf(group)
    // One that serves no reads yet is told as capped: its age is unknown whatever is confirmed.
    if (replica === undefined || !replica.raft.servesReads) return now
    const { voters, outgoing } = replica.raft.configuration
    const sentAt = (voter: number): number =>
      voter === replica.incarnation ? now : this.#parts.heartbeats.confirmedSentAt(group, voter)
    return Math.min(majorityOf(voters.map(sentAt)), majorityOf(outgoing.map(sentAt)))
  }

  #quorum(nodes: readonly (DirId | null)[], now: number): number {
    const self = this.#parts.self()
    return majorityOf(
      nodes.map((node) =>
        node === self ? now : node === null ? -Infinity : this.#parts.heartbeats.answeredSentAt(node),
      ),
    )
  }

  /** A commit index is capped by what the receiver is known to hold, so that a higher one proves a loss. */
  #refresh(group: GroupId): void {
    const { heartbeats, replicaOf, nodeOf } = this.#parts
    const replica = replicaOf(group)
    if (replica === undefined || replica.raft.role !== 'leader' || replica.condition !== 'live') {
      heartbeats.lead(group, [])
      this.#unseat(group)
      return
    }
    const { raft, incarnation } = replica
    const { configuration, commitIndex, currentTerm: term, servesReads } = raft
    if (servesReads) this.#firstCommits.told(incarnation, commitIndex)
    const led: Led[] = []
    for (const receiver of membersOf(configuration)) {
      const peer = receiver === incarnation ? null : nodeOf(group, receiver)
      if (peer === null || peer === this.#parts.self()) continue
      const match = raft.matchIndexOf(receiver) ?? 0
      led.push({
        peer,
        group,
        term,
        leader: incarnation,
        receiver,
        commitIndex: Math.min(commitIndex, match),
        capped: match < commitIndex || !servesReads,
      })
    }
    heartbeats.lead(group, led)
    this.#seat(group, configuration)
  }

  #seat(group: GroupId, { voters, outgoing }: Configuration): void {
    const nodes = (replicas: readonly number[]): (DirId | null)[] =>
      replicas.map((one) => this.#parts.nodeOf(group, one))
    const key = `${nodes(voters).join(' ')}/${nodes(outgoing).join(' ')}`
    if (this.#seatOf.get(group)?.key === key) return
    this.#unseat(group)
    let seat = this.#seats.get(key)
    if (seat === undefined) {
      seat = { key, voters: nodes(voters), outgoing: nodes(outgoing), groups: 0 }
      this.#seats.set(key, seat)
    }
    seat.groups += 1
    this.#seatOf.set(group, seat)
  }

  #unseat(group: GroupId): void {
    const seat = this.#seatOf.get(group)
    if (seat === undefined) return
    this.#seatOf.delete(group)
    seat.groups -= 1
    if (seat.groups === 0) this.#seats.delete(seat.key)
  }
}

function membersOf({ voters, outgoing, learners }: Configuration): readonly number[] {
  if (outgoing.length === 0 && learners.length === 0) return voters
  return [...new Set([...voters, ...outgoing, ...learners])]
}

/** The largest value that a majority has reached; Infinity where there is nobody to ask. */
function majorityOf(values: readonly number[]): number {
  if (values.length === 0) return Infinity
  return values.toSorted((left, right) => right - left)[values.length >> 1] ?? -Infinity
}
