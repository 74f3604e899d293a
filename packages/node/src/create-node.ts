// One server's life: storage, peers, replicas and clients are opened in this order and closed in the other.
import {
  type AdminRequest,
  type DirId,
  limits,
  type MapNode,
  META_GROUP,
  type ShardMap,
} from '@quorate/protocol'
import type { Listener, Network, Runtime, Timer } from '@quorate/runtime'
import { openStorage, type Storage } from '@quorate/storage'
import { Bootstrap } from './bootstrap.ts'
import { ClientAcceptor } from './clients/client-acceptor.ts'
import { statusText } from './clients/status-text.ts'
import { readFounding, writeFounding } from './founding-file.ts'
import { type Guard, guardedNetwork, guardedTimers, guardWith } from './guarded-runtime.ts'
import type { Founding } from './meta/controller.ts'
import { MembershipRefusedError } from './meta/membership-request.ts'
import type { MembershipCommand } from './meta/meta-command.ts'
import { FIRST_INCARNATION } from './meta/meta-state.ts'
import type { NodeEvent, NodeOptions, QuorateNode } from './node.ts'
import { NodeCore } from './node-core.ts'
import { nodeStatus } from './node-status.ts'
import type { Caller } from './peers/peer-acceptor.ts'
import { handOver, transferLeadership } from './hand-over.ts'
import { completeSettings } from './settings.ts'
import { nodeMeasures, type NodeMeasures } from './measures.ts'
import { check, factsOf, type ReadinessCheck, readinessOf } from './readiness.ts'
import type { NodeStatus } from './status.ts'
import { SyncWaits } from './sync-waits.ts'
import { Turn } from './turn.ts'

/** Replicas of each group, where there are that many nodes. */
const REPLICAS = 3
const SHARDS_DEFAULT = 8
/** What a frame with a status document holds besides its text. */
const STATUS_FRAME_BYTES = 64

/** Makes a node; nothing is opened before `start`. Throws a RangeError on settings that contradict each other. */
export function createNode(options: NodeOptions): QuorateNode {
  return new Node(options)
}

class Node implements QuorateNode {
  readonly halted: Promise<Error>
  readonly #options: NodeOptions
  readonly #guard: Guard
  /** The given runtime, called from outside only through the guard. */
  readonly #runtime: Runtime
  readonly #peerNetwork: Network
  readonly #turn: Turn
  readonly #waits = new SyncWaits()
  readonly #settings: ReturnType<typeof completeSettings>
  #resolveHalted: (error: Error) => void = () => {}
  #storage: Storage | null = null
  #core: NodeCore | null = null
  #clients: ClientAcceptor | null = null
  #bootstrap: Bootstrap | null = null
  #founding: Founding | null = null
  #listeners: Listener[] = []
  #timer: Timer | null = null
  #tickDue = 0
  #phase: 'new' | 'running' | 'stopped' | 'halted' = 'new'
  #joining = false
  /** Everything is open and recovered. */
  #isOpen = false
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #haltReason: Error | null = null
  /** What is open, in the order of opening. */
  readonly #closers: (() => Promise<void>)[] = []
  #closing: Promise<void> = Promise.resolve()

