// All pairs that this node is part of: links out, callers in, the heartbeat of each, and the clocks they carry.
import {
  type DirId,
  limits,
  type MapNode,
  type PairAnswer,
  type PairHeartbeat,
  type PeerFrame,
  type PeerHello,
  type PeerRefusal,
} from '@quorate/protocol'
import type { Network, Random, Timer, Timers } from '@quorate/runtime'
import type { HeardClock } from '../log-clock.ts'
import type { NodeEvent } from '../node.ts'
import type { Turn } from '../turn.ts'
import type { HeartbeatReceiver } from './heartbeat-receiver.ts'
import type { PairHeartbeats } from './pair-heartbeats.ts'
import { type Caller, type OwnIdentity, PeerAcceptor } from './peer-acceptor.ts'
import { PeerLink } from './peer-link.ts'
import type { ReadRounds } from './read-rounds.ts'

export interface PairsParts {
  readonly network: Network
  readonly timers: Timers
  readonly random: Random
  readonly turn: Turn
  readonly rounds: ReadRounds
  readonly receiver: HeartbeatReceiver
  readonly identity: () => OwnIdentity
  readonly isRemoved: (dirId: DirId) => boolean
  readonly hello: (to: DirId | null) => PeerHello
  /** The map names this directory. */
  readonly isMember: (dirId: DirId) => boolean
  /** Resolves when everything that the log was given by now is synced. */
  readonly logSynced: () => Promise<void>
  readonly now: () => number
  readonly wallMs: () => number
  readonly syncedLog: () => number
  /** The own disk is full or stuck: peers do not hand leadership over to this node. */
  readonly unfit: () => boolean
  readonly heartbeats: PairHeartbeats
  /** Before a beat: the led sets are brought up to date; returns how old the oldest leadership's confirmation is. */
  readonly led: () => number
  /** An answer confirmed what one heartbeat asked. */
  readonly confirmed: () => void
  readonly arrived: (caller: Caller) => void
  /** Frames that are not about heartbeats. */
  readonly received: (caller: Caller, frame: PeerFrame) => void
  /** A link to the peer opened: what it must know goes there now. */
  readonly linked: (peer: DirId, mapEpoch: number) => void
  /** A peer says that this node is an old copy of its directory. */
  readonly refused: (code: PeerRefusal, message: string) => void
  readonly event: (event: NodeEvent) => void
}

interface Peer {
  readonly link: PeerLink
  clock: HeardClock | null
  lowOnSpace: boolean
}

export class Pairs {
  readonly acceptor: PeerAcceptor
  readonly #parts: PairsParts
  readonly #peers = new Map<DirId, Peer>()
  #timer: Timer | null = null
  #stopped = false

  constructor(parts: PairsParts) {
    this.#parts = parts
    this.acceptor = new PeerAcceptor({
      timers: parts.timers,
      now: parts.now,
      isMember: parts.isMember,
      logSynced: parts.logSynced,
      identity: parts.identity,
      isRemoved: parts.isRemoved,
      arrived: parts.arrived,
      left: (caller) => parts.receiver.lost(caller.hello.dirId),
      received: (caller, frame) => this.#received(caller, frame),
      event: parts.event,
    })
    this.#arm()
  }

