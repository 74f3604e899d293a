// Both ends of one connection in memory, from the dial to the close.
import type { Connection, ConnectionHandlers, Timer, Timers } from '@quorate/runtime'
import type { Faults, Link } from './faults.ts'
import type { Incarnation, LinkPredicate } from './hub.ts'
import { type Pipe, createPipe } from './pipe.ts'

export type Acceptor = (connection: Connection) => ConnectionHandlers

export interface Bound {
  readonly owner: Incarnation
  readonly accept: Acceptor
}

export interface Dial {
  readonly faults: Faults
  readonly timers: Timers
  readonly dialTimeoutMs: number
  readonly scribble: boolean
  readonly address: string
  readonly dialler: Incarnation
  readonly handlers: ConnectionHandlers
  /** Who listens there at this moment. */
  readonly find: () => Bound | undefined
}

/** One side: whose process it is, where its frames go, and whether it has heard the end. */
interface End {
  readonly owner: Incarnation
  handlers: ConnectionHandlers | null
  pipe: Pipe | null
  /** `close` was called here or the end is on its way: nothing more is sent or delivered. */
  closing: boolean
  ended: boolean
}

export class MemoryConnection implements Link {
  readonly #dial: Dial
  readonly #near: End
  #far: End | null = null
  /** Sent before the connection was there. */
  #early: Uint8Array[] = []
  /** What the dialling side said first. */
  #opening: Uint8Array | null = null
  #timeout: Timer | null = null
  #hanging = false

  constructor(dial: Dial) {
    this.#dial = dial
    this.#near = { owner: dial.dialler, handlers: dial.handlers, pipe: null, closing: false, ended: false }
    // A dead process's dial calls nobody.
    if (!dial.dialler.alive) return
    dial.faults.add(this)
    dial.timers.after(dial.faults.latencyMs, () => this.#connect())
    this.#timeout = dial.timers.after(dial.dialTimeoutMs, () => {
      if (this.#far === null) this.#break(`ETIMEDOUT: ${dial.address} did not answer`)
    })
  }

  /** The connection as the dialling side holds it. */
  diallingSide(): Connection {
    const near = this.#near
    const bufferedBytes = (): number =>
      near.pipe?.heldBytes ?? this.#early.reduce((bytes, frame) => bytes + frame.byteLength, 0)
    return {
      remote: this.#dial.address,
      get bufferedBytes() {
        return bufferedBytes()
      },
      send: (frame) => {
        this.#opening ??= frame.slice()
        if (near.pipe !== null) this.#send(near, frame)
        else if (!near.closing && near.owner.alive) this.#early.push(frame)
      },
      close: () => this.#close(near, this.#far),
    }
  }

  resume(): void {
    // In a turn of its own: nobody's handler runs from inside the call that healed the partition.
    this.#dial.timers.endOfTurn(() => {
      if (this.#hanging) this.#connect()
      this.#near.pipe?.resume()
      this.#far?.pipe?.resume()
    })
  }

  crashed(incarnation: Incarnation, loses: boolean): void {
    this.#crash(this.#near, this.#far, incarnation, loses)
    if (this.#far !== null) this.#crash(this.#far, this.#near, incarnation, loses)
    this.#forget()
  }

  cut(broken: LinkPredicate): void {
    const here = this.#near.owner.host
    const there = this.#far?.owner.host ?? this.#host()
    if (broken(here, there) || broken(there, here)) this.#break('ECONNRESET: cut')
  }

  #connect(): void {
    const near = this.#near
    if (near.closing || !near.owner.alive || this.#far !== null) return
    const { faults, find, address } = this.#dial
    const here = near.owner.host
    const there = this.#host()
    this.#hanging = faults.isSevered(here, there) || faults.isSevered(there, here)
    if (this.#hanging) return
    const bound = find()
    if (bound === undefined) return this.#end(near, `ECONNREFUSED: nobody listens at ${address}`)
    this.#timeout?.cancel()
    this.#accept(near, bound)
  }

  #accept(near: End, bound: Bound): void {
    const far: End = { owner: bound.owner, handlers: null, pipe: null, closing: false, ended: false }
    this.#far = far
    near.pipe = this.#pipe(near, far)
    far.pipe = this.#pipe(far, near)
    const { pipe } = far
    far.handlers = bound.accept({
      remote: `${near.owner.host}:0`,
      get bufferedBytes() {
        return pipe.heldBytes
      },
      send: (frame) => this.#send(far, frame),
      close: () => this.#close(far, near),
    })
    for (const frame of this.#early) this.#send(near, frame)
    this.#early = []
    if (!near.closing) near.handlers?.opened?.()
  }

  #pipe(from: End, to: End): Pipe {
    const { faults, timers, scribble } = this.#dial
    return createPipe({
      faults,
      timers,
      scribble,
      from: from.owner.host,
      to: to.owner.host,
      isHoled: () =>
        faults.isHoled(
          { dialler: this.#near.owner.host, acceptor: this.#far?.owner.host ?? '', opening: this.#opening },
          from.owner.host,
          to.owner.host,
        ),
      receive: (frame) => {
        if (!to.closing && to.owner.alive) to.handlers?.frame(frame)
      },
    })
  }

  #send(from: End, frame: Uint8Array): void {
    if (from.closing || !from.owner.alive) return
    if (from.pipe?.send(frame) === false) this.#break('ECONNRESET: a frame was lost')
  }

  #close(from: End, other: End | null): void {
    if (from.closing || !from.owner.alive) return
    from.closing = true
    if (other !== null) from.pipe?.finish(() => this.#end(other, 'closed by the other side'))
    this.#dial.timers.endOfTurn(() => this.#end(from, 'closed by this side'))
  }

  /** Both directions break: each side hears of it in a later turn, never from inside a call of its own. */
  #break(reason: string): void {
    const { timers, faults } = this.#dial
    for (const side of [this.#near, this.#far]) {
      if (side === null) continue
      side.pipe?.stop()
      side.closing = true
      if (!side.ended) timers.after(faults.latencyMs, () => this.#end(side, reason))
    }
  }

  /** What `side`, if it is the dead one, had sent still arrives unless it is lost too; then the other side sees the end. */
  #crash(side: End, other: End | null, incarnation: Incarnation, loses: boolean): void {
    if (side.owner !== incarnation) return
    side.ended = true
    side.closing = true
    if (other === null) return
    other.pipe?.stop()
    if (loses) side.pipe?.lose()
    side.pipe?.finish(() => this.#end(other, 'ECONNRESET: the other process is gone'))
  }

  #end(side: End, reason: string): void {
    if (side.ended) return
    side.ended = true
    side.closing = true
    this.#forget()
    if (side.owner.alive) side.handlers?.closed(reason)
  }

  #forget(): void {
    if (!this.#near.ended) return
    this.#timeout?.cancel()
    if (this.#far === null || this.#far.ended) this.#dial.faults.remove(this)
  }

  #host(): string {
    return this.#dial.find()?.owner.host ?? this.#dial.address
  }
}
