// What holds for every connection before anybody looks at its frames: how many there may be, how long one may stay silent.
import type { Connection, ConnectionHandlers, Timers } from '@quorate/runtime'

export type Accept = (connection: Connection) => ConnectionHandlers

export interface AcceptLimits {
  readonly timers: Timers
  /** Connections open at the same time; one more is closed. */
  readonly connectionsMax: number
  /** A connection without a first frame by then is closed. */
  readonly helloMs: number
  /** Tells the one too many why, before it is closed. */
  readonly full: (connection: Connection) => void
}

export function limitedAccept(
  accept: Accept,
  { timers, connectionsMax, helloMs, full }: AcceptLimits,
): Accept {
  let open = 0
  return (connection) => {
    if (open >= connectionsMax) {
      full(connection)
      connection.close()
      return { frame: () => {}, closed: () => {} }
    }
    open += 1
    const handlers = accept(connection)
    const silence = timers.after(helloMs, () => connection.close())
    return {
      frame: (bytes) => {
        silence.cancel()
        handlers.frame(bytes)
      },
      closed: (reason) => {
        silence.cancel()
        open -= 1
        handlers.closed(reason)
      },
    }
  }
}
