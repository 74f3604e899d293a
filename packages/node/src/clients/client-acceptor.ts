// Connections of clients.
import { encodeServerFrame, type ShardMap } from '@quorate/protocol'
import type { Connection, Timer, Timers } from '@quorate/runtime'
import { type Accept, limitedAccept } from '../accept-limits.ts'
import { fixed } from '../settings.ts'
import { ClientConnection, type ClientConnectionParts } from './client-connection.ts'
import { RequestCounts } from './request-counts.ts'
import { RequestBudget } from './request-budget.ts'

export interface ClientAcceptorParts extends Omit<ClientConnectionParts, 'budget' | 'counts'> {
  readonly timers: Timers
}

export class ClientAcceptor {
  readonly accept: Accept
  readonly counts: RequestCounts = new RequestCounts()
  readonly #parts: ClientAcceptorParts
  readonly #budget = new RequestBudget(fixed.nodeRequests)
  readonly #clients = new Set<ClientConnection>()
  #sweep: Timer | null = null

  constructor(parts: ClientAcceptorParts) {
    this.#parts = parts
    this.accept = limitedAccept(this.#welcome, {
      timers: parts.timers,
      connectionsMax: fixed.clientConnections,
      helloMs: fixed.helloMs,
      full: (connection) => {
        const message = `this node has ${fixed.clientConnections} clients`
        connection.send(encodeServerFrame({ type: 'unwelcome', code: 'OVERLOADED', message }))
      },
    })
    this.#arm()
  }

  get connections(): number {
    return this.#clients.size
  }

  /** A new map goes to everybody who is connected. */
  pushMap(map: ShardMap): void {
    for (const client of this.#clients) client.pushMap(map)
  }

  close(): void {
    this.#sweep?.cancel()
    for (const client of this.#clients) client.close()
    this.#clients.clear()
  }

  readonly #welcome: Accept = (connection: Connection) => {
    const client = new ClientConnection(connection, {
      ...this.#parts,
      budget: this.#budget,
      counts: this.counts,
    })
    this.#clients.add(client)
    return {
      frame: (bytes) => client.receive(bytes),
      closed: () => {
        this.#clients.delete(client)
        client.ended()
      },
    }
  }

  /** Whoever vanished without a word is told apart from the silent by nothing else. */
  #arm(): void {
    this.#sweep = this.#parts.timers.after(fixed.clientSweepMs, () => {
      const before = this.#parts.now() - fixed.clientIdleMs
      for (const client of this.#clients) if ((client.idleSince ?? before) < before) client.close()
      this.#arm()
    })
  }
}
