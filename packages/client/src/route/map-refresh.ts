// Fetches a newer map, once for everybody who found theirs old.
import {
  decodeServerFrame,
  encodeClientFrame,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  type ShardMap,
} from '@quorate/protocol'
import type { Connection, Timer } from '@quorate/runtime'
import { MAP_REFRESH_MS_MIN, WELCOME_TIMEOUT_MS } from '../limits.ts'
import type { ClientRuntime } from '../runtime.ts'
import type { Topology } from './topology.ts'

/**
 * A node says its map in its welcome and when it changes, never on request: so a connection is made for the welcome
 * alone. Nodes are asked in turn, at most one each 100 ms however many replies say that the map is old.
 */
export class MapRefresh {
  readonly #runtime: ClientRuntime
  readonly #topology: Topology
  readonly #found: (map: ShardMap) => void
  #running = false
  #next = 0
  #connection: Connection | null = null
  #timer: Timer | null = null
  #lastStart = Number.NEGATIVE_INFINITY
  #stopped = false

  constructor(runtime: ClientRuntime, topology: Topology, found: (map: ShardMap) => void) {
    this.#runtime = runtime
    this.#topology = topology
    this.#found = found
  }

  request(): void {
    if (this.#running || this.#stopped) return
    const now = this.#runtime.clock.monotonicMs()
    if (now < this.#lastStart + MAP_REFRESH_MS_MIN) return
    this.#running = true
    this.#lastStart = now
    this.#ask()
  }

  stop(): void {
    this.#stopped = true
    this.#finish()
  }

  #ask(): void {
    const addresses = this.#topology.everyAddress()
    const address = addresses[this.#next % addresses.length]
    this.#next += 1
    if (address === undefined) return this.#finish()
    const connection = this.#runtime.network.dial(address, {
      opened: () => {
        const hello = {
          type: 'hello',
          protocolMin: PROTOCOL_VERSION_MIN,
          protocolMax: PROTOCOL_VERSION_MAX,
          clusterId: this.#topology.clusterId,
          features: 0,
        } as const
        connection.send(encodeClientFrame(hello))
      },
      frame: (bytes) => {
        if (this.#connection === connection) this.#receive(bytes)
      },
      closed: () => {
        if (this.#connection === connection) this.#finish()
      },
    })
    this.#connection = connection
    this.#timer = this.#runtime.timers.after(WELCOME_TIMEOUT_MS, () => this.#finish())
  }

  #receive(bytes: Uint8Array): void {
    try {
      const frame = decodeServerFrame(bytes)
      if (frame.type === 'welcome') this.#found(frame.map)
    } catch {
      // A confused node, or one of another cluster: the next request asks the next one.
    }
    this.#finish()
  }

  #finish(): void {
    this.#running = false
    this.#timer?.cancel()
    const connection = this.#connection
    this.#connection = null
    connection?.close()
  }
}
