// What a shard adds to a replica: linearizable reads, the founding of its slots, and the comparison of state hashes.
import { encodeSection, limits, type ShardMap } from '@quorate/protocol'
import type { ReadStep, ShardState } from '@quorate/state-machine'
import type { LogEntry } from '@quorate/storage'
import { fixed } from '../settings.ts'
import type { ReplicaHost } from './host.ts'
import type { Requester } from './proposals.ts'
import { relief } from './relieve-answers.ts'
import { ReadQueue, type QueuedRead } from './read-queue.ts'
import type { Replica, ReplicaBehaviour } from './replica.ts'
import type { StateHashes } from './state-hashes.ts'
import { Sweeper } from './sweeper.ts'
import { TickWaits } from './tick-waits.ts'

export class Shard implements ReplicaBehaviour {
  readonly replica: Replica
  readonly #host: ReplicaHost
  readonly #reads = new ReadQueue()
  readonly #hashes: StateHashes
  readonly #ticks: TickWaits
  readonly #sweeper: Sweeper
  #founding = false

  constructor(host: ReplicaHost, replica: Replica, hashes: StateHashes) {
    this.#host = host
    this.replica = replica
    this.#hashes = hashes
    this.#ticks = new TickWaits(host, replica, this.#propose)
    this.#sweeper = new Sweeper(host, replica, this.#propose)
  }

  get state(): ShardState {
    return this.replica.state as ShardState
  }

  /** A validated section of a client; the requester hears exactly once. */
  write(bytes: Uint8Array, deletesOnly: boolean, requester: Requester): void {
    const { replica } = this
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
    replica.proposals.enqueue({ bytes, requester })
    this.#host.turn.at('propose', this.#propose)
  }

  /** A linearizable read: answered once, after a confirmation that began after this call. */
  read(read: QueuedRead): void {
    const { replica } = this
    if (replica.condition !== 'live') return read.refused('REPLICA_STOPPED')
    if (!replica.isLeader) return read.refused('NOT_LEADER')
    if (this.#reads.count + this.#ticks.count >= fixed.readsWaitingPerGroup) return read.refused('OVERLOADED')
    this.#reads.arrive(read)
    this.#host.turn.at('propose', this.#beginReads)
  }

  roleChanged(): void {
    if (!this.replica.isLeader) this.#refuseReads('NOT_LEADER')
    this.#founding = false
    this.#sweeper.look()
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
  }

  ended(): void {
    this.#sweeper.stop()
    this.#refuseReads('REPLICA_STOPPED')
  }

  /** The node ends: no timer is left. */
  close(): void {
    this.#sweeper.stop()
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
    const confirmed = this.#reads.ready(this.state.appliedIndex)
    if (confirmed.length === 0) return
    const t = this.replica.leaderTime()
    for (const read of confirmed) this.#begin(read, t)
  }

  #begin(read: QueuedRead, t: number): void {
    try {
      this.#follow(read, this.state, this.state.beginRead(read.keys, t))
    } catch (error) {
      this.#failed(read, error)
    }
  }

  /** A change of leader drops every read position, also the confirmed ones that wait for apply or a tick (rule 6). */
  #refuseReads(code: 'NOT_LEADER' | 'REPLICA_STOPPED'): void {
    for (const { round, count } of this.#reads.refuseAll(code)) this.#host.readsEnded(round, count)
    this.#ticks.refuseAll(code)
  }

  #failed(read: QueuedRead, error: unknown): void {
    read.refused('REPLICA_STOPPED')
    this.replica.failed(error instanceof Error ? error : new Error(String(error)))
  }

  /** Rows come from the store until memory and store agree on one moment (rule 27). */
  #follow(read: QueuedRead, state: ShardState, step: ReadStep): void {
    if (step.type === 'answers') return read.answers(step.answers)
    if (step.type === 'tick') {
      // While its rows were fetched leadership may have been lost: nobody would commit the tick.
      if (!this.replica.isLeader) return read.refused('NOT_LEADER')
      return this.#ticks.wait(read, step.t)
    }
    this.#host.store
      .getMany(this.replica.group, this.replica.generation, step.rows)
      .then((rows) => {
        if (this.replica.condition !== 'live') return read.refused('REPLICA_STOPPED')
        // A snapshot replaced the state meanwhile: what was fetched belongs to another generation.
        if (this.state !== state) return read.refused('NOT_LEADER')
        this.#follow(read, state, state.completeRead(step.ticket, rows))
      })
      .catch((error: unknown) => this.#failed(read, error))
  }
}

/** Asks for an entry of the leader's own: whatever becomes of it, nobody waits. */
const nobody: Requester = { answers: () => {}, refused: () => {}, open: () => {} }
