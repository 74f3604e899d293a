// The replicas of this node: recovered, created and removed on the map's word, addressed by group; tickets find them here.
import {
  BadFrameError,
  encodeConfiguration,
  type GroupId,
  META_GROUP,
  type PeerFrame,
  type ShardMap,
} from '@quorate/protocol'
import { type Configuration, createRaft, InvariantViolation, type Recovered } from '@quorate/raft'
import { BadStateError, keySeedOf } from '@quorate/state-machine'
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
import { isMember, isOver, provesExclusion, removeReplica } from './removal.ts'
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
  /** The meta group's replica has left: this node drives nothing. */
  readonly metaLeft: () => void
}

export class Replicas {
  readonly #parts: ReplicasParts
  readonly #hosted = new Map<GroupId, Hosted>()
  /** Replicas with something in the log that is not synced. */
  readonly #waiting = new Set<Replica>()
  /** Replicas that recovery found or made condemned: shown, silent, until the map drops them. */
  readonly #condemned = new Map<GroupId, RecoveredReplica>()
  /** The newest incarnation that this directory has had of each group: none at or below it is ever created. */
  readonly #newest = new Map<GroupId, number>()
  /** Being created or removed: nothing else happens to the group meanwhile. */
  readonly #busy = new Set<GroupId>()
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

