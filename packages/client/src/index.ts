export type { Cache, ConditionalResult, Entry, NodeReport, Updated, Written } from './cache.ts'
export { connect } from './connect.ts'
export type { ClientEvents, Listener } from './events.ts'
export type { GetOrSetOptions, Loader, LoaderContext } from './fill/options.ts'
export type { Health, ShardHealth } from './health.ts'
export type { Keyspace, KeyspaceOptions } from './keyspace.ts'
export type {
  ConnectOptions,
  DelOptions,
  Key,
  OperationEvent,
  OperationOptions,
  ReadOptions,
  SetManyOptions,
  SetOptions,
  TtlOption,
  UnconditionalOptions,
  UnconditionalSetOptions,
  UpdateOptions,
} from './options.ts'
export type { ClientRuntime } from './runtime.ts'
export type { TopologyView } from './topology-view.ts'
export type { CommandTrace, RetryTrace } from './tracing.ts'
export type { Codec } from './values/codec.ts'
export type { CodecName } from './values/value.ts'
export { type ErrorCode, type Outcome, QuorateError, type ShardMap } from '@quorate/protocol'
