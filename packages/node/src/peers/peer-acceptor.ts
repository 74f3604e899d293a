// The receiving half of pairs: checks who calls before a single frame of theirs is believed (shards.md, identity).
import {
  agreeProtocol,
  type DirId,
  decodePeerFrame,
  encodePeerFrame,
  offersOnlyOtherVersions,
  type PeerFrame,
  type PeerHello,
  type PeerRefusal,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
} from '@quorate/protocol'
import type { Connection, ConnectionHandlers, Timer, Timers } from '@quorate/runtime'
import { fixed } from '../settings.ts'
import { type Caller, InboundLink } from './inbound-link.ts'
import { type Known, KnownPeers } from './known-peers.ts'
import { PeerFault } from './peer-fault.ts'

export type { Caller } from './inbound-link.ts'

/** Who this node is at the moment of a hello. */
export interface OwnIdentity {
  readonly dirId: DirId
  readonly boot: number
  readonly clusterId: string | null
  readonly mapEpoch: number
}

export interface AcceptorParts {
  readonly timers: Timers
  readonly now: () => number
  readonly identity: () => OwnIdentity
  /** The map names this directory. */
  readonly isMember: (dirId: DirId) => boolean
  readonly logSynced: () => Promise<void>
  /** The directory was removed from this cluster. */
  readonly isRemoved: (dirId: DirId) => boolean
  /** A frame of a caller that was welcomed, bound to its directory and boot. */
  readonly received: (from: Caller, frame: PeerFrame) => void
  readonly arrived: (caller: Caller) => void
  /** The caller's link ended and no newer one of it took its place. */
  readonly left: (caller: Caller) => void
  readonly event: (event: { readonly code: string; readonly [fact: string]: unknown }) => void
}

/** Connections are bounded: so many that have not said who they are, and three of each directory that is known. */
export class PeerAcceptor {
  readonly #parts: AcceptorParts
  readonly #known: KnownPeers
  /** Not yet greeted, oldest first, with the ticks that they have been here. */
  readonly #strange = new Map<Connection, number>()
  #timer: Timer | null = null
  #closed = false

  constructor(parts: AcceptorParts) {
    this.#parts = parts
    this.#known = new KnownPeers(parts.isMember)
    this.#arm()
  }

