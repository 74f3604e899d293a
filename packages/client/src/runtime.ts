import { type Runtime, createRealRuntime } from '@quorate/runtime'
import { createWebSocketNetwork } from '@quorate/transport'

/** What a client needs of the world: everything but a disk. */
export type ClientRuntime = Pick<Runtime, 'clock' | 'timers' | 'random' | 'network'>

/** This machine's clock, event loop and chance, over WebSocket. */
export function createDefaultRuntime(): ClientRuntime {
  return createRealRuntime({ network: createWebSocketNetwork() })
}
