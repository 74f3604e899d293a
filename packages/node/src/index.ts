export { createNode } from './create-node.ts'
export type { NamedAddress, NodeEvent, NodeOptions, NodeSettings, QuorateNode } from './node.ts'
export type { NodeStatus, ShardStatus } from './status.ts'
export { defaultSettings } from './settings.ts'
