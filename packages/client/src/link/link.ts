// The connection to one node: says hello, sends one frame per turn, matches replies to requests.
import {
  type Answer,
  type ClientReply,
  type ErrorCode,
  type GroupId,
  type ServerFrame,
  type SessionId,
  type ShardMap,
  FEATURE_RELAXED_READS,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  QuorateError,
  agreeProtocol,
  decodeServerFrame,
  encodeClientFrame,
  encodeSection,
} from '@quorate/protocol'
import type { Connection, Timer } from '@quorate/runtime'
import {
  type Age,
  type Attempt,
  type Failure,
  isStale,
  type LogTime,
  type SentRequest,
} from '../calls/call.ts'
import { answers } from '../calls/refusal.ts'
import { SILENCE_MS_MIN, WELCOME_TIMEOUT_MS } from '../limits.ts'
import type { ClientRuntime } from '../runtime.ts'
import type { Topology } from '../route/topology.ts'
import { type Batch, frameOf, packFrames } from './pack.ts'

/** What a link tells its owner. Each attempt that was enqueued is told of once, unless it was dropped before. */
export interface LinkEvents {
  notAfter(attempt: Attempt, now: number): number
  /** The leader answered; told before its answers are. */
  heard(link: Link, request: SentRequest, time: LogTime): void
  /** Some replica answered a stale read; told before its answers are. */
  heardStale(link: Link, roundTripMs: number): void
  /** `age`: of answers to stale reads, and only of them. */
  answered(attempt: Attempt, answer: Answer, time: LogTime, age: Age): void
  /** `time`: what the leader told of its log clock with the refusal; null if nothing. */
  refused(attempt: Attempt, code: ErrorCode, leader: string | null, time: LogTime | null): void
  /** The node says that it may still take effect, or the connection closed after the frame had left. */
  open(attempt: Attempt, code: ErrorCode, leader: string | null): void
  /** The connection ended before the frame left: nothing happened. */
  unsent(attempt: Attempt, code: ErrorCode, reason: string): void
  map(map: ShardMap): void
  mapEpoch(epoch: number): void
  /** The node takes requests from now on. */
  welcomed(link: Link): void
  /** It takes nothing any more; told before the attempts on it are. */
  closed(link: Link, failure: Failure): void
}

export type StatusAnswer = { readonly json: string } | { readonly failure: QuorateError }

export class Link {
  readonly address: string
  readonly #runtime: ClientRuntime
  readonly #topology: Topology
  readonly #events: LinkEvents
  readonly #connection: Connection
  readonly #welcomeTimer: Timer
  readonly #pending = new Map<number, SentRequest>()
  readonly #statuses = new Map<number, (answer: StatusAnswer) => void>()
  readonly #farewells = new Map<number, () => void>()
  #queue: Attempt[] = []
  #state: 'opening' | 'ready' | 'closing' | 'closed' = 'opening'
  #flushArmed = false
  #lastRequestId = 0
  /** The node serves lease and stale reads; if not, they travel as what it serves. */
  #relaxedReads = false
  #heardAt = Number.NEGATIVE_INFINITY
  /** When the first requests left since the node was last heard; null while there are none. */
  #waitingSince: number | null = null
  #closeCode: ErrorCode = 'CANNOT_CONNECT'
  #closeReason = ''

