// The network port of one simulated process: the hub's, except that what arrives waits while the process is paused, enters
// the trace, and is overwritten once the receiver has returned.
import type { Connection, ConnectionHandlers, Network } from '@quorate/runtime'
import { crc32 } from 'node:zlib'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Weather } from './weather.ts'
import type { World } from './world.ts'

/** What a receiver sees in bytes that it kept although it may not. */
const POISON = 0xdb

/** What the network of one process needs of the world around it. */
export type Surroundings = Pick<World, 'weather' | 'frameArrived'>

export function createProcessNetwork(
  process: SimulatedProcess,
  network: Network,
  world: Surroundings,
): Network {
  return {
    dial: (address, handlers) =>
      wrapConnection(network.dial(address, wrapHandlers(process, handlers, address, world)), world.weather),
    listen: (address, accept) =>
      network.listen(address, (connection) =>
        wrapHandlers(process, accept(wrapConnection(connection, world.weather)), connection.remote, world),
      ),
  }
}

function wrapConnection(connection: Connection, weather: Weather): Connection {
  let first = true
  return {
    remote: connection.remote,
    get bufferedBytes() {
      return connection.bufferedBytes
    },
    send: (frame) => {
      if (first) weather.markHandshake(frame)
      first = false
      connection.send(frame)
    },
    close: () => connection.close(),
  }
}

function wrapHandlers(
  process: SimulatedProcess,
  handlers: ConnectionHandlers,
  remote: string,
  world: Surroundings,
): ConnectionHandlers {
  const [host = ''] = remote.split(':')
  return {
    opened: () => process.receiveLater('opened', 0, () => handlers.opened?.()),
    frame: (bytes) => {
      // The hub takes its bytes back when this returns: what has to wait needs a copy.
      const kept = process.busy ? bytes.slice() : bytes
      process.receive('frame', crc32(kept), () => {
        world.frameArrived?.(host, process.name, kept)
        handlers.frame(kept)
        kept.fill(POISON)
      })
    },
    closed: (reason) => process.receiveLater('closed', 0, () => handlers.closed(reason)),
  }
}
