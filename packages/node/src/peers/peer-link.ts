// The sending half of a pair: dials one peer, says hello, then only sends; comes back by itself when it breaks.
import {
  decodePeerFrame,
  encodePeerFrame,
  groupMessageBytesMax,
  type GroupMessage,
  limits,
  MESSAGES_HEADER_BYTES,
  type PeerFrame,
  type PeerHello,
  type PeerRefusal,
} from '@quorate/protocol'
import type { Connection, Network, Random, Timer, Timers } from '@quorate/runtime'
import { fixed } from '../settings.ts'
import type { Turn } from '../turn.ts'

export type Welcome = Extract<PeerFrame, { readonly type: 'welcome' }>

export interface PeerLinkParts {
  readonly address: string
  readonly network: Network
  readonly timers: Timers
  readonly random: Random
  readonly turn: Turn
  /** Made anew for each attempt: the map epoch changes. */
  readonly hello: () => PeerHello
  readonly welcomed: (welcome: Welcome) => void
  /** The peer will not talk to this node; it is asked again later all the same. */
  readonly refused: (code: PeerRefusal, message: string) => void
  readonly lost: (reason: string) => void
}

export class PeerLink {
  readonly address: string
  readonly #parts: PeerLinkParts
  #connection: Connection | null = null
  #ready = false
  #backoffMs: number = fixed.redialMsMin
  #timer: Timer | null = null
  #closed = false
  readonly #messages: GroupMessage[] = []
  readonly #frames: PeerFrame[] = []

  constructor(parts: PeerLinkParts) {
    this.#parts = parts
    this.address = parts.address
    this.#dial()
  }

  get ready(): boolean {
    return this.#ready
  }

  /** Leaves at the end of the turn, messages of all groups in one frame; lost while the peer cannot be reached. */
  send(frame: PeerFrame): void {
    if (!this.#ready || this.#connection === null) return
    if (this.#connection.bufferedBytes > fixed.peerBufferBytes) return
    if (frame.type === 'messages') this.#messages.push(...frame.messages)
    else this.#frames.push(frame)
    this.#parts.turn.at('peers', this.#flush)
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#connection?.close()
    this.#reset()
  }

  readonly #flush = (): void => {
    const connection = this.#connection
    if (connection === null || !this.#ready) return
    // Heartbeats and answers first: they must not wait behind data (rule 20).
    for (const frame of this.#frames.splice(0)) connection.send(encodePeerFrame(frame))
    let batch: GroupMessage[] = []
    let bytes = MESSAGES_HEADER_BYTES
    for (const message of this.#messages.splice(0)) {
      const size = groupMessageBytesMax(message)
      if (batch.length > 0 && bytes + size > limits.frameBytes) {
        connection.send(encodePeerFrame({ type: 'messages', messages: batch }))
        batch = []
        bytes = MESSAGES_HEADER_BYTES
      }
      batch.push(message)
      bytes += size
    }
    if (batch.length > 0) connection.send(encodePeerFrame({ type: 'messages', messages: batch }))
  }

  #reset(): void {
    this.#connection = null
    this.#ready = false
    this.#messages.length = 0
    this.#frames.length = 0
  }

  #dial(): void {
    const { network, address } = this.#parts
    let connection: Connection | null = null
    const handlers = {
      opened: (): void => {
        if (connection === this.#connection) connection?.send(encodePeerFrame(this.#parts.hello()))
      },
      frame: (bytes: Uint8Array): void => {
        if (connection !== null && connection === this.#connection) this.#receive(connection, bytes)
      },
      closed: (reason: string): void => {
        if (connection === this.#connection) this.#broken(reason)
      },
    }
    connection = network.dial(address, handlers)
    this.#connection = connection
  }

  #receive(connection: Connection, bytes: Uint8Array): void {
    let frame: PeerFrame
    try {
      frame = decodePeerFrame(bytes)
    } catch {
      connection.close()
      return
    }
    if (frame.type === 'welcome' && !this.#ready) {
      this.#ready = true
      this.#backoffMs = fixed.redialMsMin
      this.#parts.welcomed(frame)
    } else if (frame.type === 'unwelcome') {
      this.#backoffMs = fixed.redialMsMax
      this.#parts.refused(frame.code, frame.message)
      connection.close()
    } else connection.close()
  }

  #broken(reason: string): void {
    const wasReady = this.#ready
    this.#reset()
    if (this.#closed) return
    if (wasReady) this.#parts.lost(reason)
    const delay = this.#backoffMs * (0.5 + this.#parts.random.next() / 2)
    this.#backoffMs = Math.min(this.#backoffMs * 2, fixed.redialMsMax)
    this.#timer = this.#parts.timers.after(delay, () => this.#dial())
  }
}
