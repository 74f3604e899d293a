export {
  type ConnectionFacts,
  createMemoryNetwork,
  type FrameFault,
  type HolePredicate,
  type LinkPredicate,
  type MemoryHub,
  type MemoryNetworkOptions,
} from './memory/hub.ts'
export { createWebSocketNetwork } from './websocket/network.ts'
export type { WebSocketNetworkOptions } from './websocket/options.ts'
