// What clients asked of this node since its start, counted by kind and by what became of it. Adding allocates nothing.
import { type ClientReply, type ErrorCode, errorCodes } from '@quorate/protocol'

const requestKinds = ['read', 'write'] as const
export type RequestKind = (typeof requestKinds)[number]

/** `answered`; `unknown`: it may or may not take effect; otherwise why it was refused. */
export type RequestOutcome = 'answered' | 'unknown' | ErrorCode

const outcomes: readonly RequestOutcome[] = ['answered', 'unknown', ...errorCodes]
const placeOf: ReadonlyMap<RequestOutcome, number> = new Map(
  outcomes.map((outcome, place) => [outcome, place]),
)

export interface RequestCount {
  readonly kind: RequestKind
  readonly outcome: RequestOutcome
  readonly count: number
}

export class RequestCounts {
  readonly #requests: Readonly<Record<RequestKind, Float64Array>> = {
    read: new Float64Array(outcomes.length),
    write: new Float64Array(outcomes.length),
  }
  readonly #operations: Record<RequestKind, number> = { read: 0, write: 0 }

  replied(kind: RequestKind, reply: ClientReply): void {
    const outcome = reply.type === 'answers' ? 'answered' : reply.type === 'open' ? 'unknown' : reply.code
    const place = placeOf.get(outcome) ?? 0
    const counts = this.#requests[kind]
    counts[place] = (counts[place] ?? 0) + 1
    if (reply.type === 'answers') this.#operations[kind] += reply.answers.length
  }

  /** Keys read and commands carried out: one request may be many of them. */
  get operations(): Readonly<Record<RequestKind, number>> {
    return { ...this.#operations }
  }

  /** Those that there were, and the answered ones always. */
  get requests(): RequestCount[] {
    return requestKinds.flatMap((kind) =>
      outcomes
        .map((outcome, place) => ({ kind, outcome, count: this.#requests[kind][place] ?? 0 }))
        .filter(({ outcome, count }) => count > 0 || outcome === 'answered'),
    )
  }
}
