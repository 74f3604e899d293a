// The end of a client: its operations, its sessions, its connections, in this order.
import type { Dispatcher } from './calls/dispatcher.ts'
import { CLOSE_SESSIONS_MS } from './limits.ts'
import type { ClientRuntime } from './runtime.ts'

export interface ShutdownContext {
  readonly runtime: ClientRuntime
  readonly dispatcher: Dispatcher
}

/** Never rejects, never takes longer than half a second: sessions that no node took note of expire by themselves. */
export function closeClient({ runtime, dispatcher }: ShutdownContext): Promise<void> {
  dispatcher.endCalls({ code: 'CLOSED', message: 'the client was closed' })
  return new Promise((resolve) => {
    let finished = false
    const finish = (): void => {
      if (finished) return
      finished = true
      timer.cancel()
      dispatcher.closeLinks()
      resolve()
    }
    const timer = runtime.timers.after(CLOSE_SESSIONS_MS, finish)
    dispatcher.closeSessions(finish)
  })
}
