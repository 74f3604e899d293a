// One user's operation under way: the call, and the promise that its end settles.
import { type ErrorCode, type GroupId, type Outcome, QuorateError } from '@quorate/protocol'
import { type Age, type Applied, Call, type Failure, type ReadBody, type WriteBody } from './calls/call.ts'
import type { Operations } from './operation.ts'
import type { OperationOptions } from './options.ts'
import type { Topology } from './route/topology.ts'

export type UserBody = WriteBody | ReadBody

/** Makes of an answer what the user waits for; the user gets what it throws. One serves all operations of a kind. */
export type AnswerMap<T> = (answer: Applied, age: Age) => T

export interface UserCallStart {
  readonly body: UserBody
  /** Key and value: what waits in memory for it. */
  readonly bytes: number
  readonly now: number
  readonly timeoutMs: number
  readonly operations: Operations
  readonly options: OperationOptions
  readonly map: AnswerMap<unknown>
}

export class UserCall extends Call {
  declare readonly op: UserBody['op']
  declare readonly kind: UserBody['kind']
  readonly slot: number
  readonly bytes: number
  readonly options: OperationOptions
  readonly promise: Promise<unknown>
  /** Takes the listener off the user's signal; null where there is none. */
  stopListening: (() => void) | null = null
  readonly #operations: Operations
  readonly #map: AnswerMap<unknown>
  readonly #resolve: (value: unknown) => void
  readonly #reject: (error: Error) => void

  constructor({ body, bytes, now, timeoutMs, operations, options, map }: UserCallStart) {
    const { kind, op } = body
    const how = kind === 'read' ? body.how : null
    super({ kind, op, isConditional: isConditional(body), how, now, timeoutMs })
    this.slot = body.slot
    this.bytes = bytes
    this.options = options
    this.#operations = operations
    this.#map = map
    this.promise = new Promise<unknown>(capture)
    this.#resolve = captured.resolve
    this.#reject = captured.reject
  }

  groupIn(topology: Topology): GroupId {
    return topology.groupOf(this.slot)
  }

  applied(answer: Applied, group: GroupId, age: Age): void {
    this.stopListening?.()
    this.#operations.applied(this, answer, group, age)
    try {
      this.#resolve(this.#map(answer, age))
    } catch (error) {
      this.#reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  failed(failure: Failure, outcome: Outcome): void {
    this.stopListening?.()
    this.#operations.failed(this, failure, outcome)
    this.#reject(errorOf(failure, outcome))
  }
}

function isConditional(body: UserBody): boolean {
  return 'condition' in body && body.condition.type !== 'always'
}

interface Captured {
  resolve: (value: unknown) => void
  reject: (error: Error) => void
}

/** A promise runs its executor before it is there, so one executor can serve them all, and none is made per operation. */
const captured: Captured = { resolve: () => undefined, reject: () => undefined }

function capture(resolve: (value: unknown) => void, reject: (error: Error) => void): void {
  captured.resolve = resolve
  captured.reject = reject
}

export function errorOf(failure: Failure, outcome: Outcome): QuorateError {
  return new QuorateError(failure.code, outcome, failure.message, {
    hint: hintFor(failure, outcome),
    ...(failure.cause === undefined ? {} : { cause: failure.cause }),
  })
}

function hintFor(failure: Failure, outcome: Outcome): string {
  if (outcome === 'unknown')
    return 'it may or may not have happened, and after the deadline it no longer will: read the key to see'
  return hints.get(failure.code) ?? 'nothing happened: it is safe to try again'
}

const hints: ReadonlyMap<ErrorCode, string> = new Map([
  ['CANNOT_CONNECT', 'check that the nodes run and that their client addresses can be reached from here'],
  ['NO_LEADER', 'the key’s shard has no leader: see `quorate status`'],
  ['TOO_OLD', 'allow for an older value, or read it linearizably'],
  ['OVERLOADED', 'nothing happened: try again later, with less at once'],
  ['DISK_FULL', 'free space on the nodes; reads and deletes go on'],
])
