// The accepting side of a link: three connections of one sender that belong together, what has come on them, what is done.
import {
  type Channel,
  channels,
  encodePeerFrame,
  limits,
  type PeerFrame,
  type PeerHello,
  type PeerRefusal,
  travelsOn,
} from '@quorate/protocol'
import type { Connection } from '@quorate/runtime'
import { fixed } from '../settings.ts'

/** Who sent a frame: bound to its directory and boot. */
export interface Caller {
  readonly hello: PeerHello
}

export interface InboundLinkParts {
  readonly received: (frame: PeerFrame) => void
  /** Monotonic ms. */
  readonly now: () => number
  /** Resolves when everything that the log was given by now is synced; rejects if the node ends before. */
  readonly logSynced: () => Promise<void>
  /** One of the connections ended, so all have. Called once; not after `end`. */
  readonly ended: () => void
  readonly event: (event: { readonly code: string; readonly [fact: string]: unknown }) => void
}

interface Inbound {
  readonly connection: Connection
  /** Bytes of frames behind the hello. */
  received: number
  done: number
  /** When the sender was last told of both, and what of the second. */
  toldAt: number
  toldDone: number
  silentTicks: number
}

export class InboundLink {
  readonly caller: Caller
  readonly number: number
  readonly #parts: InboundLinkParts
  readonly #inbound = new Map<Channel, Inbound>()
  #syncing = false
  #ended = false

  constructor(hello: PeerHello, parts: InboundLinkParts) {
    this.caller = { hello }
    this.number = hello.link
    this.#parts = parts
  }

  /** All three connections are there: frames are believed from now on. */
  get bound(): boolean {
    return this.#inbound.size === channels.length && !this.#ended
  }

  /** False if that connection is there already. */
  add(channel: Channel, connection: Connection): boolean {
    if (this.#inbound.has(channel)) return false
    const none = { received: 0, done: 0, toldAt: -Infinity, toldDone: 0 }
    this.#inbound.set(channel, { connection, ...none, silentTicks: 0 })
    return true
  }

  frame(channel: Channel, frame: PeerFrame, length: number): void {
    const inbound = this.#inbound.get(channel)
    // A newer link or boot of this sender exists: what an old one still delivers is late.
    if (inbound === undefined || this.#ended) return
    if (!this.bound) return this.refuse('BAD_FRAME', 'a frame before all three connections were there')
    inbound.silentTicks = 0
    if (frame.type === 'probe') return this.#probe(channel, inbound, frame.sent, length)
    if (!travelsOn(frame, channel))
      return this.refuse('BAD_FRAME', `a frame of type ${frame.type} on the ${channel} connection`)
    if (
      channel === 'append' &&
      inbound.received - inbound.done > limits.appendCreditBytes + limits.frameBytes
    )
      return this.refuse('BAD_FRAME', 'more appends than there was credit for')
    this.#arrived(channel, inbound, length)
    this.#parts.received(frame)
    if (channel === 'append') this.#awaitSync(inbound)
    // Its question may be stuck behind what it sent before.
    if (this.#parts.now() - inbound.toldAt >= fixed.progressMs) this.#tell(inbound)
  }

  /** Called every `callerTickMs`. A sender asks on each connection many times between two calls. */
  tick(): void {
    for (const [channel, inbound] of this.#inbound) {
      inbound.silentTicks += 1
      if (inbound.silentTicks <= fixed.callerSilentTicks) continue
      this.#parts.event({ code: 'peer_silent', peer: this.caller.hello.dirId, channel })
      return this.closed()
    }
  }

  /** A connection of this link ended. */
  closed(): void {
    if (this.#ended) return
    this.end()
    this.#parts.ended()
  }

  refuse(code: PeerRefusal, message: string): void {
    if (this.#ended) return
    this.#parts.event({ code: 'peer_refused_here', peer: this.caller.hello.dirId, reason: code, message })
    for (const { connection } of this.#inbound.values())
      connection.send(encodePeerFrame({ type: 'unwelcome', code, message }))
    this.closed()
  }

  end(): void {
    this.#ended = true
    for (const { connection } of this.#inbound.values()) connection.close()
  }

  #probe(channel: Channel, inbound: Inbound, sent: number, length: number): void {
    // Frames can be missing only where a network loses some out of the middle; then the sender's count is the right one.
    if (sent - inbound.received > limits.appendCreditBytes || sent > SENT_MAX)
      return this.refuse('BAD_FRAME', 'a count of bytes far from what has arrived')
    this.#arrived(channel, inbound, Math.max(sent - inbound.received, 0) + length)
    if (channel === 'append') this.#awaitSync(inbound)
    this.#tell(inbound)
  }

  #arrived(channel: Channel, inbound: Inbound, bytes: number): void {
    inbound.received += bytes
    if (channel !== 'append') inbound.done = inbound.received
  }

  /** Appends are done with when the log has synced what they brought: one wait at a time, for all that came before it. */
  #awaitSync(append: Inbound): void {
    if (this.#syncing || this.#ended) return
    this.#syncing = true
    const upTo = append.received
    this.#parts.logSynced().then(
      () => {
        this.#syncing = false
        append.done = upTo
        if (append.received > upTo) this.#awaitSync(append)
        if (append.done - append.toldDone >= fixed.progressDoneBytes) this.#tell(append)
      },
      // The node ends: nobody needs to be told.
      () => {},
    )
  }

  #tell(inbound: Inbound): void {
    if (this.#ended) return
    inbound.toldAt = this.#parts.now()
    inbound.toldDone = inbound.done
    const { received, done } = inbound
    inbound.connection.send(encodePeerFrame({ type: 'progress', received, done }))
  }
}

/** Far below where counts would stop being exact. */
const SENT_MAX = Number.MAX_SAFE_INTEGER / 2