  /** Links to exactly these nodes; a node at a new address is dialled anew. */
  setNodes(nodes: readonly MapNode[]): void {
    this.acceptor.refuseRemoved()
    const wanted = new Map(nodes.map((node) => [node.dirId, node.peerAddress]))
    for (const [dirId, peer] of this.#peers) {
      if (wanted.get(dirId) === peer.link.address) continue
      peer.link.close()
      this.#peers.delete(dirId)
    }
    for (const [dirId, address] of wanted)
      if (!this.#peers.has(dirId))
        this.#peers.set(dirId, { link: this.#link(dirId, address), clock: null, lowOnSpace: false })
  }

  send(peer: DirId, frame: PeerFrame): void {
    this.#peers.get(peer)?.link.send(frame)
  }

  broadcast(frame: PeerFrame): void {
    for (const peer of this.#peers.values()) peer.link.send(frame)
  }

  clockOf(peer: DirId): HeardClock | null {
    return this.#peers.get(peer)?.clock ?? null
  }

  /** The peer said something lately. */
  isHeard(peer: DirId): boolean {
    const heardAt = this.#peers.get(peer)?.clock?.heardAt
    return heardAt !== undefined && this.#parts.now() - heardAt < limits.electionTimeoutMsMax
  }

  /** The peer answers heartbeats, and its disk is neither full nor stuck, as far as it last said. */
  isFit(peer: DirId): boolean {
    const known = this.#peers.get(peer)
    if (known === undefined || known.clock === null || known.lowOnSpace) return false
    return this.#parts.now() - known.clock.heardAt < limits.electionTimeoutMsMin
  }

  /** A heartbeat to every peer now: the next read round begins. */
  beat(): void {
    const { rounds, receiver, heartbeats, wallMs, syncedLog, led } = this.#parts
    const confirmedAge = led()
    const round = rounds.begin()
    for (const [dirId, peer] of this.#peers) {
      if (!peer.link.ready) continue
      const about = { ...receiver.newest(dirId), syncedLog: syncedLog(), wallMs: wallMs(), confirmedAge }
      peer.link.send(heartbeats.make(dirId, round, about))
    }
  }

  /** Begins a read round at the end of this turn if reads wait and none is in flight. */
  readonly beatIfDue = (): void => {
    if (!this.#stopped && this.#parts.rounds.due) this.beat()
  }

  close(): void {
    this.#stopped = true
    this.#timer?.cancel()
    for (const peer of this.#peers.values()) peer.link.close()
    this.acceptor.close()
  }

  #arm(): void {
    this.#timer = this.#parts.timers.after(limits.heartbeatMs, () => {
      if (this.#stopped) return
      this.beat()
      this.#arm()
    })
  }

  #link(dirId: DirId, address: string): PeerLink {
    const { network, timers, random, turn } = this.#parts
    return new PeerLink({
      address,
      network,
      timers,
      random,
      turn,
      hello: () => this.#parts.hello(dirId),
      welcomed: (welcome) => {
        this.#parts.heartbeats.reconnected(dirId)
        this.#parts.linked(dirId, welcome.mapEpoch)
      },
      refused: (code, message) => this.#parts.refused(code, message),
      lost: (reason) => this.#parts.event({ code: 'peer_lost', peer: dirId, reason }),
    })
  }

  #received(caller: Caller, frame: PeerFrame): void {
    if (frame.type === 'heartbeat') this.#heartbeat(caller, frame)
    else if (frame.type === 'heartbeatAnswer') this.#answer(caller.hello.dirId, frame)
    else this.#parts.received(caller, frame)
  }

  #heartbeat(caller: Caller, heartbeat: PairHeartbeat): void {
    const { dirId, boot } = caller.hello
    this.#heardClock(dirId, heartbeat.wallMs)
    const answer = this.#parts.receiver.receive(dirId, boot, heartbeat, {
      wallMs: this.#parts.wallMs(),
      lowOnSpace: this.#parts.unfit(),
    })
    if (answer !== null) this.send(dirId, answer)
  }

  #answer(peer: DirId, answer: PairAnswer): void {
    this.#heardClock(peer, answer.wallMs)
    const known = this.#peers.get(peer)
    if (known !== undefined) known.lowOnSpace = answer.lowOnSpace
    // An answer to a heartbeat of an earlier life of this node confirms nothing now.
    if (answer.boot !== this.#parts.identity().boot) return
    if (!this.#parts.heartbeats.answered(peer, answer)) return
    this.#parts.confirmed()
    if (this.#parts.rounds.due) this.#parts.turn.at('read', this.beatIfDue)
  }

  #heardClock(peer: DirId, wallMs: number): void {
    const known = this.#peers.get(peer)
    if (known !== undefined) known.clock = { wallMs, heardAt: this.#parts.now() }
  }
}