  readonly accept = (connection: Connection): ConnectionHandlers => {
    let link: { readonly of: InboundLink; readonly hello: PeerHello } | null = null
    this.#strange.set(connection, 0)
    const [oldest] = this.#strange.keys()
    if (this.#strange.size > fixed.greetingsMax && oldest !== undefined) this.#drop(oldest)
    if (this.#closed) this.#drop(connection)
    return {
      frame: (bytes) => {
        if (link === null && !this.#strange.has(connection)) return
        const { length } = bytes
        const frame = decoded(bytes)
        if (frame === null) this.#badFrame(connection, link?.of ?? null, bytes)
        else if (link !== null) this.#frame(link.of, link.hello, frame, length)
        else if (frame.type !== 'hello')
          this.#refuse(connection, 'BAD_FRAME', 'the first frame is not a hello')
        else {
          const of = this.#greet(connection, frame)
          this.#strange.delete(connection)
          if (of !== null) link = { of, hello: frame }
        }
      },
      closed: () => {
        this.#strange.delete(connection)
        link?.of.closed()
      },
    }
  }

  /** Everybody who is connected now. */
  callers(): Caller[] {
    return [...this.#known.all()].flatMap(({ caller, link }) =>
      caller === null || !link?.bound ? [] : [caller],
    )
  }

  /** The map changed: who is in it no more hears of it. */
  refuseRemoved(): void {
    for (const { link } of this.#known.all())
      if (link !== null && this.#parts.isRemoved(link.caller.hello.dirId)) link.refuse('REMOVED', REMOVED)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    for (const connection of this.#strange.keys()) connection.close()
    for (const { link } of this.#known.all()) link?.end()
  }

  #frame(link: InboundLink, hello: PeerHello, frame: PeerFrame, length: number): void {
    const known = this.#known.get(hello.dirId)
    if (known?.link !== link) return
    if (link.bound && frame.type === 'heartbeat') {
      // Sequences go on over the links of one boot: two lives of the directory have come to the same number.
      if (frame.sequence <= known.sequenceBefore) return link.refuse('RESTORED', restored(known.boot))
      known.sequence = Math.max(known.sequence, frame.sequence)
      known.syncedLog = Math.max(known.syncedLog, frame.syncedLog)
    }
    this.#believe(link, hello, frame, length)
  }

  /** What no correct peer sends ends the link, not this node: the peer is lost until it calls again. */
  #believe(link: InboundLink, hello: PeerHello, frame: PeerFrame, length: number): void {
    try {
      link.frame(hello.channel, frame, length)
    } catch (error) {
      if (!(error instanceof PeerFault)) throw error
      this.#parts.event({ code: 'peer_fault', peer: hello.dirId, reason: error.message })
      link.refuse('BAD_FRAME', error.message)
    }
  }

  #greet(connection: Connection, hello: PeerHello): InboundLink | null {
    const refusal = this.#refusal(hello)
    if (refusal !== null) return this.#refuse(connection, ...refusal)
    const before = this.#known.get(hello.dirId)
    // An attempt that its sender has given up: a newer one exists, or has ended since.
    const isLate =
      before?.boot === hello.boot &&
      (hello.link < before.linkNumber || (hello.link === before.linkNumber && before.link === null))
    if (isLate) {
      connection.close()
      return null
    }
    const { known, forgotten } = this.#known.greeted(hello)
    if (forgotten !== null) this.#forget(forgotten)
    const link =
      known.link !== null && known.boot === hello.boot && known.linkNumber === hello.link
        ? known.link
        : this.#begin(known, hello)
    if (!link.add(hello.channel, connection)) {
      link.refuse('BAD_FRAME', `two ${hello.channel} connections of one link`)
      return this.#refuse(connection, 'BAD_FRAME', `two ${hello.channel} connections of one link`)
    }
    const own = this.#parts.identity()
    const protocol = agreeProtocol(hello.protocolMin, hello.protocolMax) ?? PROTOCOL_VERSION_MAX
    connection.send(encodePeerFrame({ type: 'welcome', ...own, protocol }))
    if (link.bound) {
      known.caller = link.caller
      this.#parts.arrived(link.caller)
    }
    return link
  }

  /** What is wrong with a caller. */
  #refusal(hello: PeerHello): [PeerRefusal, string] | null {
    const own = this.#parts.identity()
    const known = this.#known.get(hello.dirId)
    if (agreeProtocol(hello.protocolMin, hello.protocolMax) === null) return ['PROTOCOL_VERSION', VERSIONS]
    if (hello.clusterId !== null && own.clusterId !== null && hello.clusterId !== own.clusterId)
      return ['WRONG_CLUSTER', `this node belongs to cluster ${own.clusterId}`]
    if (this.#parts.isRemoved(hello.dirId)) return ['REMOVED', REMOVED]
    if (hello.dirId === own.dirId) return ['WRONG_NODE', 'a node does not talk to itself']
    if (hello.to !== null && hello.to !== own.dirId) return ['WRONG_NODE', `this is ${own.dirId}`]
    if (known !== undefined && isOldCopy(hello, known)) return ['RESTORED', restored(known.boot)]
    return null
  }

  /** A newer link of this directory: whatever it had before has ended. */
  #begin(known: Known, hello: PeerHello): InboundLink {
    known.link?.end()
    if (hello.boot > known.boot) {
      this.#leave(known)
      known.sequence = 0
    }
    const link = new InboundLink(hello, {
      received: (frame) => this.#parts.received(link.caller, frame),
      now: this.#parts.now,
      logSynced: this.#parts.logSynced,
      ended: () => {
        if (known.link === link) known.link = null
        this.#leave(known)
      },
      event: this.#parts.event,
    })
    known.boot = hello.boot
    known.recoveredLog = hello.recoveredLog
    known.sequenceBefore = known.sequence
    known.link = link
    known.linkNumber = hello.link
    return link
  }

  #leave(known: Known): void {
    const { caller } = known
    known.caller = null
    if (caller !== null) this.#parts.left(caller)
  }

  #forget(known: Known): void {
    known.link?.end()
    known.link = null
    this.#leave(known)
  }

  #badFrame(connection: Connection, link: InboundLink | null, bytes: Uint8Array): void {
    this.#parts.event({ code: 'peer_bad_frame', remote: connection.remote })
    if (link === null && offersOnlyOtherVersions(bytes))
      this.#refuse(connection, 'PROTOCOL_VERSION', VERSIONS)
    else if (link === null) this.#refuse(connection, 'BAD_FRAME', 'a frame could not be decoded')
    else link.refuse('BAD_FRAME', 'a frame could not be decoded')
  }

  #refuse(connection: Connection, code: PeerRefusal, message: string): null {
    connection.send(encodePeerFrame({ type: 'unwelcome', code, message }))
    return this.#drop(connection)
  }

  #drop(connection: Connection): null {
    this.#strange.delete(connection)
    connection.close()
    return null
  }

  /** Counts its calls, so that a stall of this process is nobody's silence. */
  #arm(): void {
    this.#timer = this.#parts.timers.after(fixed.callerTickMs, () => {
      for (const [connection, ticks] of this.#strange)
        if (ticks >= fixed.callerSilentTicks) this.#drop(connection)
        else this.#strange.set(connection, ticks + 1)
      for (const { link } of this.#known.all()) link?.tick()
      this.#arm()
    })
  }
}

function decoded(bytes: Uint8Array): PeerFrame | null {
  try {
    return decodePeerFrame(bytes)
  } catch {
    return null
  }
}

/** A lower boot, the same boot begun elsewhere, or in a new boot a log that ends before what was told to be synced. */
function isOldCopy(hello: PeerHello, known: Known): boolean {
  if (hello.boot === known.boot) return hello.recoveredLog !== known.recoveredLog
  return hello.boot < known.boot || hello.recoveredLog < known.syncedLog
}

const VERSIONS = `this node speaks versions ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION_MAX}`
const REMOVED = 'this directory was removed from the cluster: a node that comes back needs an empty one'

const restored = (boot: number): string =>
  `this directory was met with boot ${boot} or a longer log: it is an old copy`
