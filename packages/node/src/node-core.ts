// The running parts of a node, wired: storage below, replicas in the middle, peers and clients around them.
import {
  type DirId,
  type GroupId,
  META_GROUP,
  type PeerFrame,
  type PeerHello,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  type ShardMap,
} from '@quorate/protocol'
import type { Network, Runtime } from '@quorate/runtime'
import type { Removal } from '@quorate/state-machine'
import type { LogRecord, Storage } from '@quorate/storage'
import { Announcer } from './announcer.ts'
import { Checkpointer } from './checkpointer.ts'
import { FlightRecorder } from './flight/flight-recorder.ts'
import { ClockWatch } from './clock-watch.ts'
import { agreedWallMs, type HeardClock } from './log-clock.ts'
import { MAP_FILE, MapHolder } from './map-holder.ts'
import { type Founding, MetaController } from './meta/controller.ts'
import { Membership } from './members/membership.ts'
import type { NodeEvent, NodeSettings } from './node.ts'
import { AGE_UNKNOWN } from './peers/led-groups.ts'
import { Pairs } from './peers/pairs.ts'
import type { Missed } from './peers/quiet-replica.ts'
import type { Caller, OwnIdentity } from './peers/peer-acceptor.ts'
import { PeerFault } from './peers/peer-fault.ts'
import { ReadRounds } from './peers/read-rounds.ts'
import type { ReplicaHost } from './replica/host.ts'
import type { Replica } from './replica/replica.ts'
import { Replicas } from './replica/replicas.ts'
import { Fitness } from './fitness.ts'
import { SnapshotTraffic } from './replica/snapshot-traffic.ts'
import { OverlaySum } from './overlay-sum.ts'
import { QuietGroups } from './quiet-groups.ts'
import { Scrubber } from './scrubber.ts'
import { fixed } from './settings.ts'
import type { SyncWaits } from './sync-waits.ts'
import type { Turn } from './turn.ts'

export interface CoreParts {
  readonly runtime: Runtime
  readonly peerNetwork: Network
  readonly storage: Storage
  readonly settings: NodeSettings
  readonly turn: Turn
  readonly waits: SyncWaits
  readonly name: string
  readonly dataDirectory: string
  readonly startedAt: number
  /** Addresses as bound. */
  readonly peerAddress: () => string
  readonly clientAddress: () => string
  /** The cluster this node belongs to or is about to form. */
  readonly clusterId: () => string | null
  readonly founding: () => Founding | null
  /** A caller arrived, or a map came, while this node may still be blank. */
  readonly arrived: (caller: Caller) => void
  readonly mapOffered: (caller: Caller, map: ShardMap) => void
  readonly event: (event: NodeEvent) => void
  readonly removed: (group: GroupId, removals: readonly Removal[]) => void
  readonly halt: (error: Error) => void
}

export class NodeCore implements ReplicaHost {
  readonly map: MapHolder
  readonly rounds: ReadRounds = new ReadRounds()
  readonly quiet: QuietGroups<Replica>
  readonly pairs: Pairs
  readonly replicas: Replicas
  readonly checkpointer: Checkpointer
  readonly scrubber: Scrubber
  readonly snapshotTraffic: SnapshotTraffic = new SnapshotTraffic()
  readonly membership: Membership
  readonly flight: FlightRecorder
  controller: MetaController | null = null
  readonly #parts: CoreParts
  #snapshots = 0
  #links = 0
  #lastTicket = 0
  readonly #fitness: Fitness
  readonly #announcer: Announcer
  readonly #overlay = new OverlaySum()
  readonly #clockWatch: ClockWatch

