// One user's operation: checks, the call, its end as a value or an error.
import { type Answer, type ErrorCode, type Outcome, QuorateError } from '@quorate/protocol'
import type { Call, CallBody, CallEnd, CallOwner, Failure } from './calls/call.ts'
import type { Dispatcher } from './calls/dispatcher.ts'
import { OUTSTANDING_BYTES_MAX, OUTSTANDING_OPERATIONS_MAX } from './limits.ts'
import { type OperationEvent, type OperationOptions, checkedTimeout } from './options.ts'

export type AppliedAnswer = Extract<Answer, { type: 'applied' }>

export interface OperationsOptions {
  readonly dispatcher: Dispatcher
  readonly timeoutMs: number
  readonly observer: ((event: OperationEvent) => void) | undefined
}

/** Starts operations within the client's bounds. */
export class Operations {
  readonly #dispatcher: Dispatcher
  readonly #timeoutMs: number
  readonly #observer: ((event: OperationEvent) => void) | undefined
  #bytes = 0
  #count = 0
  #closed = false

  constructor(options: OperationsOptions) {
    this.#dispatcher = options.dispatcher
    this.#timeoutMs = options.timeoutMs
    this.#observer = options.observer
  }

  close(): void {
    this.#closed = true
  }

  /** Resolves with the first applied answer; rejects with `QuorateError`. Never later than the deadline. */
  run<T>(
    body: Exclude<CallBody, { kind: 'open' }>,
    options: OperationOptions,
    map: (answer: AppliedAnswer) => T,
  ): Promise<T> {
    const timeoutMs = checkedTimeout(options.timeout, this.#timeoutMs)
    const bytes = bytesOf(body)
    const refusal = this.#refusal(bytes, options.signal)
    if (refusal !== null) {
      this.#tell(body, options, { type: 'failed', failure: refusal, outcome: 'not-done' }, 0)
      return Promise.reject(errorOf(refusal, 'not-done'))
    }
    this.#count += 1
    this.#bytes += bytes
    return new Promise((resolve, reject) => {
      const { signal } = options
      let abort: (() => void) | null = null
      const owner: CallOwner = {
        settle: (end, call) => {
          if (abort !== null) signal?.removeEventListener('abort', abort)
          this.#ended(body, options, end, call)
          if (end.type === 'failed') return reject(errorOf(end.failure, end.outcome))
          try {
            resolve(map(end.answer))
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)))
          }
        },
      }
      const call = this.#dispatcher.start(body, { timeoutMs, bytes, owner })
      if (signal === undefined || call.done) return
      abort = () => this.#dispatcher.giveUp(call, aborted(signal))
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  #ended(
    body: Exclude<CallBody, { kind: 'open' }>,
    options: OperationOptions,
    end: CallEnd,
    call: Call,
  ): void {
    this.#count -= 1
    this.#bytes -= call.bytes
    this.#tell(body, options, end, call.attempts)
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

  #tell(
    body: Exclude<CallBody, { kind: 'open' }>,
    options: OperationOptions,
    end: CallEnd,
    attempts: number,
  ): void {
    if (this.#observer === undefined && options.observer === undefined) return
    const { op, key } = body
    const event: OperationEvent =
      end.type === 'applied'
        ? {
            op,
            key,
            outcome: 'ok',
            code: null,
            group: end.group,
            position: end.answer.position,
            result: end.answer.result,
            attempts,
          }
        : {
            op,
            key,
            outcome: end.outcome,
            code: end.failure.code,
            group: null,
            position: null,
            result: null,
            attempts,
          }
    this.#observer?.(event)
    options.observer?.(event)
  }
}

function aborted(signal: AbortSignal): Failure {
  return { code: 'ABORTED', message: 'the operation was aborted', cause: signal.reason }
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
  ['OVERLOADED', 'nothing happened: try again later, with less at once'],
  ['DISK_FULL', 'free space on the nodes; reads and deletes go on'],
])

/** What waits in memory for it. */
function bytesOf(body: Exclude<CallBody, { kind: 'open' }>): number {
  const value = body.op === 'set' && body.value.type === 'bytes' ? body.value.bytes.byteLength : 0
  return body.key.byteLength + value
}
