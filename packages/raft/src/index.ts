export type { Configuration, ReplicaId } from './configuration.ts'
export type { DropReason, Effects, HardState, Persist, ReadReady, Role, Status } from './effects.ts'
export type { EntryMeta } from './entry.ts'
export type { Input, Moment } from './input.ts'
export type {
  AppendAccepted,
  AppendRejected,
  AppendRequest,
  Envelope,
  Message,
  TermNotice,
  TimeoutNow,
  VoteReply,
  VoteRequest,
} from './message.ts'
export type { Raft, RaftLimits, RaftOptions, Recovered } from './raft.ts'
export type { RaftImage } from './image.ts'
export { createRaft, raftFromImage } from './create-raft.ts'
export { InvariantViolation } from './invariant.ts'
export type { InvariantCode } from './invariant.ts'
