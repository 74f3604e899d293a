// The replicas of this node: recovered, created on the map's word, addressed by group; tickets of the log find them here.
import {
  BadFrameError,
  encodeConfiguration,
  type GroupId,
  META_GROUP,
  type PeerFrame,
  type ShardMap,
} from '@quorate/protocol'
import { type Configuration, createRaft, InvariantViolation, type Recovered } from '@quorate/raft'
import { BadStateError } from '@quorate/state-machine'
import {
  DamagedRowError,
  DamageError,
  type RecoveredReplica,
  type ReplicaHead,
  type Storage,
} from '@quorate/storage'
import type { Checkpointer } from '../checkpointer.ts'
import { faultOfMessage, faultOfSnapshot, PeerFault } from '../peers/peer-fault.ts'
import type { ReplicaHost } from './host.ts'
import { recoverReplica } from './recover.ts'
import { Replica } from './replica.ts'
import { restoreState } from './restore-state.ts'
import { Shard } from './shard.ts'
import { SnapshotReceiver } from './snapshot-receiver.ts'
import { SnapshotSender } from './snapshot-sender.ts'
import { StateHashes } from './state-hashes.ts'

export interface Hosted {
  readonly replica: Replica
  /** null for the meta group. */
  readonly shard: Shard | null
  readonly sender: SnapshotSender
  readonly receiver: SnapshotReceiver
  readonly hashes: StateHashes
}

export interface ReplicasParts {
  readonly host: ReplicaHost
  readonly storage: Storage
  readonly checkpointer: () => Checkpointer
  readonly clusterId: () => string
  /** Monotonic ms of the process start. */
  readonly startedAt: number
  readonly newSnapshotId: () => string
  /** The meta group's replica exists (again): it gets its controller. */
  readonly metaHosted: (replica: Replica) => void
}

export class Replicas {
  readonly #parts: ReplicasParts
  readonly #hosted = new Map<GroupId, Hosted>()
  /** Replicas that the log knows as removed or condemned: never created again. */
  readonly #ended = new Map<string, RecoveredReplica>()
  readonly #creating = new Set<GroupId>()
  /** Until recovery has ended, what is not hosted may still be about to be: nothing is created. */
  #recovered = false
  #map: ShardMap | null = null

  constructor(parts: ReplicasParts) {
    this.#parts = parts
  }

  get(group: GroupId): Hosted | undefined {
    return this.#hosted.get(group)
  }

  all(): Iterable<Hosted> {
    return this.#hosted.values()
  }

  /** The replica exists or did: its incarnation is used up. */
  knows(group: GroupId, incarnation: number): boolean {
    return (
      this.#hosted.get(group)?.replica.incarnation === incarnation || this.#ended.has(key(group, incarnation))
    )
  }

  /** The node ends: nobody here says or does anything any more. */
  close(): void {
    for (const { replica, shard, sender } of this.#hosted.values()) {
      replica.close()
      shard?.close()
      sender.stop()
    }
  }

  /** Replicas that recovery found condemned: shown, silent. */
  condemned(): RecoveredReplica[] {
    return [...this.#ended.values()].filter((one) => one.state === 'condemned')
  }

  /** Everything that storage found: live replicas go on, others are remembered. */
  async recover(): Promise<void> {
    const { storage } = this.#parts
    await this.#dropStrays()
    for (const { log, head } of storage.replicas) {
      if (log.state === 'live') await this.#recoverOrCondemn(log, head)
      else this.#ended.set(key(log.group, log.incarnation), log)
    }
    this.#recovered = true
    if (this.#map !== null) this.follow(this.#map)
  }

  /** Creates what the map assigns to this node and the log does not know (only the map creates replicas). */
  follow(map: ShardMap): void {
    this.#map = map
    // In a damaged directory nobody knows which replicas there were: none of them may come back as a new one.
    const { damage, store } = this.#parts.storage
    if (!this.#recovered || damage !== null || store.damage !== null) return
    const { dirId } = this.#parts.storage.identity
    for (const { group, replicas } of map.groups) {
      const own = replicas.find((one) => one.node === dirId)
      if (
        own === undefined ||
        this.#hosted.has(group) ||
        this.#creating.has(group) ||
        this.#ended.has(key(group, own.incarnation))
      )
        continue
      // Shards begin with all their members; members of the meta group are added to it one by one.
      const voters =
        group === META_GROUP
          ? []
          : replicas.map((one) => one.incarnation).toSorted((left, right) => left - right)
      this.create(group, own.incarnation, { voters, outgoing: [], learners: [], learnersNext: [] }).catch(
        (error: unknown) => this.#parts.host.halt(error instanceof Error ? error : new Error(String(error))),
      )
    }
  }

  /** The created record is synced before the replica speaks. */
  async create(group: GroupId, incarnation: number, configuration: Configuration): Promise<void> {
    const { host } = this.#parts
    this.#creating.add(group)
    await host.whenSynced(
      host.append({ kind: 'created', group, incarnation, configuration: encodeConfiguration(configuration) }),
    )
    this.#creating.delete(group)
    const recovered: Recovered = {
      hardState: { currentTerm: 0, votedFor: null },
      compacted: { index: 0, term: 0 },
      terms: [],
      lastIndex: 0,
      configurations: [{ index: 0, configuration }],
      commitIndex: 0,
      appliedIndex: 0,
    }
    await this.#host({
      group,
      incarnation,
      recovered,
      head: null,
      configuration,
      configurationIndex: 0,
      lastStamp: 0,
    })
    host.event({ code: 'replica_created', group, incarnation })
  }

  synced(ticket: number): void {
    for (const { replica } of this.#hosted.values()) replica.synced(ticket)
  }

  /**
   * A message for one of this node's replicas; anything for another incarnation changes nothing. Throws `PeerFault` for
   * what no correct peer sends.
   */
  receive(
    frame: Extract<PeerFrame, { type: 'messages' | 'snapshotChunk' | 'snapshotAnswer' | 'stateHash' }>,
    sentBy: (group: GroupId, replica: number) => boolean,
  ): void {
    if (frame.type === 'messages') {
      for (const message of frame.messages) {
        const hosted = this.#hosted.get(message.group)
        if (hosted?.replica.incarnation !== message.to || !sentBy(message.group, message.from)) continue
        refuse(faultOfMessage(hosted.replica.raft, message))
        hosted.replica.receive(message)
      }
      return
    }
    const hosted = this.#hosted.get(frame.group)
    if (hosted === undefined || !sentBy(frame.group, frame.from)) return
    if (frame.type === 'stateHash') return hosted.hashes.heard(frame.from, frame.index, frame.hash)
    if (hosted.replica.incarnation !== frame.to) return
    if (frame.type === 'snapshotChunk') {
      refuse(faultOfSnapshot(hosted.replica.raft, frame))
      hosted.receiver.receive(frame)
    } else hosted.sender.answered(frame)
  }

  async #recoverOne(log: RecoveredReplica, head: ReplicaHead | null): Promise<void> {
    const { host, storage } = this.#parts
    const { group, incarnation } = log
    const recovery = recoverReplica(log, head)
    if (recovery.type === 'damaged') return this.#condemn(log, recovery.reason)
    if (recovery.type === 'beginAtState' && head !== null)
      await host.whenSynced(
        host.append({
          kind: 'reset',
          group,
          incarnation,
          index: head.appliedIndex,
          term: head.appliedTerm,
          checkpoint: storage.store.checkpointNumber,
          configuration: encodeConfiguration(head.configuration),
          configurationIndex: head.configurationIndex,
        }),
      )
    if (head !== null) this.#parts.checkpointer().adopt(head, storage.store.checkpointNumber)
    const { recovered, configuration, configurationIndex } = recovery
    const { lastStamp } = log
    await this.#host({ group, incarnation, recovered, head, configuration, configurationIndex, lastStamp })
  }

  /** What does not read back as it was written condemns its replica, not its neighbours; any other failure is the node's. */
  async #recoverOrCondemn(log: RecoveredReplica, head: ReplicaHead | null): Promise<void> {
    try {
      await this.#recoverOne(log, head?.incarnation === log.incarnation ? head : null)
    } catch (error) {
      if (!isDamage(error)) throw error
      await this.#condemn(log, String(error))
    }
  }

