/**
 * Ordered streams of binary frames between processes. Delivery is not guaranteed: a connection may close at any time
 * with frames under way in both directions. Callbacks are never invoked from inside `send`, `dial` or `close`.
 */
export interface Network {
  /** Starts to connect. `handlers.closed` is called exactly once in the end, also when it never opened. */
  dial(address: string, handlers: ConnectionHandlers): Connection
  /** Accepts connections at `address` (`host:port`; port 0 picks one). Rejects with `NetworkError` (`EADDRINUSE`, ...). */
  listen(address: string, accept: (connection: Connection) => ConnectionHandlers): Promise<Listener>
}

export interface ConnectionHandlers {
  /** A dialled connection is ready; frames sent earlier were queued. Not called for accepted ones. */
  opened?(): void
  /** One whole frame. The bytes are a view that the receiver may keep only until it returns: copy before keeping. */
  frame(bytes: Uint8Array): void
  closed(reason: string): void
}

export interface Connection {
  /** The other side's `host:port`, for messages to people. */
  readonly remote: string
  /** Bytes accepted by `send` that have not left this process: back-pressure is the caller's decision. */
  readonly bufferedBytes: number
  /** Queues one frame; the caller must not touch the bytes afterwards. After close it does nothing. */
  send(frame: Uint8Array): void
  close(): void
}

export interface Listener {
  /** The address bound, with the real port. */
  readonly address: string
  close(): Promise<void>
}

export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