  /** What the shards here count, entries and stored answers. */
  get storedBytes(): number {
    let bytes = 0
    for (const { shard } of this.#hosted.values())
      bytes += (shard?.state.stats.bytes ?? 0) + (shard?.state.storedAnswerBytes ?? 0)
    return bytes
  }

  /** The replica exists or did: its incarnation is used up. */
  knows(group: GroupId, incarnation: number): boolean {
    return incarnation <= (this.#newest.get(group) ?? 0)
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
    return [...this.#condemned.values()]
  }

  /** Everything that storage found: live replicas go on, others are remembered. */
  async recover(): Promise<void> {
    const { storage } = this.#parts
    await this.#dropStrays()
    for (const { log, head } of storage.replicas) {
      this.#newest.set(log.group, log.incarnation)
      if (log.state === 'live') await this.#recoverOrCondemn(log, head)
      else if (log.state === 'condemned') this.#condemned.set(log.group, log)
      // Its record was written and then the node crashed: what is left of it goes now.
      else if (head !== null) this.#end(log.group, null, () => head.generation)
    }
    this.#recovered = true
    if (this.#map !== null) this.follow(this.#map)
  }

  /** Creates what the map assigns to this node and the log does not know (only the map creates replicas); ends what is over. */
  follow(map: ShardMap): void {
    this.#map = map
    // In a damaged directory nobody knows which replicas there were: none of them may come back as a new one.
    const { damage, store } = this.#parts.storage
    if (!this.#recovered || damage !== null || store.damage !== null) return
    const groups = new Map(map.groups.map((group) => [group.group, group]))
    for (const { replica } of this.#hosted.values())
      if (isOver(map, groups.get(replica.group), replica.incarnation)) this.#remove(replica.group)
    for (const { group, incarnation } of this.#condemned.values())
      if (isOver(map, groups.get(group), incarnation)) this.#remove(group)
    const { dirId } = this.#parts.storage.identity
    for (const { group, replicas, founders } of map.groups) {
      const own = replicas.find((one) => one.node === dirId)
      if (own === undefined || this.#hosted.has(group) || this.#busy.has(group)) continue
      if (this.knows(group, own.incarnation)) continue
      // Those that a group begins with all know the same first members; whoever comes later learns them from its log.
      const voters = founders.includes(own.incarnation) ? founders : []
      this.create(group, own.incarnation, { voters, outgoing: [], learners: [], learnersNext: [] }).catch(
        this.#failed,
      )
    }
  }

  /** The created record is synced before the replica speaks. */
  async create(group: GroupId, incarnation: number, configuration: Configuration): Promise<void> {
    const { host } = this.#parts
    this.#busy.add(group)
    this.#newest.set(group, incarnation)
    this.#condemned.delete(group)
    await host.whenSynced(
      host.append({ kind: 'created', group, incarnation, configuration: encodeConfiguration(configuration) }),
    )
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
    this.#busy.delete(group)
    host.event({ code: 'replica_created', group, incarnation })
    // The map may have changed meanwhile.
    if (this.#map !== null) this.follow(this.#map)
  }

  /** Only those that wait are told: a node may host a thousand. */
  synced(ticket: number): void {
    for (const replica of this.#waiting) if (!replica.synced(ticket)) this.#waiting.delete(replica)
  }

  /**
   * A message for one of this node's replicas; anything for another incarnation changes nothing. Throws `PeerFault` for
   * what no correct peer sends.
   */
  receive(
    frame: Extract<PeerFrame, { type: 'messages' | 'snapshotChunk' | 'snapshotAnswer' | 'stateHash' }>,
    sentBy: (group: GroupId, replica: number) => boolean,
    excluded: (group: GroupId, replica: number, configurationIndex: number) => void,
  ): void {
    if (frame.type === 'messages') {
      for (const message of frame.messages) {
        const hosted = this.#hosted.get(message.group)
        if (hosted?.replica.incarnation !== message.to) continue
        const { appliedConfigurationIndex, condition } = hosted.replica
        // It may be heard all the same: it may know a newer configuration than this replica.
        if (condition === 'live' && provesExclusion(hosted.replica, message.from))
          excluded(message.group, message.from, appliedConfigurationIndex)
        if (!sentBy(message.group, message.from)) continue
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

  /** A peer's committed configuration of the group, at that index, has this replica no more (shards.md, pair heartbeat). */
  excluded({ group, to, configurationIndex }: Extract<PeerFrame, { type: 'excluded' }>): void {
    const replica = this.#hosted.get(group)?.replica
    if (replica?.incarnation !== to) return
    // Its own state says that it was a member at an index; only what came after that can have ended it.
    const { appliedConfiguration, appliedConfigurationIndex } = replica
    if (!isMember(appliedConfiguration, to) || configurationIndex <= appliedConfigurationIndex) return
    this.#remove(group)
  }

  /** Silent at once; the record, then the rows. Whatever comes for it is for another incarnation from here on. */
  #remove(group: GroupId): void {
    const hosted = this.#hosted.get(group)
    const incarnation = hosted?.replica.incarnation ?? this.#condemned.get(group)?.incarnation
    if (incarnation === undefined || this.#busy.has(group)) return
    hosted?.replica.leave()
    hosted?.sender.stop()
    this.#hosted.delete(group)
    this.#condemned.delete(group)
    if (group === META_GROUP) this.#parts.metaLeft()
    const { replicas } = this.#parts.storage
    const found = replicas.find(({ log }) => log.group === group && log.incarnation === incarnation)
    this.#end(group, incarnation, () => hosted?.replica.generation ?? found?.head?.generation ?? null)
  }

  /** `incarnation` null: its record is written already. */
  #end(group: GroupId, incarnation: number | null, generation: () => number | null): void {
    const { host, storage, checkpointer } = this.#parts
    this.#busy.add(group)
    removeReplica({ host, storage, checkpointer: checkpointer() }, { group, incarnation, generation }).then(
      () => {
        this.#busy.delete(group)
        host.event({ code: 'replica_removed', group, incarnation: this.#newest.get(group) })
        if (this.#map !== null) this.follow(this.#map)
      },
      this.#failed,
    )
  }

  readonly #failed = (error: unknown): void => {
    this.#parts.host.halt(error instanceof Error ? error : new Error(String(error)))
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
    this.#condemned.set(group, { ...log, state: 'condemned', reason })
    host.event({ code: 'replica_condemned', group, reason })
    await host.whenSynced(host.append({ kind: 'condemned', group, incarnation, reason }))
  }

  async #host(found: Found): Promise<void> {
    const { host, storage } = this.#parts
    const { group, incarnation, head } = found
    const draw = host.draw()
    // Nobody outside sees more of it than when this replica campaigns.
    const keySeed = keySeedOf(draw)
    const state = await restoreState(storage.store, group, this.#parts.clusterId(), head, { keySeed })
    const generation = head?.generation ?? (await storage.store.nextGeneration())
    const raft = createRaft({
      self: incarnation,
      recovered: found.recovered,
      startedAt: this.#parts.startedAt,
      draw,
    })
    const replica = new Replica(host, {
      ...found,
      raft,
      state,
      generation,
      firstIndex: found.recovered.compacted.index + 1,
    })
    replica.waitsForDisk = () => this.#waiting.add(replica)
    const hashes = new StateHashes(host, replica)
    const shard = group === META_GROUP ? null : new Shard(host, replica, hashes)
    if (shard !== null) replica.behaviour = shard
    const sender = new SnapshotSender(host, replica, this.#parts.newSnapshotId, () =>
      this.#parts.checkpointer().durableHead(group),
    )
    const receiver = new SnapshotReceiver(host, replica, {
      restore: (identity, fresh) =>
        restoreState(
          storage.store,
          group,
          this.#parts.clusterId(),
          { ...identity, appliedIndex: identity.index, appliedTerm: identity.term, generation: fresh },
          { keySeed },
        ),
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
