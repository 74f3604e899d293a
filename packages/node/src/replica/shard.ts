// What a shard adds to a replica: linearizable reads, the founding of its slots, and the comparison of state hashes.
import { encodeSection, limits, type RelaxedRead, type SectionHeader, type ShardMap } from '@quorate/protocol'
import type { ShardState } from '@quorate/state-machine'
import type { LogEntry } from '@quorate/storage'
import { fixed } from '../settings.ts'
import { Evictor } from './evictor.ts'
import { followRead } from './follow-read.ts'
import { holdsLease } from './holds-lease.ts'
import type { ReplicaHost } from './host.ts'
import { LeaseWaits } from './lease-waits.ts'
import type { Requester } from './proposals.ts'
import { relief } from './relieve-answers.ts'
import { ReadQueue, type QueuedRead } from './read-queue.ts'
import type { Replica, ReplicaBehaviour } from './replica.ts'
import { readStale } from './stale-read.ts'
import type { StateHashes } from './state-hashes.ts'
import { Sweeper } from './sweeper.ts'
import { TickWaits } from './tick-waits.ts'

export class Shard implements ReplicaBehaviour {
  readonly replica: Replica
  readonly #host: ReplicaHost
  readonly #reads = new ReadQueue()
  readonly #leases = new LeaseWaits()
  readonly #hashes: StateHashes
  readonly #ticks: TickWaits
  readonly #sweeper: Sweeper
  readonly #evictor: Evictor
  #founding = false

  constructor(host: ReplicaHost, replica: Replica, hashes: StateHashes) {
    this.#host = host
    this.replica = replica
    this.#hashes = hashes
    this.#ticks = new TickWaits(host, replica, this.#propose)
    this.#sweeper = new Sweeper(host, replica, this.#propose)
    this.#evictor = new Evictor(host, replica, this.#propose)
  }

  get state(): ShardState {
    return this.replica.state as ShardState
  }

  /** A validated section of a client with its header; the requester hears exactly once. */
  write(bytes: Uint8Array, header: SectionHeader, requester: Requester): void {
    const { replica } = this
    const deletesOnly = header.deletesOnly || header.kind !== 'commands'
    if (replica.condition !== 'live') return requester.refused('REPLICA_STOPPED')
    if (!replica.isLeader) return requester.refused('NOT_LEADER')
    const admission = this.#host.admission()
    if (admission === 'diskFull' && !deletesOnly) return requester.refused('DISK_FULL')
    if (admission === 'overloaded') return requester.refused('OVERLOADED')
    if (replica.proposals.queuedBytes > fixed.queuedBytesPerGroup) return requester.refused('OVERLOADED')
    if (this.state.storedAnswerBytes > limits.storedAnswersBytesPerShard) {
      const admitted = relief(bytes)
      if (admitted?.type === 'acknowledgement')
        replica.proposals.enqueue({ bytes: admitted.bytes, requester: nobody })
      if (admitted !== null) this.#host.turn.at('propose', this.#propose)
      if (admitted?.type !== 'whole') return requester.refused('OVERLOADED')
    }
    const admitted = deletesOnly ? requester : this.#evictor.admit(header, requester)
    if (admitted === null) return requester.refused('OVERLOADED')
    replica.proposals.enqueue({ bytes, requester: admitted })
    this.#host.turn.at('propose', this.#propose)
  }

  /** A linearizable read: answered once, after a confirmation that began after this call. */
  read(read: QueuedRead): void {
    if (!this.#admits(read)) return
    this.#reads.arrive(read)
    this.#host.turn.at('propose', this.#beginReads)
  }

  /** A read that asks for less than a round of confirmations. One that this leader cannot give becomes a linearizable one. */
  relaxedRead(read: QueuedRead, how: RelaxedRead): void {
    if (how.consistency === 'lease') return this.#leaseRead(read)
    const { replica } = this
    if (replica.condition !== 'live') return read.refused('REPLICA_STOPPED')
    readStale(this.#host, replica, { read, maxAge: how.maxAge }, () => {
      if (!replica.isLeader) return read.refused('TOO_OLD')
      this.read({ ...read, answers: (answers) => read.answers(answers, 0) })
    })
  }

