// One operation on its way: what it wants, by when, and what is known of its attempts.
import type {
  Answer,
  Command,
  Draft,
  DraftChunk,
  ErrorCode,
  GroupId,
  Outcome,
  RelaxedRead,
} from '@quorate/protocol'
import { ATTEMPTS_PER_DEADLINE } from '../limits.ts'
import type { Link } from '../link/link.ts'
import type { Topology } from '../route/topology.ts'
import type { Alarm, AlarmStep } from '../wheel.ts'
import { type DraftOwner, NO_DRAFT } from './drafts.ts'
import type { Session } from './session-pool.ts'

/** A command before it has a name and a `notAfter`: every attempt says its own, here both are 0. */
export type WriteBody = Command & { readonly kind: 'write'; readonly slot: number }

export interface ReadBody {
  readonly kind: 'read'
  readonly op: 'get'
  readonly key: Uint8Array
  readonly slot: number
  /** Null: linearizable. */
  readonly how: RelaxedRead | null
}

/** One journey of a call to one node. */
export interface Attempt {
  readonly call: Call
  /** The call's: what travels. */
  readonly draft: Draft
  readonly group: GroupId
  readonly link: Link
  /** `(session, sequence)` names an operation for life; another name only while all its attempts are refused. */
  readonly session: Session | null
  readonly sequence: number
  /**
   * `queued`: not a byte has left; `sent`: it counts as open until a refusal says otherwise; `settled`: answered,
   * refused, or never sent.
   */
  state: 'queued' | 'sent' | 'settled'
  /** The request in which it left; null before. */
  request: SentRequest | null
}

/** What left together, in one section: it is answered together. */
export interface SentRequest {
  readonly requestId: number
  /** In the order of the answers. */
  readonly attempts: readonly Attempt[]
  readonly group: GroupId
  readonly session: Session | null
  /** How its keys are read; null: linearizable, also where the node knows nothing else. */
  readonly how: RelaxedRead | null
  /** Monotonic ms at which the frame left. */
  readonly sentAt: number
  /** Of the map that said where to. */
  readonly mapEpoch: number
  /** Attempts whose calls still wait. At 0 nobody listens any more and it is forgotten. */
  waiting: number
}

/** Of the answer to a stale read: ms, null where it cannot be told; undefined for all other answers. */
export type Age = number | null | undefined

export type Applied = Extract<Answer, { type: 'applied' }>

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly cause?: unknown
}

/** What every call begins with. */
export interface CallStart {
  readonly kind: 'write' | 'read' | 'open'
  readonly op: Command['op'] | 'get' | 'open'
  /** A write that may lose. */
  readonly isConditional: boolean
  /** Of reads: null is linearizable. */
  readonly how: RelaxedRead | null
  /** Monotonic ms. */
  readonly now: number
  /** From `now` to the deadline, ms. */
  readonly timeoutMs: number
}

/**
 * It is its own alarm: for the end of an attempt's patience, of a pause, of the deadline. Thousands are under way at once, so
 * one object holds all of it: who waits for its end is a subclass, not a callback.
 */
export abstract class Call implements Alarm<Call>, DraftOwner {
  readonly kind: CallStart['kind']
  readonly op: CallStart['op']
  readonly isConditional: boolean
  readonly how: RelaxedRead | null
  readonly deadlineAt: number
  /** How long one attempt waits before the next begins beside it. */
  readonly attemptMs: number
  chunk: DraftChunk = NO_DRAFT.chunk
  offset = 0
  length = 0
  step: AlarmStep<Call> | null = null
  before: Call | null = null
  behind: Call | null = null
  done = false
  phase: 'new' | 'session' | 'pause' | 'attempt' = 'new'
  /** Its name in there is `sequence`; null while it has none. */
  session: Session | null = null
  sequence = 0
  /** The attempt whose end begins the next one; older ones may only bring an answer or a refusal. */
  current: Attempt | null = null
  /** Older attempts that are open; null almost always. */
  older: Attempt[] | null = null
  /**
   * Attempts that left this process and were not refused. While there is one the call keeps its name, and ends as
   * `unknown` if nothing better comes (sessions.md, Outcomes).
   */
  unrefused = 0
  /** Attempts that left this process. */
  attempts = 0
  /** Retries since the last pause. */
  promptRetries = 0
  /** Reads only: in a section of its own, since a node could not answer it together with others. */
  alone = false
  /** Addresses that a stale read was refused by, or waited for in vain; null until there is one. */
  passed: Set<string> | null = null
  lastFailure: Failure | null = null

  constructor({ kind, op, isConditional, how, now, timeoutMs }: CallStart) {
    this.kind = kind
    this.op = op
    this.isConditional = isConditional
    this.how = how
    this.deadlineAt = now + timeoutMs
    this.attemptMs = timeoutMs / ATTEMPTS_PER_DEADLINE
  }

  /** The group that it is for; 0 while the map assigns it to none. */
  abstract groupIn(topology: Topology): GroupId

  /** Its one end, with `done` set: this or `failed`. `age`: of stale reads alone, ms, null where it cannot be told. */
  abstract applied(answer: Applied, group: GroupId, age: Age): void
  abstract failed(failure: Failure, outcome: Outcome): void
}

export const isStale = (how: RelaxedRead | null): boolean => how?.consistency === 'stale'

/** What a reply of a group told of its log clock (sessions.md, `notAfter`). */
export interface LogTime {
  /** L at the answer. */
  readonly leaderTime: number
  /** Monotonic ms at which *that* request left: L may have been read right then. */
  readonly sentAt: number
  readonly receivedAt: number
}
