// One deadline and one signal over several operations and a user's own function.
import { type ErrorCode, QuorateError } from '@quorate/protocol'
import type { ClientRuntime } from './runtime.ts'

export interface SpanOptions {
  readonly runtime: Pick<ClientRuntime, 'clock' | 'timers' | 'random'>
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** What an operation inside the span is told. */
export interface SpanShare {
  readonly timeout: number
  readonly signal?: AbortSignal
}

export class Span {
  readonly #runtime: SpanOptions['runtime']
  readonly #signal: AbortSignal | undefined
  readonly #deadlineAt: number
  readonly #ends = new Set<(error: QuorateError) => void>()

  constructor({ runtime, timeoutMs, signal }: SpanOptions) {
    this.#runtime = runtime
    this.#signal = signal
    this.#deadlineAt = runtime.clock.monotonicMs() + timeoutMs
  }

  get now(): number {
    return this.#runtime.clock.monotonicMs()
  }

  get remainingMs(): number {
    return this.#deadlineAt - this.now
  }

  /**
   * What is left of the deadline, for the next operation.
   * @throws QuorateError `TIMEOUT` or `ABORTED`, `not-done`: that operation has not begun.
   */
  share(): SpanShare {
    this.#check()
    const timeout = this.remainingMs
    return this.#signal === undefined ? { timeout } : { timeout, signal: this.#signal }
  }

  /** Whatever the promise does, this ends by the deadline, by the signal, or by `end`. */
  race<T>(promise: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        timer.cancel()
        this.#signal?.removeEventListener('abort', abort)
        this.#ends.delete(end)
        settle()
      }
      const end = (error: QuorateError): void => finish(() => reject(error))
      const abort = (): void => end(this.#aborted())
      const timer = this.#runtime.timers.after(Math.max(0, this.remainingMs), () => end(timedOut()))
      this.#ends.add(end)
      if (this.#signal?.aborted === true) abort()
      else this.#signal?.addEventListener('abort', abort, { once: true })
      promise.then(
        (value) => finish(() => resolve(value)),
        (error: unknown) => finish(() => reject(error)),
      )
    })
  }

  /** Waits somewhere in the range, so that clients which lost together do not return together. */
  async pause(minMs: number, maxMs: number): Promise<void> {
    this.#check()
    const ms = minMs + (maxMs - minMs) * this.#runtime.random.next()
    await this.race(new Promise<void>((resolve) => void this.#runtime.timers.after(ms, resolve)))
  }

  /** Ends what waits now: the client is being closed. */
  end(code: ErrorCode, message: string): void {
    for (const end of this.#ends) end(new QuorateError(code, 'not-done', message))
  }

  #check(): void {
    if (this.#signal?.aborted === true) throw this.#aborted()
    if (this.remainingMs <= 0) throw timedOut()
  }

  #aborted(): QuorateError {
    return new QuorateError('ABORTED', 'not-done', 'the operation was aborted', {
      cause: this.#signal?.reason,
    })
  }
}

const timedOut = (): QuorateError => new QuorateError('TIMEOUT', 'not-done', 'the deadline passed')

/** The spans under way in one client. */
export class Spans {
  readonly #runtime: SpanOptions['runtime']
  readonly #spans = new Set<Span>()

  constructor(runtime: SpanOptions['runtime']) {
    this.#runtime = runtime
  }

  async run<T>(options: Omit<SpanOptions, 'runtime'>, work: (span: Span) => Promise<T>): Promise<T> {
    const span = new Span({ ...options, runtime: this.#runtime })
    this.#spans.add(span)
    try {
      return await work(span)
    } finally {
      this.#spans.delete(span)
    }
  }

  /** Ends what waits for users' functions and for pauses; operations are ended by the dispatcher. */
  close(): void {
    for (const span of this.#spans) span.end('CLOSED', 'the client was closed')
  }
}