  /** Also linearizable: evaluated at or behind all that was acknowledged at its arrival, which the lease proves to be known here. */
  #leaseRead(read: QueuedRead): void {
    if (!this.#admits(read)) return
    const { replica } = this
    if (!holdsLease(this.#host, replica)) return this.read(read)
    const { commitIndex } = replica.raft
    const t = replica.leaderTime()
    if (commitIndex <= this.state.appliedIndex) return this.#begin(read, t)
    this.#leases.wait(read, commitIndex, t)
  }

  #admits(read: QueuedRead): boolean {
    const { replica } = this
    const waiting = this.#reads.count + this.#ticks.count + this.#leases.count
    if (replica.condition !== 'live') read.refused('REPLICA_STOPPED')
    else if (!replica.isLeader) read.refused('NOT_LEADER')
    else if (waiting >= fixed.readsWaitingPerGroup) read.refused('OVERLOADED')
    else return true
    return false
  }

  roleChanged(): void {
    if (!this.replica.isLeader) this.#refuseReads('NOT_LEADER')
    this.#founding = false
    this.#sweeper.look()
    this.#evictor.roleChanged()
  }

  readsConfirmed(tag: number, index: number): void {
    const round = this.#reads.confirmed(tag, index)
    if (round !== null) this.#host.readsEnded(round.round, round.count)
    this.#evaluate()
  }

  readsDropped(tag: number): void {
    const round = this.#reads.dropped(tag, 'NOT_LEADER')
    if (round !== null) this.#host.readsEnded(round.round, round.count)
  }

  applied(entry: LogEntry): void {
    const { removals } = this.state
    if (removals.length > 0) this.#host.removed(this.replica.group, removals)
    if (entry.index % this.#host.settings.stateHashEvery === 0)
      this.#hashes.reached(entry.index, this.state.stateHash())
  }

  appliedUpTo(): void {
    this.#evaluate()
    this.#sweeper.look()
    this.#evictor.look()
  }

  ended(): void {
    this.#sweeper.stop()
    this.#evictor.stop()
    this.#refuseReads('REPLICA_STOPPED')
  }

  /** The node ends: no timer is left. */
  close(): void {
    this.#sweeper.stop()
    this.#evictor.stop()
  }

  /** A leader whose shard owns nothing yet proposes what the map founded it with; apply takes it once. */
  found(map: ShardMap): void {
    const { replica } = this
    if (this.#founding || !replica.isLeader || !replica.raft.servesReads || this.state.stats.slots > 0) return
    if (replica.condition !== 'live' || replica.state.appliedIndex < replica.raft.commitIndex) return
    const group = map.groups.find((one) => one.group === replica.group)
    if (group === undefined || group.foundedAt === 0) return
    const slots = new Uint8Array(limits.slots / 8)
    for (const [slot, owner] of map.slots.entries())
      if (owner === replica.group) slots[slot >> 3] = (slots[slot >> 3] ?? 0) | (1 << (slot & 7))
    this.#founding = true
    const again = (): void => {
      this.#founding = false
      this.#host.stepped(replica)
    }
    const bytes = encodeSection({ kind: 'found', group: replica.group, epoch: group.foundedAt, slots })
    replica.proposals.enqueue({ bytes, requester: { answers: again, refused: again, open: again } })
    this.#host.turn.at('propose', this.#propose)
  }

  readonly #propose = (): void => this.replica.proposeQueued()

  readonly #beginReads = (): void => {
    const round = this.#host.nextReadRound()
    const begun = this.#reads.begin(round)
    if (begun === null) return
    this.#host.readsWait(round, begun.count)
    this.replica.step({ type: 'read', round, tag: begun.tag })
  }

  #evaluate(): void {
    if (this.replica.condition !== 'live') return
    for (const { read, t } of this.#ticks.ready(this.state.clock)) this.#begin(read, t)
    for (const { read, t } of this.#leases.ready(this.state.appliedIndex)) this.#begin(read, t)
    const confirmed = this.#reads.ready(this.state.appliedIndex)
    if (confirmed.length === 0) return
    const t = this.replica.leaderTime()
    for (const read of confirmed) this.#begin(read, t)
  }

  #begin({ keys, ...read }: QueuedRead, t: number): void {
    followRead(
      this.#host,
      this.replica,
      { keys, t },
      {
        ...read,
        tick: (at) => {
          // While its rows were fetched leadership may have been lost: nobody would commit the tick.
          if (!this.replica.isLeader) return read.refused('NOT_LEADER')
          this.#ticks.wait({ keys, ...read }, at)
        },
      },
    )
  }

  /** A change of leader drops every read position, also the confirmed ones that wait for apply or a tick (rule 6). */
  #refuseReads(code: 'NOT_LEADER' | 'REPLICA_STOPPED'): void {
    for (const { round, count } of this.#reads.refuseAll(code)) this.#host.readsEnded(round, count)
    this.#ticks.refuseAll(code)
    this.#leases.refuseAll(code)
  }
}

/** Asks for an entry of the leader's own: whatever becomes of it, nobody waits. */
const nobody: Requester = { answers: () => {}, refused: () => {}, open: () => {} }
