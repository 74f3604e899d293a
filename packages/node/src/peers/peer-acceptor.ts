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
import type { Connection, ConnectionHandlers } from '@quorate/runtime'
import { PeerFault } from './peer-fault.ts'

/** Who this node is at the moment of a hello. */
export interface OwnIdentity {
  readonly dirId: DirId
  readonly boot: number
  readonly clusterId: string | null
  readonly mapEpoch: number
}

export interface AcceptorParts {
  readonly identity: () => OwnIdentity
  /** A frame of a caller that was welcomed, bound to its directory and boot. */
  readonly received: (from: Caller, frame: PeerFrame) => void
  readonly arrived: (caller: Caller) => void
  /** The caller's connection ended and no newer one of it took its place. */
  readonly left: (caller: Caller) => void
  readonly event: (event: { readonly code: string; readonly [fact: string]: unknown }) => void
}

export interface Caller {
  readonly hello: PeerHello
}

interface Known {
  boot: number
  /** How far its log was synced, as its own heartbeats said: never goes back over boots. */
  syncedLog: number
  /** Newest heartbeat of its present boot; and of that boot before this connection, 0 if there was none. */
  sequence: number
  readonly sequenceBefore: number
  /** How far the log of its present boot could be read at its start. */
  recoveredLog: number
  caller: Caller | null
  connection: Connection | null
}

export class PeerAcceptor {
  readonly #parts: AcceptorParts
  readonly #known = new Map<DirId, Known>()
  readonly #connections = new Set<Connection>()

  constructor(parts: AcceptorParts) {
    this.#parts = parts
  }

  readonly accept = (connection: Connection): ConnectionHandlers => {
    let caller: Caller | null = null
    this.#connections.add(connection)
    return {
      frame: (bytes) => {
        let frame: PeerFrame
        try {
          frame = decodePeerFrame(bytes)
        } catch (error) {
          this.#parts.event({ code: 'peer_bad_frame', remote: connection.remote, reason: String(error) })
          if (caller === null && offersOnlyOtherVersions(bytes))
            return void this.#refuse(connection, 'PROTOCOL_VERSION', VERSIONS)
          this.#refuse(connection, 'BAD_FRAME', 'a frame could not be decoded')
          return
        }
        if (caller === null) caller = this.#greet(connection, frame)
        else this.#believe(caller, frame, connection)
      },
      closed: () => {
        this.#connections.delete(connection)
        if (caller !== null) this.#left(caller, connection)
      },
    }
  }

  /** Everybody who is connected now. */
  callers(): Caller[] {
    return [...this.#known.values()].flatMap((known) => (known.caller === null ? [] : [known.caller]))
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }

  /** What no correct peer sends ends the connection, not this node: the peer is lost until it calls again. */
  #believe(caller: Caller, frame: PeerFrame, connection: Connection): void {
    try {
      this.#frame(caller, frame, connection)
    } catch (error) {
      if (!(error instanceof PeerFault)) throw error
      this.#parts.event({ code: 'peer_fault', peer: caller.hello.dirId, reason: error.message })
      this.#refuse(connection, 'BAD_FRAME', error.message)
    }
  }

  #frame(caller: Caller, frame: PeerFrame, connection: Connection): void {
    const known = this.#known.get(caller.hello.dirId)
    // A newer connection or boot of this caller exists: what an old one still delivers is late.
    if (known === undefined || known.connection !== connection) return
    if (frame.type === 'heartbeat') {
      // Sequences go on over the connections of one boot: two lives of the directory have come to the same number.
      if (frame.sequence <= known.sequenceBefore) {
        this.#refuse(connection, 'RESTORED', restored(known.boot))
        return
      }
      known.sequence = Math.max(known.sequence, frame.sequence)
      known.syncedLog = Math.max(known.syncedLog, frame.syncedLog)
    }
    this.#parts.received(caller, frame)
  }

  #greet(connection: Connection, frame: PeerFrame): Caller | null {
    if (frame.type !== 'hello') {
      this.#refuse(connection, 'BAD_FRAME', 'the first frame is not a hello')
      return null
    }
    const own = this.#parts.identity()
    const known = this.#known.get(frame.dirId)
    const protocol = agreeProtocol(frame.protocolMin, frame.protocolMax)
    if (protocol === null) return this.#refuse(connection, 'PROTOCOL_VERSION', VERSIONS)
    if (frame.clusterId !== null && own.clusterId !== null && frame.clusterId !== own.clusterId)
      return this.#refuse(connection, 'WRONG_CLUSTER', `this node belongs to cluster ${own.clusterId}`)
    if (frame.dirId === own.dirId)
      return this.#refuse(connection, 'WRONG_NODE', 'a node does not talk to itself')
    if (frame.to !== null && frame.to !== own.dirId)
      return this.#refuse(connection, 'WRONG_NODE', `this is ${own.dirId}`)
    if (known !== undefined && isOldCopy(frame, known))
      return this.#refuse(connection, 'RESTORED', restored(known.boot))
    const caller: Caller = { hello: frame }
    if (known?.caller !== undefined && known.caller !== null && frame.boot > known.boot)
      this.#parts.left(known.caller)
    known?.connection?.close()
    const sequence = known?.boot === frame.boot ? known.sequence : 0
    this.#known.set(frame.dirId, {
      boot: frame.boot,
      syncedLog: known?.syncedLog ?? 0,
      sequence,
      sequenceBefore: sequence,
      recoveredLog: frame.recoveredLog,
      caller,
      connection,
    })
    connection.send(
      encodePeerFrame({
        type: 'welcome',
        dirId: own.dirId,
        boot: own.boot,
        clusterId: own.clusterId,
        protocol,
        mapEpoch: own.mapEpoch,
      }),
    )
    this.#parts.arrived(caller)
    return caller
  }

  #left(caller: Caller, connection: Connection): void {
    const known = this.#known.get(caller.hello.dirId)
    if (known === undefined || known.connection !== connection) return
    known.connection = null
    known.caller = null
    this.#parts.left(caller)
  }

  #refuse(connection: Connection, code: PeerRefusal, message: string): null {
    connection.send(encodePeerFrame({ type: 'unwelcome', code, message }))
    connection.close()
    return null
  }
}

/** A lower boot, the same boot begun elsewhere, or in a new boot a log that ends before what was told to be synced. */
function isOldCopy(hello: PeerHello, known: Known): boolean {
  if (hello.boot === known.boot) return hello.recoveredLog !== known.recoveredLog
  return hello.boot < known.boot || hello.recoveredLog < known.syncedLog
}

const VERSIONS = `this node speaks versions ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION_MAX}`

const restored = (boot: number): string =>
  `this directory was met with boot ${boot} or a longer log: it is an old copy`
