// The network port over WebSocket (ws). Liveness is the business of the layer above: no pings here.
import { type IncomingMessage, type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Connection,
  type ConnectionHandlers,
  type Listener,
  type Network,
  NetworkError,
} from '@quorate/runtime'
import { WebSocket, WebSocketServer } from 'ws'
import { formatAddress, parseAddress } from '../address.ts'
import { bindSocket } from './connection.ts'
import {
  type WebSocketNetworkOptions,
  type WebSocketSettings,
  commonOptions,
  webSocketSettings,
} from './options.ts'

/** How often handshakes that are too slow are looked for. */
const HANDSHAKE_CHECK_MS = 500
const KEEP_ALIVE_MS = 30_000

/**
 * Real connections. Frames are binary WebSocket messages without compression; the dialling side masks with zeros, which
 * is a valid mask that costs neither side anything (RFC 6455, 5.3).
 */
export function createWebSocketNetwork(options: WebSocketNetworkOptions = {}): Network {
  const settings = webSocketSettings(options)
  return {
    dial: (address, handlers) => dial(address, handlers, settings),
    listen: (address, accept) => listen(address, accept, settings),
  }
}

function dial(address: string, handlers: ConnectionHandlers, settings: WebSocketSettings): Connection {
  let url: string
  try {
    const { host, port } = parseAddress(address)
    url = `ws://${formatAddress(host, port)}/`
    // Names that only the URL parser refuses must end like any other dial that cannot succeed: by `closed`.
    void new URL(url)
  } catch (error) {
    return deadConnection(address, handlers, error instanceof Error ? error.message : String(error))
  }
  const socket = new WebSocket(url, {
    ...commonOptions(settings),
    handshakeTimeout: settings.handshakeTimeoutMs,
    generateMask: (mask) => void mask.fill(0),
  })
  const { connection, attach } = bindSocket(socket, address, settings)
  attach(handlers)
  return connection
}

function deadConnection(remote: string, handlers: ConnectionHandlers, reason: string): Connection {
  queueMicrotask(() => handlers.closed(reason))
  return { remote, bufferedBytes: 0, send: () => undefined, close: () => undefined }
}

async function listen(
  address: string,
  accept: (connection: Connection) => ConnectionHandlers,
  settings: WebSocketSettings,
): Promise<Listener> {
  const { host, port } = parseAddress(address)
  const server = createServer(
    {
      // Whoever connects and does not finish its request costs a socket for so long, not for ever.
      headersTimeout: settings.handshakeTimeoutMs,
      requestTimeout: settings.handshakeTimeoutMs,
      connectionsCheckingInterval: HANDSHAKE_CHECK_MS,
      // The other side may be gone without a word: the kernel asks after it.
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    },
    (_request, response) => {
      const headers = { 'content-type': 'text/plain', connection: 'close' }
      response.writeHead(426, headers).end('This port speaks WebSocket.\n')
    },
  )
  const sockets = new WebSocketServer({ ...commonOptions(settings), server, clientTracking: false })
  // `ws` repeats the server's errors here; `bind` reports them, and nobody listening would crash the process.
  sockets.on('error', () => undefined)
  sockets.on('connection', (socket, request) => {
    const { connection, attach } = bindSocket(socket, remoteOf(request), settings)
    attach(accept(connection))
  })
  await bind(server, host, port)
  const bound = server.address() as AddressInfo
  return {
    address: formatAddress(host, bound.port),
    close: () => stop(server, sockets),
  }
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new NetworkError(error.code ?? 'EUNKNOWN', error.message, { cause: error }))
    })
    server.listen({ host, port }, resolve)
  })
}

/**
 * Stops accepting; the port is free when it resolves. Connections that were accepted live on until they are closed one
 * by one, so this does not wait for the server's own `close` event, which comes after the last of them.
 */
function stop(server: Server, sockets: WebSocketServer): Promise<void> {
  sockets.close()
  server.close()
  server.closeAllConnections()
  return Promise.resolve()
}

function remoteOf(request: IncomingMessage): string {
  return formatAddress(request.socket.remoteAddress ?? 'unknown', request.socket.remotePort ?? 0)
}