  constructor(address: string, runtime: ClientRuntime, topology: Topology, events: LinkEvents) {
    this.address = address
    this.#runtime = runtime
    this.#topology = topology
    this.#events = events
    this.#welcomeTimer = runtime.timers.after(WELCOME_TIMEOUT_MS, () => {
      if (this.#state === 'opening') this.close('CANNOT_CONNECT', 'the node did not answer in time')
    })
    this.#connection = runtime.network.dial(address, {
      opened: () => this.#hello(),
      frame: (bytes) => this.#receive(bytes),
      closed: (reason) => this.#closed(reason),
    })
  }

  get isReady(): boolean {
    return this.#state === 'ready'
  }

  enqueue(attempt: Attempt): void {
    this.#queue.push(attempt)
    this.#armFlush()
  }

  /** Asks for the node's status document. */
  status(answered: (answer: StatusAnswer) => void): void {
    this.#lastRequestId += 1
    const requestId = this.#lastRequestId
    this.#statuses.set(requestId, answered)
    if (this.#state === 'ready') this.#connection.send(encodeClientFrame({ type: 'status', requestId }))
  }

  /** Ends a session, as far as the node cares to answer. Only on a ready link. */
  closeSession(group: GroupId, session: SessionId, answered: () => void): void {
    this.#lastRequestId += 1
    const requestId = this.#lastRequestId
    this.#farewells.set(requestId, answered)
    const section = encodeSection({ kind: 'closeSession', group, session })
    const request = { type: 'write', requestId, group, section } as const
    this.#connection.send(
      encodeClientFrame({ type: 'requests', mapEpoch: this.#topology.epoch, requests: [request] }),
    )
  }

  /** The call of an attempt is over: nobody waits for its reply, and a frame that has not left leaves without it. */
  forget(attempt: Attempt): void {
    const { request } = attempt
    const isSent = attempt.state === 'sent'
    attempt.state = 'settled'
    if (!isSent || request === null) return
    request.waiting -= 1
    if (request.waiting === 0) this.#pending.delete(request.requestId)
  }

  /**
   * An attempt that left at `sentAt` has waited long enough. A node that has been silent since is given up, but not for
   * the sake of an impatient operation alone: closing takes away the answers that all others wait for.
   */
  suspect(sentAt: number): void {
    if (this.#state !== 'ready' || this.#heardAt >= sentAt || this.#waitingSince === null) return
    const silentMs = this.#runtime.clock.monotonicMs() - this.#waitingSince
    if (silentMs >= SILENCE_MS_MIN) this.close('TIMEOUT', 'the node is silent')
  }

  close(code: ErrorCode, reason: string): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#state = 'closing'
    this.#closeCode = code
    this.#closeReason = reason
    this.#events.closed(this, { code, message: `${this.address}: ${reason}` })
    this.#connection.close()
  }

  #hello(): void {
    this.#connection.send(
      encodeClientFrame({
        type: 'hello',
        protocolMin: PROTOCOL_VERSION_MIN,
        protocolMax: PROTOCOL_VERSION_MAX,
        clusterId: this.#topology.clusterId,
        features: 0,
      }),
    )
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#heardAt = this.#runtime.clock.monotonicMs()
    this.#waitingSince = null
    try {
      this.#take(decodeServerFrame(bytes))
    } catch (error) {
      // What does not decode, or belongs to another cluster, ends the connection; what was sent on it is open.
      const code = error instanceof QuorateError ? error.code : 'BAD_FRAME'
      this.close(code, error instanceof Error ? error.message : String(error))
    }
  }

  #take(frame: ServerFrame): void {
    switch (frame.type) {
      case 'welcome':
        if (agreeProtocol(frame.protocol, frame.protocol) === null)
          return this.close('PROTOCOL_VERSION', `the node chose version ${frame.protocol}`)
        this.#relaxedReads = (frame.features & FEATURE_RELAXED_READS) !== 0
        this.#events.map(frame.map)
        this.#welcomed()
        return
      case 'unwelcome':
        return this.close(frame.code, frame.message)
      case 'map':
        return this.#events.map(frame.map)
      case 'status': {
        const answered = this.#statuses.get(frame.requestId)
        this.#statuses.delete(frame.requestId)
        answered?.({ json: frame.json })
        return
      }
      case 'admin':
        // This client asks for nothing of the kind.
        return
      case 'replies':
        for (const reply of frame.replies) this.#reply(reply)
        this.#events.mapEpoch(frame.mapEpoch)
    }
  }

  #welcomed(): void {
    this.#welcomeTimer.cancel()
    this.#state = 'ready'
    for (const requestId of this.#statuses.keys()) {
      this.#connection.send(encodeClientFrame({ type: 'status', requestId }))
    }
    this.#events.welcomed(this)
    this.#armFlush()
  }

  #armFlush(): void {
    if (this.#flushArmed || this.#state !== 'ready' || this.#queue.length === 0) return
    this.#flushArmed = true
    this.#runtime.timers.endOfTurn(() => {
      this.#flushArmed = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#state !== 'ready') return
    const attempts = this.#queue
    this.#queue = []
    const mapEpoch = this.#topology.epoch
    const now = this.#runtime.clock.monotonicMs()
    const notAfter = (attempt: Attempt): number => this.#events.notAfter(attempt, now)
    for (const batches of packFrames(attempts, this.#relaxedReads)) {
      const sentAt = this.#runtime.clock.monotonicMs()
      this.#waitingSince ??= sentAt
      const requestIdOf = (batch: Batch): number => this.#sent(batch, sentAt, mapEpoch)
      this.#connection.send(frameOf(batches, { mapEpoch, notAfter, requestIdOf }))
    }
  }

  /** Notes that a batch leaves: from now on its attempts may take effect. Returns its request's id. */
  #sent({ attempts, group, session, how }: Batch, sentAt: number, mapEpoch: number): number {
    this.#lastRequestId += 1
    const requestId = this.#lastRequestId
    const waiting = attempts.length
    const request: SentRequest = { requestId, attempts, group, session, how, sentAt, mapEpoch, waiting }
    this.#pending.set(requestId, request)
    for (const attempt of attempts) {
      attempt.state = 'sent'
      attempt.request = request
      attempt.call.attempts += 1
      attempt.call.unrefused += 1
    }
    return requestId
  }

  /** A request id that nothing waits for is an old or repeated reply: it changes nothing (E5). */
  #reply(reply: ClientReply): void {
    this.#farewells.get(reply.requestId)?.()
    this.#farewells.delete(reply.requestId)
    const pending = this.#pending.get(reply.requestId)
    if (pending === undefined) return
    this.#pending.delete(reply.requestId)
    const { attempts, sentAt } = pending
    if (reply.type !== 'answers') {
      const leaderTime = reply.type === 'refused' ? reply.leaderTime : undefined
      const time = leaderTime === undefined ? null : { leaderTime, sentAt, receivedAt: this.#heardAt }
      for (const attempt of attempts) {
        if (!settle(attempt)) continue
        if (reply.type === 'refused') this.#events.refused(attempt, reply.code, reply.leader, time)
        else this.#events.open(attempt, reply.code, reply.leader)
      }
      return
    }
    const stale = isStale(pending.how)
    const fault = faultOf(reply, pending, stale)
    if (fault !== null) {
      this.#pending.set(reply.requestId, pending)
      throw new QuorateError('BAD_FRAME', 'unknown', fault)
    }
    const time: LogTime = { leaderTime: reply.leaderTime, sentAt, receivedAt: this.#heardAt }
    if (stale) this.#events.heardStale(this, this.#heardAt - sentAt)
    else this.#events.heard(this, pending, time)
    let index = 0
    for (const attempt of attempts) {
      const answer = reply.answers[index]
      index += 1
      if (answer !== undefined && settle(attempt)) this.#events.answered(attempt, answer, time, reply.age)
    }
  }

  #closed(reason: string): void {
    if (this.#state === 'closed') return
    if (this.#state === 'ready') this.#closeCode = 'CLOSED'
    this.#state = 'closed'
    this.#welcomeTimer.cancel()
    this.#closeReason ||= reason
    this.#events.closed(this, { code: this.#closeCode, message: `${this.address}: ${this.#closeReason}` })
    const pending = [...this.#pending.values()]
    const queue = this.#queue
    this.#pending.clear()
    this.#queue = []
    for (const { attempts } of pending) {
      for (const attempt of attempts) if (settle(attempt)) this.#events.open(attempt, this.#closeCode, null)
    }
    for (const attempt of queue) {
      if (attempt.state !== 'queued') continue
      attempt.state = 'settled'
      this.#events.unsent(attempt, this.#closeCode, this.#closeReason)
    }
    const message = `${this.address}: ${this.#closeReason}`
    for (const answered of this.#statuses.values()) {
      answered({ failure: new QuorateError(this.#closeCode, 'not-done', message) })
    }
    this.#statuses.clear()
    for (const answered of this.#farewells.values()) answered()
    this.#farewells.clear()
  }
}

/** What shows that these answers are not to that request: then none of them is believed, also of those that would fit. */
function faultOf(
  { answers: given, age }: Extract<ClientReply, { type: 'answers' }>,
  { attempts }: SentRequest,
  stale: boolean,
): string | null {
  if (given.length !== attempts.length) return `${given.length} answers to ${attempts.length} commands`
  if (stale !== (age !== undefined)) return 'an age belongs to the answers to stale reads'
  let index = 0
  for (const { call, group } of attempts) {
    const answer = given[index]
    index += 1
    if (answer?.type === 'applied' && !answers(call, answer.result, group))
      return `${answer.result.type} is no answer to ${call.op}`
  }
  return null
}

/** Whether somebody still waits for it; from now on nobody does. */
function settle(attempt: Attempt): boolean {
  if (attempt.state !== 'sent') return false
  attempt.state = 'settled'
  return !attempt.call.done
}
