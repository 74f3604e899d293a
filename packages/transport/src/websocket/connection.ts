// One WebSocket as the port's `Connection`; the same on the side that dialled and the side that accepted.
import type { Connection, ConnectionHandlers } from '@quorate/runtime'
import { WebSocket } from 'ws'
import type { WebSocketSettings } from './options.ts'

/** RFC 6455, 7.4.1: data of a kind that this endpoint does not take. */
const UNSUPPORTED_DATA = 1003

export interface SocketBinding {
  readonly connection: Connection
  /** Handlers come after the connection on the accepting side: nothing is delivered before. */
  readonly attach: (handlers: ConnectionHandlers) => void
}

export function bindSocket(socket: WebSocket, remote: string, settings: WebSocketSettings): SocketBinding {
  let handlers: ConnectionHandlers | null = null
  let unsent: Uint8Array[] = []
  let unsentBytes = 0
  let closing = false
  let ended = false
  let failure = ''

  // The only place that reports the end, whoever caused it and however often the library says so.
  const end = (reason: string): void => {
    if (ended) return
    ended = true
    unsent = []
    unsentBytes = 0
    handlers?.closed(reason)
  }
  socket.on('open', () => {
    if (closing) return
    for (const frame of unsent) socket.send(frame)
    unsent = []
    unsentBytes = 0
    handlers?.opened?.()
  })
  socket.on('message', (data, isBinary) => {
    if (closing || ended) return
    if (!isBinary) {
      failure = 'a text frame arrived'
      closing = true
      return socket.close(UNSUPPORTED_DATA)
    }
    // `nodebuffer`, the default binary type, gives one Buffer per message, also for a fragmented one.
    handlers?.frame(data as Buffer)
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    failure ||= error.code === undefined ? error.message : `${error.code}: ${error.message}`
  })
  socket.on('close', (code) => end(failure || `closed with WebSocket status ${code}`))

  const connection: Connection = {
    remote,
    get bufferedBytes() {
      return ended ? 0 : unsentBytes + socket.bufferedAmount
    },
    send: (frame) => {
      if (frame.byteLength > settings.maxFrameBytes) {
        throw new RangeError(`a frame of ${frame.byteLength} bytes exceeds ${settings.maxFrameBytes}`)
      }
      if (closing || ended) return
      if (socket.readyState === WebSocket.OPEN) return socket.send(frame)
      if (socket.readyState !== WebSocket.CONNECTING) return
      unsent.push(frame)
      unsentBytes += frame.byteLength
    },
    close: () => {
      if (closing || ended) return
      closing = true
      socket.close()
      // What was sent still drains and the closing handshake goes on behind; the owner need not wait for a peer that
      // may be dead. A microtask runs after the caller's stack: never from inside `close`.
      queueMicrotask(() => end('closed by this side'))
    },
  }
  return { connection, attach: (given) => void (handlers = given) }
}
