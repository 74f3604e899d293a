// The dialling side of one of the three connections of a link: says hello, sends, and knows whether the other side is there.
import {
  type Channel,
  decodePeerFrame,
  encodePeerFrame,
  limits,
  type PeerFrame,
  type PeerHello,
  type PeerRefusal,
} from '@quorate/protocol'
import type { Connection, Network } from '@quorate/runtime'
import { fixed } from '../settings.ts'

export type Welcome = Extract<PeerFrame, { readonly type: 'welcome' }>

export interface OutboundChannelParts {
  readonly network: Network
  readonly address: string
  readonly hello: PeerHello
  readonly welcomed: () => void
  readonly refused: (code: PeerRefusal, message: string) => void
  /** More of what was sent has arrived or is done with. */
  readonly progressed: () => void
  /** It ended, whoever ended it; or the other side said what it must not. */
  readonly broken: (reason: string) => void
}

export class OutboundChannel {
  readonly channel: Channel
  readonly #parts: OutboundChannelParts
  readonly #connection: Connection
  #welcome: Welcome | null = null
  /** Bytes of all frames behind the hello, and how far the other side has answered for them. */
  #sent = 0
  #received = 0
  #done = 0
  #advanced = false
  #silentTicks = 0
  #idleTicks = 0
  #sentAtTick = 0
  #ended = false

  constructor(parts: OutboundChannelParts) {
    this.#parts = parts
    this.channel = parts.hello.channel
    this.#connection = parts.network.dial(parts.address, {
      opened: () => {
        if (!this.#ended) this.#connection.send(encodePeerFrame(parts.hello))
      },
      frame: (bytes) => {
        if (!this.#ended) this.#receive(bytes)
      },
      closed: (reason) => this.#break(reason),
    })
  }

  get welcome(): Welcome | null {
    return this.#welcome
  }

  /** Bytes that this process still holds. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes
  }

  /** Bytes sent that the receiver is not done with. */
  get openBytes(): number {
    return this.#sent - this.#done
  }

  send(frame: PeerFrame): void {
    const bytes = encodePeerFrame(frame)
    this.#sent += bytes.length
    this.#connection.send(bytes)
  }

  /**
   * Called every `probeMs`; false if nothing of what was sent has been answered for too long. It counts its calls and not
   * the time: a stall of this process is not the other side's silence. It asks only where nothing flows, since what flows is
   * answered by itself: often while an answer is due, now and then otherwise.
   */
  probe(): boolean {
    const waiting = this.#sent - this.#received
    this.#silentTicks = waiting === 0 || this.#advanced ? 0 : this.#silentTicks + 1
    this.#advanced = false
    // A frame has to arrive whole before it can be answered.
    const patienceMs =
      limits.electionTimeoutMsMax + Math.min(waiting, limits.frameBytes) / fixed.slowestPeerBytesPerMs
    if (this.#silentTicks * fixed.probeMs >= patienceMs) return false
    const flows = this.#sent > this.#sentAtTick
    this.#idleTicks = flows || waiting > 0 ? 0 : this.#idleTicks + 1
    if (!flows && (waiting > 0 || this.#idleTicks >= fixed.idleProbeTicks)) {
      this.#idleTicks = 0
      this.send({ type: 'probe', sent: this.#sent })
    }
    this.#sentAtTick = this.#sent
    return true
  }

  close(): void {
    this.#ended = true
    this.#connection.close()
  }

  #receive(bytes: Uint8Array): void {
    let frame: PeerFrame
    try {
      frame = decodePeerFrame(bytes)
    } catch {
      return this.#break('an answer that is no frame')
    }
    if (frame.type === 'unwelcome') {
      this.#parts.refused(frame.code, frame.message)
      this.#break(`refused: ${frame.code}`)
    } else if (frame.type === 'progress') this.#progress(frame)
    else if (frame.type !== 'welcome') this.#break(`an answer of type ${frame.type}`)
    else if (this.#welcome === null) {
      this.#welcome = frame
      this.#parts.welcomed()
    }
  }

  /** Late ones and repeated ones say nothing new, and nobody can answer for more than was sent. */
  #progress({ received, done }: Extract<PeerFrame, { type: 'progress' }>): void {
    if (received > this.#received) {
      this.#received = Math.min(received, this.#sent)
      this.#advanced = true
    }
    this.#done = Math.max(this.#done, Math.min(done, this.#sent))
    this.#parts.progressed()
  }

  #break(reason: string): void {
    if (this.#ended) return
    this.close()
    this.#parts.broken(reason)
  }
}
