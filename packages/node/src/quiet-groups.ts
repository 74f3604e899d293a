// Groups in which nothing happens cost nothing: who is stepped when heartbeats, answers and ticks come, and who only later.
import type { DirId, GroupId } from '@quorate/protocol'
import { Attention, type Ticked } from './attention.ts'
import { HeartbeatReceiver } from './peers/heartbeat-receiver.ts'
import { LedGroups } from './peers/led-groups.ts'
import { PairHeartbeats } from './peers/pair-heartbeats.ts'
import type { Missed, QuietReplica } from './peers/quiet-replica.ts'

type Hosted = QuietReplica & Ticked

export interface QuietParts<Replica extends Hosted> {
  /** Monotonic ms. */
  readonly now: () => number
  readonly self: () => DirId
  /** Number of this process's life. */
  readonly boot: () => number
  readonly replicaOf: (group: GroupId) => Replica | undefined
  readonly nodeOf: (group: GroupId, replica: number) => DirId | null
  /** Called at each tick for each replica that may have to wait for something. */
  readonly look: (replica: Replica) => 'tick' | 'skip'
}

/**
 * The rule: every replica is, at each of its steps, as if it had been stepped with every heartbeat of its leader and
 * every answer of its followers when they came. So it hears the newest of each before anything else is stepped in it,
 * and at once where it would act on it: for something new, for waiting reads, and when nothing more may come.
 */
export class QuietGroups<Replica extends Hosted> {
  readonly receiver: HeartbeatReceiver
  readonly heartbeats: PairHeartbeats
  readonly #parts: QuietParts<Replica>
  readonly #led: LedGroups
  readonly #attention: Attention<Replica>
  /** Leaders in which reads wait for a confirmation. */
  readonly #reading = new Set<Replica>()

  constructor(parts: QuietParts<Replica>) {
    this.#parts = parts
    const { now, replicaOf, nodeOf, self } = parts
    const attend = (group: GroupId): void => {
      const replica = replicaOf(group)
      if (replica !== undefined) this.#attention.attend(replica)
    }
    this.heartbeats = new PairHeartbeats({
      now,
      attend,
      catchUp: (group) => replicaOf(group)?.catchUp(),
    })
    this.receiver = new HeartbeatReceiver({
      now,
      replicaOf,
      hosts: (peer, group, replica) => nodeOf(group, replica) === peer,
      attend: (replica) => attend(replica.group),
      sentAt: (peer, boot, sequence) =>
        boot === parts.boot() ? this.heartbeats.sentAt(peer, sequence) : null,
    })
    this.#led = new LedGroups({ heartbeats: this.heartbeats, replicaOf, nodeOf, self })
    this.#attention = new Attention({
      now,
      hosts: (replica) => replicaOf(replica.group) === replica,
      hushed: ({ raft, group }) =>
        raft.role === 'leader' ? this.#led.hushed(group) : this.receiver.hushed(group),
      look: parts.look,
    })
  }

  /** Replicas that the next tick looks at. */
  get attended(): number {
    return this.#attention.size
  }

  missed(group: GroupId): readonly Missed[] {
    const heard = this.receiver.missed(group)
    return heard === null ? this.heartbeats.missed(group) : [heard]
  }

  stepped(replica: Replica): void {
    this.#attention.attend(replica)
    this.#led.note(replica.group)
    if (replica.raft.readsWaiting > 0) this.#reading.add(replica)
  }

  /** Role, term, leader, condition or existence of the group's replica changed. */
  changed(group: GroupId): void {
    this.receiver.changed(group)
    this.#led.note(group)
  }

  /** The map, or the replicas that there are, changed. */
  mapChanged(replicas: Iterable<Replica>): void {
    for (const replica of replicas) {
      this.#led.note(replica.group)
      this.#attention.attend(replica)
    }
  }

  /** Before a beat. Returns the age in ms of the oldest confirmation among the groups led. */
  refreshLed(): number {
    this.#led.refresh()
    return this.#led.confirmedAge(this.#parts.now())
  }

  /** An answer came: reads that wait for it are released. */
  confirmed(): void {
    for (const replica of this.#reading) {
      replica.catchUp()
      if (replica.raft.readsWaiting === 0) this.#reading.delete(replica)
    }
  }

  tick(): void {
    this.receiver.noticeSilence()
    this.heartbeats.noticeSilence()
    this.#attention.tick()
  }

  /** In this life of the process the replica has applied all that was committed at some moment of it (stale reads; D8, D9). */
  hasCaughtUp({ incarnation }: Replica, appliedIndex: number): boolean {
    return (
      this.receiver.hasCaughtUp(incarnation, appliedIndex) || this.#led.hasCaughtUp(incarnation, appliedIndex)
    )
  }

  /**
   * Upper bound in ms of how old the state at `appliedIndex` is, null where it cannot be told (time.md, stale reads): at
   * a follower by its leader's heartbeats, at a leader by its confirmations.
   */
  staleAge(group: GroupId, appliedIndex: number): number | null {
    const replica = this.#parts.replicaOf(group)
    if (replica === undefined || replica.condition !== 'live') return null
    const { raft } = replica
    if (raft.role !== 'leader') return this.receiver.staleAge(group, appliedIndex)
    const now = this.#parts.now()
    const sentAt = this.#led.confirmedSentAt(group, now)
    return !raft.servesReads || appliedIndex < raft.commitIndex || sentAt === -Infinity ? null : now - sentAt
  }
}