  constructor(options: NodeOptions) {
    this.#options = options
    this.#settings = completeSettings(options.settings)
    const { runtime, peerNetwork } = options
    this.#guard = guardWith((error) => this.#halt(error))
    const network = guardedNetwork(runtime.network, this.#guard)
    const { clock, random, disk } = runtime
    this.#runtime = { clock, random, disk, timers: guardedTimers(runtime.timers, this.#guard), network }
    this.#peerNetwork = peerNetwork === undefined ? network : guardedNetwork(peerNetwork, this.#guard)
    this.#turn = new Turn(this.#runtime.timers, (error) => this.#halt(error))
    this.halted = new Promise((resolve) => {
      this.#resolveHalted = resolve
    })
  }

  get clientAddress(): string {
    return this.#listeners[1]?.address ?? this.#options.listen
  }

  get peerAddress(): string {
    return this.#listeners[0]?.address ?? this.#options.peerListen
  }

  async start(): Promise<void> {
    if (this.#phase !== 'new') throw new Error('a node is started once')
    this.#phase = 'running'
    this.#starting = this.#open()
    try {
      await this.#starting
      this.#isOpen = true
    } catch (error) {
      if (this.#phase === 'running') this.#phase = 'stopped'
      await this.#closeAll(asError(error))
      throw this.#haltReason ?? error
    }
  }

  async stop(): Promise<void> {
    if (this.#phase === 'running') this.#stopping ??= this.#stop()
    await this.#stopping
  }

  async #stop(): Promise<void> {
    // Half open it could not be closed; who started it hears how that went.
    await this.#starting?.catch(() => {})
    if (this.#phase === 'running' && this.#core !== null) await handOver(this.#core, this.#runtime)
    if (this.#phase !== 'running') return this.#closing
    this.#phase = 'stopped'
    await this.#closeAll(new Error('the node stops'))
  }

  status(): NodeStatus {
    const { core } = this.#running()
    const { read: reads, write: writes } = this.#clients?.counts.operations ?? { read: 0, write: 0 }
    const state =
      this.#phase === 'halted' ? 'halted' : this.#storage?.identity.clusterId == null ? 'blank' : 'serving'
    return nodeStatus(core, this.#running().storage, {
      state,
      name: this.#options.name,
      clientAddress: this.clientAddress,
      peerAddress: this.peerAddress,
      clients: { connections: this.#clients?.connections ?? 0, reads, writes },
    })
  }

  measures(): NodeMeasures | null {
    if (this.#core === null || this.#storage === null) return null
    return nodeMeasures(this.#core, this.#storage, this.#clients)
  }

  readiness(): ReadinessCheck[] {
    const running = this.#phase === 'running' && this.#isOpen && this.#stopping === undefined
    const phase = this.#stopping === undefined ? this.#phase : 'stopping'
    const first = check('running', running, running || phase !== 'running' ? phase : 'starting')
    return this.#core === null || !running ? [first] : [first, ...readinessOf(factsOf(this.#core))]
  }

  transferLeadership(group: number): boolean {
    const replica = this.#running().core.replicas.get(group)?.replica
    if (this.#phase !== 'running' || replica?.isLeader !== true) return false
    return transferLeadership(replica, () => true)
  }

  changeMembership(group: number, nodes: readonly string[]): Promise<number> {
    return this.#request((dirIds) => ({ type: 'assign', group, nodes: dirIds }), nodes)
  }

  cancelMembershipChange(group: number, change: number): Promise<number> {
    return this.#request(() => ({ type: 'cancel', group, change }), [])
  }

  removeNode(node: string): Promise<number> {
    return this.#request(([dirId = '']) => ({ type: 'removeNode', dirId }), [node])
  }

  async record(group?: number): Promise<readonly string[]> {
    const { replicas, flight } = this.#running().core
    const hosted = [...replicas.all()].filter((one) => group === undefined || one.replica.group === group)
    if (hosted.length === 0) throw new RangeError(`no replica of group ${group} is hosted here`)
    const paths: string[] = []
    for (const { replica } of hosted) paths.push(await flight.record(replica, 'somebody asked for it'))
    return paths
  }

  #admin(request: AdminRequest): Promise<number> {
    switch (request.action) {
      case 'assign':
        return this.changeMembership(request.group, request.nodes)
      case 'cancel':
        return this.cancelMembershipChange(request.group, request.change)
      case 'remove':
        return this.removeNode(request.node)
    }
  }

  /** People say names, the meta group knows directories. */
  async #request(
    command: (dirIds: readonly DirId[]) => MembershipCommand,
    names: readonly string[],
  ): Promise<number> {
    const { core } = this.#running()
    const dirIds = names.map((name) => {
      const known = core.map.map?.nodes.find((node) => node.name === name)
      if (known === undefined) throw new MembershipRefusedError('UNKNOWN_NODE', `there is no node ${name}`)
      return known.dirId
    })
    return core.membership.request(command(dirIds))
  }

  #running(): { readonly core: NodeCore; readonly storage: Storage } {
    if (this.#core === null || this.#storage === null) throw new Error('the node is not started')
    return { core: this.#core, storage: this.#storage }
  }

  async #open(): Promise<void> {
    const { dataDirectory, name, openStateStore } = this.#options
    const runtime = this.#runtime
    const storage = await openStorage({
      disk: runtime.disk,
      clock: runtime.clock,
      timers: runtime.timers,
      random: runtime.random,
      directory: dataDirectory,
      name,
      openStateStore,
      segmentBytes: this.#settings.segmentBytes,
      retainBytes: this.#settings.retainBytes,
      onSynced: (ticket) => this.#guard(() => this.#synced(ticket)),
      onFailure: (error) => this.#halt(error),
    })
    this.#closers.push(() => storage.close())
    this.#assertRunning()
    this.#storage = storage
    this.#founding = readFounding(storage)
    const core = this.#makeCore(storage)
    this.#core = core
    this.#closers.push(async () => {
      await core.scrubber.stop()
      await core.checkpointer.stop()
    })
    core.map.load()
    core.map.onChange((map) => {
      core.followMap(map)
      this.#clients?.pushMap(map)
    })
    await this.#listen(core)
    this.#assertRunning()
    await core.replicas.recover()
    this.#assertRunning()
    if (storage.identity.clusterId !== null) this.#goOn(core)
    else if (this.#founding !== null) await this.#found(core, this.#founding)
    else this.#seek(core)
    this.#assertRunning()
    this.#tickDue = runtime.clock.monotonicMs() + limits.heartbeatMs
    this.#arm()
    core.scrubber.start()
  }

  /** It may have halted while something was awaited. */
  #assertRunning(): void {
    if (this.#phase !== 'running') throw this.#haltReason ?? new Error('the node has ended')
  }

  #makeCore(storage: Storage): NodeCore {
    const { name } = this.#options
    const runtime = this.#runtime
    return new NodeCore({
      runtime,
      peerNetwork: this.#peerNetwork,
      storage,
      settings: this.#settings,
      turn: this.#turn,
      waits: this.#waits,
      name,
      dataDirectory: this.#options.dataDirectory,
      startedAt: runtime.clock.monotonicMs(),
      peerAddress: () => this.peerAddress,
      clientAddress: () => this.clientAddress,
      clusterId: () => storage.identity.clusterId ?? this.#founding?.clusterId ?? null,
      founding: () => this.#founding,
      arrived: (caller) => this.#bootstrap?.arrived(caller.hello),
      mapOffered: (caller, map) => this.#mapOffered(caller, map),
      event: (event) => this.#event(event),
      removed: (group, removals) => this.#options.removed?.(group, removals),
      halt: (error) => this.#halt(error),
    })
  }

  async #listen(core: NodeCore): Promise<void> {
    const { listen, peerListen, name } = this.#options
    const clients = new ClientAcceptor({
      turn: this.#turn,
      identity: () => ({ ...core.identity(), name }),
      map: () => core.map.map,
      shard: (group) => core.replicas.get(group)?.shard ?? null,
      assigned: (group) => core.map.incarnationAt(group, core.identity().dirId) !== null,
      leaderHint: (group) => {
        const replica = core.replicas.get(group)?.replica
        // A condemned one hears nothing any more: whom it knew may be itself.
        if (replica === undefined || replica.condition === 'condemned' || replica.raft.leader === null)
          return null
        return core.clientAddressOf(group, replica.raft.leader)
      },
      statusJson: () => statusText(this.status(), limits.frameBytes - STATUS_FRAME_BYTES),
      now: () => core.now(),
      timers: this.#runtime.timers,
      admin: this.#options.allowTestAdmin === true ? (request) => this.#admin(request) : null,
    })
    this.#clients = clients
    this.#opened(await this.#peerNetwork.listen(peerListen, core.pairs.acceptor.accept))
    this.#opened(await this.#runtime.network.listen(listen, clients.accept))
  }

  #opened(listener: Listener): void {
    this.#listeners.push(listener)
    this.#closers.push(() => listener.close())
  }

  /** The directory belongs to a cluster: what the cached map says is followed until peers know better. */
  #goOn(core: NodeCore): void {
    if (core.map.map !== null) core.followMap(core.map.map)
  }

  /** Blank: forms or finds a cluster. */
  #seek(core: NodeCore): void {
    const { bootstrap, join } = this.#options
    const { timers, random } = this.#runtime
    this.#bootstrap = new Bootstrap({
      self: this.#self(core),
      bootstrap: bootstrap ?? [],
      join: join ?? [],
      network: this.#peerNetwork,
      timers,
      random,
      turn: this.#turn,
      hello: () => core.hello(null),
      form: (nodes) => this.#form(core, nodes),
      event: (event) => this.#event(event),
    })
    // Some called before this node knew what it was looking for.
    for (const caller of core.pairs.acceptor.callers()) this.#bootstrap.arrived(caller.hello)
  }

  #self(core: NodeCore): MapNode {
    return {
      dirId: core.identity().dirId,
      name: this.#options.name,
      peerAddress: this.peerAddress,
      clientAddress: this.clientAddress,
    }
  }

  #form(core: NodeCore, nodes: readonly MapNode[]): void {
    const clusterId = Buffer.from(this.#runtime.random.bytes(16)).toString('hex')
    const founding = {
      clusterId,
      nodes,
      shards: this.#options.shards ?? SHARDS_DEFAULT,
      replicas: Math.min(REPLICAS, nodes.length),
      bytesMax: this.#options.maxBytes ?? 0,
    }
    const { storage } = this.#running()
    this.#founding = founding
    writeFounding(storage, founding)
      // Stopped meanwhile: the next start goes on from the note.
      .then(() => (this.#phase === 'running' ? this.#found(core, founding) : undefined))
      .catch((error: unknown) => this.#halt(asError(error)))
  }

  /** The note is durable: the meta group's first replica, then the directory belongs to the cluster. A crash anywhere goes on here. */
  async #found(core: NodeCore, founding: Founding): Promise<void> {
    const { storage } = this.#running()
    const voters = [FIRST_INCARNATION]
    if (!core.replicas.knows(META_GROUP, FIRST_INCARNATION))
      await core.replicas.create(META_GROUP, FIRST_INCARNATION, {
        voters,
        outgoing: [],
        learners: [],
        learnersNext: [],
      })
    await storage.adoptCluster(founding.clusterId)
    this.#event({ code: 'cluster_formed', clusterId: founding.clusterId })
    this.#bootstrap?.close()
    this.#bootstrap = null
    // After a crash in between the map may be known already, so that nothing new would make it followed.
    this.#goOn(core)
  }

  /** A blank node that a cluster has taken in belongs to it from the first map that names its directory. */
  #mapOffered(caller: Caller, map: ShardMap): void {
    const { core, storage } = this.#running()
    const { clusterId, dirId } = storage.identity
    if (clusterId !== null) {
      // A member may have called while it was blank; a stranger may say what it likes.
      const isKnown = caller.hello.clusterId === clusterId || core.map.node(caller.hello.dirId) !== null
      return isKnown && map.clusterId === clusterId ? core.map.offer(map) : undefined
    }
    // A founder goes on with its own cluster: what it wrote down may have been heard of.
    if (this.#founding !== null && this.#founding.clusterId !== map.clusterId) return
    if (this.#joining || this.#bootstrap === null || !this.#bootstrap.trusts(caller.hello.name)) return
    if (!map.nodes.some((node) => node.dirId === dirId)) return
    this.#joining = true
    storage
      .adoptCluster(map.clusterId)
      .then(() => {
        // What is closed must not begin to write again.
        if (this.#phase !== 'running') return
        this.#event({ code: 'cluster_joined', clusterId: map.clusterId })
        this.#bootstrap?.close()
        this.#bootstrap = null
        core.map.offer(map)
      })
      .catch((error: unknown) => this.#halt(asError(error)))
  }

  #synced(ticket: number): void {
    if (this.#phase !== 'running') return
    this.#waits.synced(ticket)
    this.#core?.replicas.synced(ticket)
  }

  #arm(): void {
    const { timers, clock } = this.#runtime
    this.#timer = timers.after(this.#tickDue - clock.monotonicMs(), () => this.#tick(false))
  }

  /** A timer late by more than a heartbeat first lets waiting messages in, once, and only then judges (time.md, stalls). */
  #tick(polled: boolean): void {
    if (this.#phase !== 'running') return
    const { timers, clock } = this.#runtime
    const now = clock.monotonicMs()
    if (!polled && now - this.#tickDue > limits.heartbeatMs) return timers.endOfTurn(() => this.#tick(true))
    try {
      this.#core?.tick()
    } catch (error) {
      return this.#halt(asError(error))
    }
    this.#tickDue = now + limits.heartbeatMs
    this.#arm()
  }

  #event(event: NodeEvent): void {
    this.#options.log?.(event)
  }

  /** A promise cannot be kept: nothing is said any more, to nobody. */
  #halt(reason: Error): void {
    if (this.#phase === 'halted' || this.#phase === 'stopped') return
    this.#phase = 'halted'
    this.#haltReason = reason
    this.#event({ code: 'halted', reason: reason.message })
    this.#closeAll(reason).then(
      () => this.#resolveHalted(reason),
      () => this.#resolveHalted(reason),
    )
  }

  /** At once silent; what is open is closed in the other order of opening. */
  #closeAll(reason: Error): Promise<void> {
    this.#timer?.cancel()
    this.#bootstrap?.close()
    this.#clients?.close()
    this.#core?.pairs.close()
    this.#core?.replicas.close()
    this.#turn.stop()
    this.#waits.end(reason)
    this.#closing = this.#closing.then(() => this.#closeParts())
    return this.#closing
  }

  async #closeParts(): Promise<void> {
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop())
      try {
        await close()
      } catch (error) {
        this.#event({ code: 'close_failed', reason: asError(error).message })
      }
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
