// Where the outside calls in (timers, sockets): an exception there is a broken invariant. The node halts, its host goes on.
import type { ConnectionHandlers, Network, Timers } from '@quorate/runtime'

export type Guard = (work: () => void) => void

/** Runs `work`; `failed` hears of what it throws. */
export function guardWith(failed: (error: Error) => void): Guard {
  return (work) => {
    try {
      work()
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

export function guardedTimers(timers: Timers, guard: Guard): Timers {
  return {
    after: (delayMs, callback) => timers.after(delayMs, () => guard(callback)),
    endOfTurn: (callback) => timers.endOfTurn(() => guard(callback)),
  }
}

export function guardedNetwork(network: Network, guard: Guard): Network {
  const guarded = (handlers: ConnectionHandlers): ConnectionHandlers => ({
    opened: () => guard(() => handlers.opened?.()),
    frame: (bytes) => guard(() => handlers.frame(bytes)),
    closed: (reason) => guard(() => handlers.closed(reason)),
  })
  return {
    dial: (address, handlers) => network.dial(address, guarded(handlers)),
    listen: (address, accept) => network.listen(address, (connection) => guarded(accept(connection))),
  }
}
