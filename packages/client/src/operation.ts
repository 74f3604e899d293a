// Starts users' operations within the client's bounds, and tells of their ends.
import { type ErrorCode, type GroupId, type Outcome, keyOfDraft } from '@quorate/protocol'
import type { Age, Applied, Failure } from './calls/call.ts'
import type { Dispatcher } from './calls/dispatcher.ts'
import type { Drafts } from './calls/drafts.ts'
import { OUTSTANDING_BYTES_MAX, OUTSTANDING_OPERATIONS_MAX } from './limits.ts'
import { type OperationEvent, type OperationOptions, checkedTimeout } from './options.ts'
import type { Topology } from './route/topology.ts'
import { commandChannel, traced } from './tracing.ts'
import { type AnswerMap, type UserBody, UserCall, errorOf } from './user-call.ts'

export interface OperationsOptions {
  readonly dispatcher: Dispatcher
  readonly topology: Topology
  readonly timeoutMs: number
  readonly observer: ((event: OperationEvent) => void) | undefined
}

/** Starts operations within the client's bounds. */
export class Operations {
  readonly #dispatcher: Dispatcher
  readonly #drafts: Drafts
  readonly #topology: Topology
  readonly #timeoutMs: number
  readonly #observer: ((event: OperationEvent) => void) | undefined
  #bytes = 0
  #count = 0
  #closed = false

  constructor(options: OperationsOptions) {
    this.#dispatcher = options.dispatcher
    this.#drafts = options.dispatcher.drafts
    this.#topology = options.topology
    this.#timeoutMs = options.timeoutMs
    this.#observer = options.observer
  }

  close(): void {
    this.#closed = true
  }

  /** Resolves with the first applied answer; rejects with `QuorateError`. Never later than the deadline. */
  run<T>(body: UserBody, options: OperationOptions, map: AnswerMap<T>): Promise<T> {
    if (commandChannel.hasSubscribers) return traced(body, options, (heard) => this.#start(body, heard, map))
    return this.#start(body, options, map)
  }

  #start<T>(body: UserBody, options: OperationOptions, map: AnswerMap<T>): Promise<T> {
    const timeoutMs = checkedTimeout(options.timeout, this.#timeoutMs)
    const { signal } = options
    const bytes = bytesOf(body)
    const refusal = this.#refusal(bytes, signal)
    if (refusal !== null) {
      if (this.#isHeard(options))
        this.#tell(options, failedEvent(body.op, body.key, refusal.code, 'not-done', 0))
      return Promise.reject(errorOf(refusal, 'not-done'))
    }
    const { now } = this.#dispatcher
    const call = new UserCall({ body, bytes, now, timeoutMs, operations: this, options, map })
    this.#drafts.write(call, this.#topology.groupOf(body.slot), body)
    this.#count += 1
    this.#bytes += bytes
    this.#dispatcher.start(call, now)
    if (signal !== undefined && !call.done) {
      const abort = (): void => this.#dispatcher.giveUp(call, aborted(signal))
      call.stopListening = () => signal.removeEventListener('abort', abort)
      signal.addEventListener('abort', abort, { once: true })
    }
    // It settles with what `map` returns and nothing else.
    return call.promise as Promise<T>
  }

  /** Told before the promise of the call is settled. */
  applied(call: UserCall, answer: Applied, group: GroupId, age: Age): void {
    this.#count -= 1
    this.#bytes -= call.bytes
    const { op, options, attempts } = call
    if (this.#isHeard(options)) {
      const { position, result } = answer
      const key = keyOfDraft(call, call.kind)
      const event = { op, key, outcome: 'ok', code: null, group, position, result, attempts } as const
      this.#tell(options, age === undefined ? event : { ...event, age })
    }
    this.#drafts.release(call)
  }

  failed(call: UserCall, { code }: Failure, outcome: Outcome): void {
    this.#count -= 1
    this.#bytes -= call.bytes
    const { op, options, attempts } = call
    if (this.#isHeard(options)) {
      const key = keyOfDraft(call, call.kind)
      this.#tell(options, failedEvent(op, key, code, outcome, attempts))
    }
    this.#drafts.release(call)
  }

  #refusal(bytes: number, signal: AbortSignal | undefined): Failure | null {
    if (this.#closed) return { code: 'CLOSED', message: 'the client was closed' }
    if (signal?.aborted === true) return aborted(signal)
    if (this.#count >= OUTSTANDING_OPERATIONS_MAX || this.#bytes + bytes > OUTSTANDING_BYTES_MAX) {
      const message = `${this.#count} operations of ${this.#bytes} bytes are under way in this client`
      return { code: 'OVERLOADED', message }
    }
    return null
  }

  #isHeard(options: OperationOptions): boolean {
    return this.#observer !== undefined || options.observer !== undefined
  }

  #tell(options: OperationOptions, event: OperationEvent): void {
    this.#observer?.(event)
    options.observer?.(event)
  }
}

function failedEvent(
  op: OperationEvent['op'],
  key: Uint8Array,
  code: ErrorCode,
  outcome: Outcome,
  attempts: number,
): OperationEvent {
  return { op, key, outcome, code, group: null, position: null, result: null, attempts }
}

function aborted(signal: AbortSignal): Failure {
  return { code: 'ABORTED', message: 'the operation was aborted', cause: signal.reason }
}

/** What waits in memory for it. */
function bytesOf(body: UserBody): number {
  const value = body.op === 'set' && body.value.type === 'bytes' ? body.value.bytes.byteLength : 0
  return body.key.byteLength + value
}
