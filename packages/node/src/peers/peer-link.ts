// The sending half of a pair: dials one peer three times, then only sends; comes back by itself when any of it breaks.
import {
  type Channel,
  channelOf,
  channels,
  groupMessageBytesMax,
  type GroupMessage,
  limits,
  MESSAGES_HEADER_BYTES,
  type PeerFrame,
  type PeerHello,
  type PeerRefusal,
} from '@quorate/protocol'
import type { Network, Random, Timer, Timers } from '@quorate/runtime'
import { fixed } from '../settings.ts'
import type { Turn } from '../turn.ts'
import { AppendQueue } from './append-queue.ts'
import { OutboundChannel, type Welcome } from './outbound-channel.ts'

export interface PeerLinkParts {
  readonly address: string
  readonly network: Network
  readonly timers: Timers
  readonly random: Random
  readonly turn: Turn
  /** Made anew for each attempt, with a link number of its own: the map epoch changes. */
  readonly hello: () => PeerHello
  /** All three connections are there. */
  readonly welcomed: (welcome: Welcome) => void
  /** The peer will not talk to this node; it is asked again later all the same. */
  readonly refused: (code: PeerRefusal, message: string) => void
  readonly lost: (reason: string) => void
}

/** One attempt, and if it succeeds one life of the link. */
interface Life {
  readonly connections: Readonly<Record<Channel, OutboundChannel>>
  ready: boolean
  probes: number
}

export class PeerLink {
  readonly address: string
  readonly #parts: PeerLinkParts
  #life: Life | null = null
  #backoffMs: number = fixed.redialMsMin
  #timer: Timer | null = null
  #closed = false
  readonly #control: PeerFrame[] = []
  readonly #messages: GroupMessage[] = []
  readonly #appends = new AppendQueue(fixed.appendQueueBytes)
  readonly #bulk: PeerFrame[] = []

  constructor(parts: PeerLinkParts) {
    this.#parts = parts
    this.address = parts.address
    this.#dial()
  }

  /** The peer is alive: all three connections were welcomed, and each answers. */
  get ready(): boolean {
    return this.#life?.ready === true
  }

  /** Leaves at the end of the turn, messages of all groups in one frame; lost while the peer cannot be reached. */
  send(frame: PeerFrame): void {
    if (!this.ready) return
    if (frame.type === 'messages')
      for (const message of frame.messages)
        if (channelOf(message) === 'append') this.#appends.put(message)
        else this.#messages.push(message)
    else if (frame.type === 'snapshotChunk') this.#bulk.push(frame)
    else this.#control.push(frame)
    this.#parts.turn.at('peers', this.#flush)
  }

  close(): void {
    this.#closed = true
    this.#end()
  }

  readonly #flush = (): void => {
    if (this.#life?.ready !== true) return
    const { control, append, bulk } = this.#life.connections
    this.#flushControl(control)
    this.#flushAppends(append)
    for (const frame of this.#bulk.splice(0))
      if (bulk.bufferedBytes <= fixed.bulkBufferBytes) bulk.send(frame)
  }

  /** All of it is repeated sooner or later: what a peer does not read for long is not kept for it. */
  #flushControl(control: OutboundChannel): void {
    const [frames, messages] = [this.#control.splice(0), this.#messages.splice(0)]
    if (control.bufferedBytes > fixed.controlBufferBytes) return
    for (const frame of frames) control.send(frame)
    let batch: GroupMessage[] = []
    let bytes = MESSAGES_HEADER_BYTES
    for (const message of messages) {
      const size = groupMessageBytesMax(message)
      if (batch.length > 0 && bytes + size > limits.frameBytes) {
        control.send({ type: 'messages', messages: batch })
        batch = []
        bytes = MESSAGES_HEADER_BYTES
      }
      batch.push(message)
      bytes += size
    }
    if (batch.length > 0) control.send({ type: 'messages', messages: batch })
  }

  /** As far as the receiver's credit goes; the rest waits for more of it. */
  #flushAppends(append: OutboundChannel): void {
    let batch: GroupMessage[] = []
    let bytes = MESSAGES_HEADER_BYTES
    for (let next = this.#appends.peek(); next !== undefined; next = this.#appends.peek()) {
      const size = groupMessageBytesMax(next)
      if (append.openBytes + bytes + size > limits.appendCreditBytes) break
      if (batch.length > 0 && bytes + size > limits.frameBytes) {
        append.send({ type: 'messages', messages: batch })
        batch = []
        bytes = MESSAGES_HEADER_BYTES
        continue
      }
      this.#appends.take()
      batch.push(next)
      bytes += size
    }
    if (batch.length > 0) append.send({ type: 'messages', messages: batch })
  }

  #dial(): void {
    const hello = this.#parts.hello()
    const open = (channel: Channel): OutboundChannel => this.#channel({ ...hello, channel }, () => life)
    const connections = { control: open('control'), append: open('append'), bulk: open('bulk') }
    const life: Life = { connections, ready: false, probes: 0 }
    this.#life = life
    this.#arm(life)
  }

  #channel(hello: PeerHello, life: () => Life): OutboundChannel {
    const { network, address, refused } = this.#parts
    return new OutboundChannel({
      network,
      address,
      hello,
      welcomed: () => this.#welcomed(life()),
      refused: (code, message) => {
        this.#backoffMs = fixed.redialMsMax
        refused(code, message)
      },
      progressed: () => {
        if (this.#appends.bytes > 0) this.#parts.turn.at('peers', this.#flush)
      },
      broken: (reason) => this.#broken(life(), `${hello.channel}: ${reason}`),
    })
  }

  #welcomed(life: Life): void {
    const { control, append, bulk } = life.connections
    const [first, second, third] = [control.welcome, append.welcome, bulk.welcome]
    if (life !== this.#life || first === null || second === null || third === null) return
    // Another process may have taken over the address in between.
    if ([second, third].some(({ dirId, boot }) => dirId !== first.dirId || boot !== first.boot))
      return this.#broken(life, 'not one node answered, but several')
    life.ready = true
    life.probes = 0
    this.#backoffMs = fixed.redialMsMin
    this.#parts.welcomed(first)
  }

  /** One tick for all three, from the dial on. */
  #arm(life: Life): void {
    this.#timer = this.#parts.timers.after(fixed.probeMs, () => {
      const silent = this.#silence(life)
      if (silent !== null) this.#broken(life, silent)
      else this.#arm(life)
    })
  }

  /** Why this life is over, if it is: none of the three may be silent. */
  #silence(life: Life): string | null {
    life.probes += 1
    if (!life.ready) return life.probes * fixed.probeMs >= fixed.greetingMs ? 'no welcome' : null
    for (const channel of channels) if (!life.connections[channel].probe()) return `${channel}: silent`
    return null
  }

  #broken(life: Life, reason: string): void {
    if (life !== this.#life) return
    const wasReady = life.ready
    this.#end()
    if (wasReady) this.#parts.lost(reason)
    // Whoever hears of the loss may have closed this link.
    if (this.#closed) return
    const delay = this.#backoffMs * (0.5 + this.#parts.random.next() / 2)
    this.#backoffMs = Math.min(this.#backoffMs * 2, fixed.redialMsMax)
    this.#timer = this.#parts.timers.after(delay, () => this.#dial())
  }

  #end(): void {
    const life = this.#life
    this.#life = null
    this.#timer?.cancel()
    for (const connection of Object.values(life?.connections ?? {})) connection.close()
    this.#control.length = 0
    this.#messages.length = 0
    this.#appends.clear()
    this.#bulk.length = 0
  }
}
