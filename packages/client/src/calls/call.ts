// One operation on its way: what it wants, by when, and what is known of its attempts.
import type { Answer, Command, Condition, ErrorCode, GroupId, Outcome, Value } from '@quorate/protocol'
import { ATTEMPTS_PER_DEADLINE } from '../limits.ts'
import type { Link } from '../link/link.ts'
import type { Alarm, AlarmStep } from '../wheel.ts'
import type { Session, SessionPool } from './session-pool.ts'

/** A command before it has a name and a `notAfter`. */
export type WriteBody =
  | {
      readonly kind: 'write'
      readonly op: 'set'
      readonly key: Uint8Array
      readonly slot: number
      readonly value: Value
      readonly condition: Condition
      /** Ms, 0 = none. */
      readonly ttl: number
    }
  | {
      readonly kind: 'write'
      readonly op: 'touch'
      readonly key: Uint8Array
      readonly slot: number
      readonly condition: Condition
      readonly ttl: number
    }
  | {
      readonly kind: 'write'
      readonly op: 'del' | 'persist'
      readonly key: Uint8Array
      readonly slot: number
      readonly condition: Condition
    }
  | {
      readonly kind: 'write'
      readonly op: 'incr'
      readonly key: Uint8Array
      readonly slot: number
      readonly by: number
    }

export interface ReadBody {
  readonly kind: 'read'
  readonly op: 'get'
  readonly key: Uint8Array
  readonly slot: number
}

/** Opens a session for a pool; the client's own, no user waits for it. */
export interface OpenBody {
  readonly kind: 'open'
  readonly op: 'open'
  readonly group: GroupId
  readonly pool: SessionPool
}

export type CallBody = WriteBody | ReadBody | OpenBody

/** One journey of a call to one node. */
export interface Attempt {
  readonly call: Call
  readonly group: GroupId
  readonly link: Link
  /** `(session, sequence)` names an operation for life; another name only while all its attempts are refused. */
  readonly session: Session | null
  readonly sequence: number
  /** Reads only: in a section of its own, since a node could not answer it together with others. */
  readonly alone: boolean
  /**
   * `queued`: not a byte has left; `sent`: it counts as open until a refusal says otherwise; `settled`: answered,
   * refused, or never sent.
   */
  state: 'queued' | 'sent' | 'settled'
  /** Monotonic ms at which its frame left. */
  sentAt: number
  mapEpoch: number
  /** The request it travels in; null while nobody can answer it. */
  request: { readonly requestId: number; waiting: number } | null
}

export type Applied = Extract<Answer, { type: 'applied' }>

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
  readonly cause?: unknown
}

/** What every call begins with. */
export interface CallStart {
  readonly body: CallBody
  readonly bytes: number
  /** Monotonic ms. */
  readonly now: number
  /** From `now` to the deadline, ms. */
  readonly timeoutMs: number
}

/**
 * It is its own alarm: for the end of an attempt's patience, of a pause, of the deadline. Thousands are under way at once, so
 * one object holds all of it: who waits for its end is a subclass, not a callback.
 */
export abstract class Call implements Alarm<Call> {
  readonly body: CallBody
  readonly deadlineAt: number
  /** How long one attempt waits before the next begins beside it. */
  readonly attemptMs: number
  readonly bytes: number
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
  alone = false
  lastFailure: Failure | null = null

  constructor({ body, bytes, now, timeoutMs }: CallStart) {
    this.body = body
    this.bytes = bytes
    this.deadlineAt = now + timeoutMs
    this.attemptMs = timeoutMs / ATTEMPTS_PER_DEADLINE
  }

  /** Its one end, with `done` set: this or `failed`. */
  abstract applied(answer: Applied, group: GroupId): void
  abstract failed(failure: Failure, outcome: Outcome): void
}

/** What a reply of a group told of its log clock (sessions.md, `notAfter`). */
export interface LogTime {
  /** L at the answer. */
  readonly leaderTime: number
  /** Monotonic ms at which *that* request left: L may have been read right then. */
  readonly sentAt: number
  readonly receivedAt: number
}

export function commandOf(body: WriteBody, sequence: number, notAfter: number): Command {
  switch (body.op) {
    case 'set':
      return {
        op: 'set',
        sequence,
        notAfter,
        key: body.key,
        value: body.value,
        condition: body.condition,
        ttl: body.ttl,
      }
    case 'del':
    case 'persist':
      return { op: body.op, sequence, notAfter, key: body.key, condition: body.condition }
    case 'touch':
      return { op: 'touch', sequence, notAfter, key: body.key, condition: body.condition, ttl: body.ttl }
    case 'incr':
      return { op: 'incr', sequence, notAfter, key: body.key, by: body.by }
  }
}
