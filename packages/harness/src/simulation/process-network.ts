// The network port of one simulated process: the hub's, except that what arrives waits while the process is paused, enters
// the trace, and is overwritten once the receiver has returned.
import type { Connection, ConnectionHandlers, Network } from '@quorate/runtime'
import { crc32 } from 'node:zlib'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Weather } from './weather.ts'

/** What a receiver sees in bytes that it kept although it may not. */
const POISON = 0xdb

export function createProcessNetwork(process: SimulatedProcess, network: Network, weather: Weather): Network {
  return {
    dial: (address, handlers) =>
      wrapConnection(network.dial(address, wrapHandlers(process, handlers)), weather),
    listen: (address, accept) =>
      network.listen(address, (connection) =>
        wrapHandlers(process, accept(wrapConnection(connection, weather))),
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

function wrapHandlers(process: SimulatedProcess, handlers: ConnectionHandlers): ConnectionHandlers {
  return {
    opened: () => process.receiveLater('opened', 0, () => handlers.opened?.()),
    frame: (bytes) => {
      // The hub takes its bytes back when this returns: what has to wait needs a copy.
      const kept = process.busy ? bytes.slice() : bytes
      process.receive('frame', crc32(kept), () => {
        handlers.frame(kept)
        kept.fill(POISON)
      })
    },
    closed: (reason) => process.receiveLater('closed', 0, () => handlers.closed(reason)),
  }
}
