// Connections of clients.
import type { ShardMap } from '@quorate/protocol'
import type { Connection, ConnectionHandlers } from '@quorate/runtime'
import { ClientConnection, type ClientConnectionParts } from './client-connection.ts'

export class ClientAcceptor {
  readonly #parts: ClientConnectionParts
  readonly #clients = new Set<ClientConnection>()

  constructor(parts: ClientConnectionParts) {
    this.#parts = parts
  }

  readonly accept = (connection: Connection): ConnectionHandlers => {
    const client = new ClientConnection(connection, this.#parts)
    this.#clients.add(client)
    return {
      frame: (bytes) => client.receive(bytes),
      closed: () => {
        this.#clients.delete(client)
        client.ended()
      },
    }
  }

  /** A new map goes to everybody who is connected. */
  pushMap(map: ShardMap): void {
    for (const client of this.#clients) client.pushMap(map)
  }

  close(): void {
    for (const client of this.#clients) client.close()
    this.#clients.clear()
  }
}
