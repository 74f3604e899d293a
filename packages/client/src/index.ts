export type { Cache, ConditionalResult, Entry, NodeReport, Written } from './cache.ts'
export { connect } from './connect.ts'
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
} from './options.ts'
export type { ClientRuntime } from './runtime.ts'
export type { Codec } from './values/codec.ts'
export type { CodecName } from './values/value.ts'
export { type ErrorCode, type Outcome, QuorateError, type ShardMap } from '@quorate/protocol'