  constructor(parts: CoreParts) {
    this.#parts = parts
    const { storage, runtime } = parts
    this.#clockWatch = new ClockWatch({ now: () => this.now(), wallMs: () => runtime.clock.wallMs() })
    this.map = new MapHolder(
      { read: () => storage.readFile(MAP_FILE), write: (bytes) => storage.writeFile(MAP_FILE, bytes) },
      parts.halt,
    )
    this.quiet = new QuietGroups({
      now: () => this.now(),
      self: () => this.#dirId,
      boot: () => storage.identity.boot,
      replicaOf: (group) => this.replicas.get(group)?.replica,
      nodeOf: (group, replica) => this.map.nodeOf(group, replica),
      look: (replica) =>
        this.#fitness.look(replica, this.map.map, this.replicas.get(replica.group)?.shard ?? null),
    })
    this.#fitness = new Fitness({
      now: () => this.now(),
      diskBusySince: () => storage.log.stats.busySince,
      lowOnSpace: () => storage.lowOnSpace,
      replicas: () => this.#live(),
      isFit: (group, voter) => {
        const node = this.map.nodeOf(group, voter)
        return node !== null && this.pairs.isFit(node)
      },
      verdictChanged: () => this.quiet.mapChanged(this.#live()),
      event: (event) => this.event(event),
    })
    this.#announcer = this.#newAnnouncer()
    this.checkpointer = new Checkpointer({
      store: storage.store,
      log: storage.log,
      timers: runtime.timers,
      settings: parts.settings,
      now: () => this.now(),
      replicas: () => this.#live(),
      append: (record) => this.append(record),
      logMayGoUpTo: (group) => this.replicas.get(group)?.sender.logMayGoUpTo ?? Infinity,
      halt: parts.halt,
    })
    this.flight = new FlightRecorder({
      ...parts,
      host: this,
      durableHead: (group) => this.checkpointer.durableHead(group),
    })
    this.replicas = new Replicas({
      host: this,
      storage,
      checkpointer: () => this.checkpointer,
      clusterId: () => parts.clusterId() ?? '',
      startedAt: parts.startedAt,
      newSnapshotId: () => `${storage.identity.dirId}.${storage.identity.boot}.${(this.#snapshots += 1)}`,
      metaHosted: (replica) => this.#metaHosted(replica),
      metaLeft: () => {
        this.controller = null
      },
    })
    this.scrubber = this.#makeScrubber()
    this.pairs = this.#makePairs()
    this.membership = this.#makeMembership()
  }

  get turn(): Turn {
    return this.#parts.turn
  }
  get timers(): Runtime['timers'] {
    return this.#parts.runtime.timers
  }
  get store(): Storage['store'] {
    return this.#parts.storage.store
  }
  get settings(): NodeSettings {
    return this.#parts.settings
  }

  now(): number {
    return this.#parts.runtime.clock.monotonicMs()
  }

  draw(): number {
    return this.#parts.runtime.random.next()
  }

  append(record: LogRecord): number {
    this.turn.at('log', this.#flushLog)
    this.#lastTicket = this.#parts.storage.log.append(record)
    return this.#lastTicket
  }

  whenSynced(ticket: number): Promise<void> {
    return this.#parts.waits.wait(ticket)
  }

  syncedPosition(): number {
    return this.#parts.storage.log.syncedPosition
  }

  entries(...range: Parameters<ReplicaHost['entries']>): ReturnType<ReplicaHost['entries']> {
    return this.#parts.storage.log.entries(...range)
  }

  logBytes(): number {
    return this.#parts.storage.log.stats.bytesWritten
  }

  sendTo(group: number, replica: number, frame: PeerFrame): void {
    const node = this.map.nodeOf(group, replica)
    if (node !== null) this.pairs.send(node, frame)
  }

  shardBytesMax(): number {
    return this.map.shardBytesMax
  }

  agreedWallMs(group: number, voters: readonly number[]): number | null {
    const now = this.now()
    const own: HeardClock = { wallMs: this.#parts.runtime.clock.wallMs(), heardAt: now }
    const nodes = voters.map((voter) => this.map.nodeOf(group, voter))
    return agreedWallMs(
      nodes.map((node) => (node === this.#dirId ? own : node === null ? null : this.pairs.clockOf(node))),
      now,
    )
  }

  clientAddressOf(group: number, replica: number): string | null {
    const node = this.map.nodeOf(group, replica)
    return node === null ? null : (this.map.node(node)?.clientAddress ?? null)
  }

  nextReadRound(): number {
    return this.rounds.next
  }

  readsWait(round: number, count: number): void {
    this.rounds.wait(round, count)
    this.turn.at('read', this.pairs.beatIfDue)
  }

  readsEnded(round: number, count: number): void {
    this.rounds.ended(round, count)
    if (this.rounds.due) this.turn.at('read', this.pairs.beatIfDue)
  }

  missed(group: number): readonly Missed[] {
    return this.quiet.missed(group)
  }

  stepped(replica: Replica): void {
    this.quiet.stepped(replica)
  }

  leadershipChanged(group: number): void {
    this.quiet.changed(group)
    this.membership.leadershipChanged()
    const hosted = this.replicas.get(group)
    if (hosted !== undefined && !hosted.replica.isLeader) hosted.sender.stop()
  }

  admission(): 'open' | 'diskFull' | 'overloaded' {
    if (this.#parts.storage.lowOnSpace) return 'diskFull'
    return this.overlayFull() ? 'overloaded' : 'open'
  }

  overlayFull(): boolean {
    return this.#overlay.bytes > fixed.overlayBytes
  }

  get overlayBytes(): number {
    return this.#overlay.bytes
  }

  overlayChanged(group: number): void {
    this.#overlay.note(group, this.replicas.get(group)?.shard?.state.overlayBytes ?? 0)
  }

  #newAnnouncer(): Announcer {
    return new Announcer({
      now: () => this.now(),
      known: () => this.map.node(this.#dirId),
      self: () => ({
        dirId: this.#dirId,
        name: this.#parts.name,
        peerAddress: this.#parts.peerAddress(),
        clientAddress: this.#parts.clientAddress(),
      }),
      ask: (join) => {
        this.pairs.broadcast(join)
        this.#joined(join)
      },
    })
  }

  mayLead(): boolean {
    return this.#fitness.mayLead
  }

  leaseVoidedAt(): number {
    return this.#clockWatch.leaseVoidedAt()
  }

  hasCaughtUp(group: number): boolean {
    const replica = this.replicas.get(group)?.replica
    return replica !== undefined && this.quiet.hasCaughtUp(replica, replica.state.appliedIndex)
  }

  staleAge(group: number): number | null {
    const replica = this.replicas.get(group)?.replica
    const age = replica === undefined ? null : this.quiet.staleAge(group, replica.state.appliedIndex)
    return age === null ? null : this.#clockWatch.trustedAge(age)
  }

  overlayReleased(again: () => void): void {
    this.checkpointer.onRelease(again)
  }

  checkpointNow(group: number): Promise<number> {
    return this.checkpointer.now(group)
  }

  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.checkpointer.exclusively(work)
  }

  event(event: NodeEvent): void {
    this.#parts.event(event)
  }

  removed(group: GroupId, removals: readonly Removal[]): void {
    this.#parts.removed(group, removals)
  }

  halt(error: Error): void {
    this.#parts.halt(error)
  }

  /** Timers of the groups that have something to wait for. */
  tick(): void {
    this.#clockWatch.ticked()
    this.#fitness.watchDisk()
    this.quiet.tick()
    this.controller?.tick()
    this.membership.tick()
    this.#announcer.tick()
    this.#fitness.leadElsewhere()
  }

  identity(): OwnIdentity {
    const { dirId, boot, clusterId } = this.#parts.storage.identity
    return { dirId, boot, clusterId, mapEpoch: this.map.epoch }
  }

  /** For a link of its own: the three hellos of a link differ in their channel only. */
  hello(to: DirId | null): PeerHello {
    return {
      type: 'hello',
      protocolMin: PROTOCOL_VERSION_MIN,
      protocolMax: PROTOCOL_VERSION_MAX,
      features: 0,
      ...this.identity(),
      recoveredLog: this.#parts.storage.recoveredPosition,
      name: this.#parts.name,
      peerAddress: this.#parts.peerAddress(),
      clientAddress: this.#parts.clientAddress(),
      to,
      channel: 'control',
      link: (this.#links += 1),
    }
  }

  /** The map changed, or was loaded: peers, replicas and clients follow it. */
  followMap(map: ShardMap): void {
    this.pairs.setNodes(map.nodes.filter((node) => node.dirId !== this.#dirId))
    this.replicas.follow(map)
    this.quiet.mapChanged(this.#live())
    this.pairs.broadcast({ type: 'map', map })
  }

  get #dirId(): DirId {
    return this.#parts.storage.identity.dirId
  }

  *#live(): Iterable<Replica> {
    for (const { replica } of this.replicas.all()) yield replica
  }

  readonly #flushLog = (): void => this.#parts.storage.log.flush()

  #metaHosted(replica: Replica): void {
    const { founding } = this.#parts
    this.controller = new MetaController({
      replica,
      turn: this.turn,
      founding: founding(),
      isHeard: (node) => node === this.#dirId || this.pairs.isHeard(node),
      mapChanged: (state) => {
        if (state.formed) this.map.offer(state.map)
      },
    })
    replica.behaviour = this.controller
  }

  #makeScrubber(): Scrubber {
    return new Scrubber({
      store: this.store,
      timers: this.timers,
      scrubMs: this.settings.scrubMs,
      now: () => this.now(),
      draw: () => this.draw(),
      replicas: () => this.#live(),
      storedBytes: () => this.replicas.storedBytes,
      durableHead: (group) => this.checkpointer.durableHead(group),
      exclusively: (work) => this.exclusively(work),
      event: (event) => this.event(event),
      halt: (error) => this.halt(error),
    })
  }

  #makeMembership(): Membership {
    return new Membership({
      self: this.#dirId,
      map: this.map,
      replicas: this.replicas,
      balanceLeadersMs: this.settings.balanceLeadersMs,
      controller: () => this.controller,
      now: () => this.now(),
      draw: () => this.draw(),
      isHealthy: (node) => node === this.#dirId || this.pairs.isFit(node),
      send: (node, frame) => this.pairs.send(node, frame),
      broadcast: (frame) => this.pairs.broadcast(frame),
      event: (event) => this.event(event),
    })
  }

  #makePairs(): Pairs {
    const { runtime, storage } = this.#parts
    return new Pairs({
      network: this.#parts.peerNetwork,
      timers: runtime.timers,
      random: runtime.random,
      turn: this.turn,
      rounds: this.rounds,
      receiver: this.quiet.receiver,
      heartbeats: this.quiet.heartbeats,
      led: () => this.#clockWatch.trustedAge(this.quiet.refreshLed()) ?? AGE_UNKNOWN,
      identity: () => this.identity(),
      isRemoved: (node) => this.map.isRemoved(node),
      hello: (to) => this.hello(to),
      isMember: (dirId) => this.map.node(dirId) !== null,
      logSynced: () => this.whenSynced(this.#lastTicket),
      now: () => this.now(),
      wallMs: () => runtime.clock.wallMs(),
      syncedLog: () => storage.log.syncedPosition,
      unfit: () => storage.lowOnSpace || !this.mayLead(),
      confirmed: () => this.quiet.confirmed(),
      arrived: this.#parts.arrived,
      received: (caller, frame) => this.#received(caller, frame),
      linked: (peer, mapEpoch) => {
        if (this.map.map !== null && mapEpoch < this.map.epoch)
          this.pairs.send(peer, { type: 'map', map: this.map.map })
      },
      refused: (code, message) => {
        this.event({ code: 'peer_refused', reason: code, message })
        if (code === 'RESTORED' || code === 'REMOVED') this.halt(new Error(message))
      },
      event: (event) => this.event(event),
    })
  }

  #received(caller: Caller, frame: PeerFrame): void {
    switch (frame.type) {
      case 'messages':
      case 'snapshotChunk':
      case 'snapshotAnswer':
      case 'stateHash':
        return this.replicas.receive(
          frame,
          (group, replica) => this.map.nodeOf(group, replica) === caller.hello.dirId,
          (group, to, configurationIndex) =>
            this.pairs.send(caller.hello.dirId, { type: 'excluded', group, to, configurationIndex }),
        )
      case 'excluded':
      case 'metaReport':
      case 'load':
        return this.membership.received(caller.hello.dirId, frame)
      case 'map':
        return this.#parts.mapOffered(caller, frame.map)
      case 'join':
        // A stranger speaks for itself alone; members pass on what they were asked.
        if (frame.dirId !== caller.hello.dirId && this.map.node(caller.hello.dirId) === null)
          throw new PeerFault('a stranger wants another directory to join')
        return this.#joined(frame)
      case 'hello':
      case 'welcome':
      case 'unwelcome':
      case 'heartbeat':
      case 'heartbeatAnswer':
      case 'probe':
      case 'progress':
        return this.event({ code: 'peer_unexpected_frame', peer: caller.hello.dirId, type: frame.type })
    }
  }

  /** A blank node asks: the meta leader adds it, everybody else passes the wish on to the leader once. */
  #joined(frame: Extract<PeerFrame, { type: 'join' }>): void {
    const meta = this.replicas.get(META_GROUP)?.replica
    if (meta === undefined) return
    const { dirId, name, peerAddress, clientAddress } = frame
    if (meta.isLeader) this.controller?.join({ dirId, name, peerAddress, clientAddress })
    else if (meta.raft.leader !== null) this.sendTo(META_GROUP, meta.raft.leader, frame)
  }
}