  /** Residue of a crash. A damaged store takes no writes, and a bad row there has condemned its replica already. */
  async #dropStrays(): Promise<void> {
    const { store } = this.#parts.storage
    if (store.damage !== null) return
    try {
      for (const { group, generation } of await store.strayGenerations())
        await store.dropGeneration(group, generation)
    } catch (error) {
      if (!(error instanceof DamagedRowError)) throw error
      this.#parts.host.event({ code: 'stray_rows_damaged', group: error.group, reason: error.message })
    }
  }

  async #condemn(log: RecoveredReplica, reason: string): Promise<void> {
    const { host } = this.#parts
    const { group, incarnation } = log
    this.#ended.set(key(group, incarnation), { ...log, state: 'condemned', reason })
    host.event({ code: 'replica_condemned', group, reason })
    await host.whenSynced(host.append({ kind: 'condemned', group, incarnation, reason }))
  }

  async #host(found: Found): Promise<void> {
    const { host, storage } = this.#parts
    const { group, incarnation, head } = found
    const state = await restoreState(storage.store, group, this.#parts.clusterId(), head)
    const generation = head?.generation ?? (await storage.store.nextGeneration())
    const raft = createRaft({
      self: incarnation,
      recovered: found.recovered,
      startedAt: this.#parts.startedAt,
      draw: host.draw(),
    })
    const replica = new Replica(host, {
      ...found,
      raft,
      state,
      generation,
      firstIndex: found.recovered.compacted.index + 1,
    })
    const hashes = new StateHashes(host, replica)
    const shard = group === META_GROUP ? null : new Shard(host, replica, hashes)
    if (shard !== null) replica.behaviour = shard
    const sender = new SnapshotSender(host, replica, this.#parts.newSnapshotId, () =>
      this.#parts.checkpointer().durableHead(group),
    )
    const receiver = new SnapshotReceiver(host, replica, {
      restore: (identity, fresh) =>
        restoreState(storage.store, group, this.#parts.clusterId(), {
          ...identity,
          appliedIndex: identity.index,
          appliedTerm: identity.term,
          generation: fresh,
        }),
      adopt: (installed, checkpoint) => this.#parts.checkpointer().adopt(installed, checkpoint),
    })
    this.#hosted.set(group, { replica, shard, sender, receiver, hashes })
    if (group === META_GROUP) this.#parts.metaHosted(replica)
    host.stepped(replica)
    replica.apply.advance(found.recovered.commitIndex)
    host.leadershipChanged(group)
  }
}

interface Found {
  readonly group: GroupId
  readonly incarnation: number
  readonly recovered: Recovered
  readonly head: ReplicaHead | null
  readonly configuration: Configuration
  readonly configurationIndex: number
  readonly lastStamp: number
}

const isDamage = (error: unknown): boolean =>
  error instanceof DamagedRowError ||
  error instanceof DamageError ||
  error instanceof BadStateError ||
  error instanceof BadFrameError ||
  error instanceof InvariantViolation

function refuse(fault: string | null): void {
  if (fault !== null) throw new PeerFault(fault)
}

const key = (group: GroupId, incarnation: number): string => `${group}.${incarnation}`
