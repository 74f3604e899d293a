// Drives every operation from its start to its one end: attempts, retries, deadlines, outcomes (sessions.md).
import { type Answer, type ErrorCode, type GroupId, QuorateError, type ShardMap } from '@quorate/protocol'
import type { Events } from '../events.ts'
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, PROMPT_RETRIES_MAX } from '../limits.ts'
import { Link, type LinkEvents } from '../link/link.ts'
import { MapRefresh } from '../route/map-refresh.ts'
import { Near } from '../route/near.ts'
import type { Topology } from '../route/topology.ts'
import type { ClientRuntime } from '../runtime.ts'
import { retryChannel } from '../tracing.ts'
import { Wheel } from '../wheel.ts'
import {
  type Age,
  type Applied,
  type Attempt,
  type Call,
  type Failure,
  isStale,
  type LogTime,
  type SentRequest,
} from './call.ts'
import { Drafts } from './drafts.ts'
import { notAfterOf, tighterTime } from './not-after.ts'
import { OpenCall } from './open-call.ts'
import { type Reaction, isFinal, reactionTo } from './refusal.ts'
import { Session, SessionPool } from './session-pool.ts'

export interface DispatcherOptions {
  readonly runtime: ClientRuntime
  readonly topology: Topology
  readonly events: Events
  /** Deadline of the client's own commands, ms. */
  readonly timeoutMs: number
}

export class Dispatcher implements LinkEvents {
  readonly #runtime: ClientRuntime
  readonly #topology: Topology
  readonly #events: Events
  readonly #timeoutMs: number
  readonly #wheel: Wheel<Call>
  readonly #links = new Map<string, Link>()
  readonly #pools = new Map<GroupId, SessionPool>()
  readonly #refresh: MapRefresh
  readonly #near: Near
  readonly drafts: Drafts = new Drafts()
  /** Told of every newer map; used while connecting. */
  onMap: (() => void) | null = null
  /** Why the last connection ended. */
  lastLinkFailure: Failure | null = null
  #closed = false

  constructor(options: DispatcherOptions) {
    this.#runtime = options.runtime
    this.#topology = options.topology
    this.#events = options.events
    this.#topology.onLeader = (shard, address) => this.#events.emit('leader', { shard, address })
    this.#timeoutMs = options.timeoutMs
    this.#near = new Near(options.topology)
    this.#wheel = new Wheel(options.runtime.clock, options.runtime.timers, (call) => this.#ring(call))
    this.#refresh = new MapRefresh(options.runtime, options.topology, (map) => this.map(map))
  }

  get pools(): Iterable<SessionPool> {
    return this.#pools.values()
  }

  get now(): number {
    return this.#runtime.clock.monotonicMs()
  }

  /** `now`: the moment from which the call counts its deadline. */
  start(call: Call, now: number): void {
    this.#begin(call, now)
  }

  /** Ends a call that nobody wants any more (abort, close): `unknown` if anything of it may still take effect. */
  giveUp(call: Call, failure: Failure): void {
    if (!call.done) this.#fail(call, failure)
  }

  /** The link to a node, dialled if there is none. */
  link(address: string): Link {
    const known = this.#links.get(address)
    if (known !== undefined) return known
    const link = new Link(address, this.#runtime, this.#topology, this)
    this.#links.set(address, link)
    return link
  }

  endCalls(failure: Failure): void {
    this.#closed = true
    // Every call that is not done waits for some alarm.
    for (const call of this.#wheel.alarms()) this.giveUp(call, failure)
    this.#refresh.stop()
    this.#wheel.stop()
  }

  /** Closes every session where its leader is known; `done` once every node has answered. */
  closeSessions(done: () => void): void {
    let waiting = 1
    const finish = (): void => {
      waiting -= 1
      if (waiting === 0) done()
    }
    for (const pool of this.#pools.values()) {
      const address = this.#topology.addressFor(pool.group)
      const link = address === null ? undefined : this.#links.get(address)
      if (link?.isReady !== true) continue
      for (const session of pool.sessions) {
        waiting += 1
        link.closeSession(pool.group, session.id, finish)
      }
    }
    finish()
  }

  closeLinks(): void {
    for (const link of this.#links.values()) link.close('CLOSED', 'the client was closed')
  }

  // What links tell.

  notAfter(attempt: Attempt, now: number): number {
    const time = this.#topology.timeOf(attempt.group) ?? attempt.session?.time ?? null
    // Only the open of the first session knows no L yet: the leader refuses it as late, and says what time it is.
    if (time === null) return 0
    return notAfterOf(time, now, attempt.call.deadlineAt)
  }

  heard(link: Link, { group, session }: SentRequest, time: LogTime): void {
    this.#topology.leads(group, link.address)
    this.#topology.noteTime(group, time)
    if (session !== null) session.time = tighterTime(session.time, time)
  }

  /** Nothing follows from it for other operations: who answered need not lead, and its clock is no L. */
  heardStale(link: Link, roundTripMs: number): void {
    this.#near.answered(link.address, roundTripMs, this.now)
  }

  answered(attempt: Attempt, answer: Answer, time: LogTime, age: Age): void {
    const { call, group } = attempt
    if (answer.type === 'refused') return this.refused(attempt, answer.code, null, null)
    if (answer.result.type === 'sessionOpened') this.#opened(call, new Session(answer.result.session, time))
    // A node that knows no stale reads gave more than was asked for.
    this.#applied(call, answer, group, age === undefined && isStale(call.how) ? 0 : age)
  }

  refused(attempt: Attempt, code: ErrorCode, leader: string | null, time: LogTime | null): void {
    const { call, group } = attempt
    call.unrefused -= 1
    if (time !== null) this.#topology.noteTime(group, time)
    const reaction = time === null ? reactionTo(code) : 'again'
    this.#follow(attempt, { code, message: `${attempt.link.address} answered ${code}` }, leader, reaction)
  }

  open(attempt: Attempt, code: ErrorCode, leader: string | null): void {
    const message = `${attempt.link.address}: ${code} after the request had left`
    this.#follow(attempt, { code, message }, leader, reactionTo(code))
  }

  unsent(attempt: Attempt, code: ErrorCode, reason: string): void {
    const { call, group, link } = attempt
    if (call.done) return
    call.lastFailure = { code, message: `${link.address}: ${reason}` }
    if (isStale(call.how)) this.#pass(attempt)
    else this.#topology.avoid(group, link.address)
    // Nobody of the known ones answers: perhaps the cluster has moved on.
    if (call.promptRetries >= PROMPT_RETRIES_MAX) this.#refresh.request()
    this.#next(attempt, 'elsewhere')
  }

  map(map: ShardMap): void {
    if (!this.#topology.adopt(map)) return
    this.onMap?.()
    this.#events.emit('topology', { epoch: map.epoch })
    // Who waits for a session of a shard that lost the slot must not wait there.
    for (const pool of this.#pools.values()) {
      for (const call of pool.takeWaiting()) this.#begin(call)
    }
  }

  mapEpoch(epoch: number): void {
    if (epoch > this.#topology.epoch && !this.#closed) this.#refresh.request()
  }

  welcomed(link: Link): void {
    this.#events.emit('ready', { address: link.address })
  }

  closed(link: Link, failure: Failure): void {
    this.lastLinkFailure = failure
    if (this.#links.get(link.address) !== link) return
    this.#links.delete(link.address)
    if (this.#closed) return
    const { code, message } = failure
    this.#events.emit('reconnecting', { address: link.address, code, message })
    // Dialling again mends none of these: somebody has to look at the node, or at the address.
    if (code === 'BAD_FRAME' || code === 'WRONG_CLUSTER' || code === 'PROTOCOL_VERSION')
      this.#events.emit('error', { error: new QuorateError(code, 'not-done', message) })
  }

  // One call.

  #begin(call: Call, now: number = this.now): void {
    if (call.done) return
    if (now >= call.deadlineAt) return this.#fail(call, timedOut)
    const group = call.groupIn(this.#topology)
    const address = group === 0 ? null : this.#addressFor(call, group, now)
    if (address === null) {
      this.#refresh.request()
      call.lastFailure ??= { code: 'NO_LEADER', message: 'the shard map assigns the key to nobody' }
      return this.#pause(call)
    }
    if (call.kind === 'write' && call.session === null && !this.#name(call, group)) return
    const link = this.link(address)
    const attempt: Attempt = {
      call,
      draft: call,
      group,
      link,
      session: call.session,
      sequence: call.sequence,
      state: 'queued',
      request: null,
    }
    call.phase = 'attempt'
    call.current = attempt
    this.#wheel.set(call, Math.min(now + call.attemptMs, call.deadlineAt))
    link.enqueue(attempt)
  }

  #addressFor(call: Call, group: GroupId, now: number): string | null {
    if (!isStale(call.how)) return this.#topology.addressFor(group)
    return this.#near.addressFor(group, (call.passed ??= new Set()), now)
  }

  /** A stale read goes on elsewhere. Who leads, others find out. */
  #pass({ call, link }: Attempt): void {
    call.passed?.add(link.address)
    this.#near.failed(link.address, this.now)
  }

  /** Gives the call a name, or lets it wait for a session. */
  #name(call: Call, group: GroupId): boolean {
    const pool = this.#pool(group)
    if (pool.name(call)) return true
    call.phase = 'session'
    pool.wait(call)
    this.#wheel.set(call, call.deadlineAt)
    this.#openSession(pool)
    return false
  }

  #openSession(pool: SessionPool): void {
    if (pool.opening || pool.waiting.size === 0 || this.#closed) return
    pool.opening = true
    const { now } = this
    const opening = new OpenCall(pool, { now, timeoutMs: this.#timeoutMs, ended: this.#openEnded })
    this.start(opening, now)
  }

  readonly #openEnded = (pool: SessionPool, failure: Failure | null): void => {
    pool.opening = false
    if (failure !== null) this.#notOpened(pool, failure)
    this.#openSession(pool)
  }

  /** Who waits has no name, so nothing of it is open. Asking again at once after a final refusal would be a hot loop. */
  #notOpened(pool: SessionPool, failure: Failure): void {
    if (isFinal(failure.code)) for (const call of pool.takeWaiting()) this.#fail(call, failure)
    else for (const call of pool.waiting) call.lastFailure = failure
  }

  #opened(call: Call, session: Session): void {
    if (!(call instanceof OpenCall)) return
    call.pool.add(session)
    this.#serveWaiting(call.pool)
  }

  #serveWaiting(pool: SessionPool): void {
    for (const call of pool.waiting) {
      if (!pool.name(call)) return
      pool.leave(call)
      this.#begin(call)
    }
  }

  /** An attempt ended without an answer: decides what the call does next. */
  #follow(attempt: Attempt, failure: Failure, leader: string | null, reaction: Reaction): void {
    const { call, group } = attempt
    const { code } = failure
    call.lastFailure = failure
    // A node without the shard may have had it, and led it: it is not asked again before the others.
    if (isStale(call.how)) this.#pass(attempt)
    else if (leader !== null || reaction === 'elsewhere' || code === 'WRONG_SHARD')
      this.#topology.doesNotLead(group, attempt.link.address, leader)
    if (reaction === 'remap' && mapEpochOf(attempt) >= this.#topology.epoch) this.#refresh.request()
    if (reaction === 'rename' && !this.#rename(attempt, failure)) return
    // The answers to one section must fit one frame, and many large values may not: alone they do.
    if (call.kind === 'read' && code === 'OVERLOADED') call.alone = true
    if (call.unrefused === 0 && isFinal(code)) return this.#fail(call, failure)
    this.#next(attempt, reaction)
  }

  /** The name was refused. False if that ended the call. */
  #rename(attempt: Attempt, failure: Failure): boolean {
    const { call, session } = attempt
    if (session === null) return true
    if (failure.code === 'SESSION_EXPIRED' && session.id.group === attempt.group) {
      this.#pool(attempt.group).expire(session)
    }
    // An older attempt's refusal decides nothing while the newest is under way.
    if (call.current !== attempt) return true
    if (call.unrefused === 0) this.#releaseName(call)
    else if (failure.code === 'SESSION_EXPIRED') {
      // Under another name it could happen twice; under this one nobody will ever tell whether the open attempt won.
      this.#fail(call, failure)
      return false
    }
    return true
  }

  /** Only the newest attempt begins another; what older ones bring was taken in already. */
  #next(attempt: Attempt, reaction: Reaction): void {
    const { call } = attempt
    if (call.current !== attempt || call.phase !== 'attempt') return
    call.current = null
    if (retryChannel.hasSubscribers)
      retryChannel.publish({ op: call.op, attempts: call.attempts, code: call.lastFailure?.code ?? null })
    const mapIsNewer = reaction === 'remap' && mapEpochOf(attempt) < this.#topology.epoch
    const prompt = reaction === 'elsewhere' || reaction === 'rename' || reaction === 'again' || mapIsNewer
    if (!prompt || call.promptRetries >= PROMPT_RETRIES_MAX) return this.#pause(call)
    call.promptRetries += 1
    this.#begin(call)
  }

  #pause(call: Call): void {
    call.phase = 'pause'
    this.drafts.isolate(call)
    call.promptRetries = 0
    const pauseMs = BACKOFF_MS_MIN + (BACKOFF_MS_MAX - BACKOFF_MS_MIN) * this.#runtime.random.next()
    this.#wheel.set(call, Math.min(this.now + pauseMs, call.deadlineAt))
  }

  #ring(call: Call): void {
    if (call.done) return
    if (this.now >= call.deadlineAt) return this.#fail(call, timedOut)
    if (call.phase === 'attempt') this.#passOver(call)
    this.#begin(call)
  }

  /** The attempt waited its part of the deadline: it stays open if it left, and the next begins at another node. */
  #passOver(call: Call): void {
    const attempt = call.current
    if (attempt === null) return
    call.current = null
    if (retryChannel.hasSubscribers)
      retryChannel.publish({ op: call.op, attempts: call.attempts, code: 'TIMEOUT' })
    this.drafts.isolate(call)
    if (isStale(call.how)) this.#pass(attempt)
    else this.#topology.avoid(attempt.group, attempt.link.address)
    if (attempt.state === 'queued') {
      attempt.link.forget(attempt)
      call.lastFailure = {
        code: 'CANNOT_CONNECT',
        message: `${attempt.link.address} did not connect in time`,
      }
    } else if (attempt.request !== null && attempt.state === 'sent') {
      call.older ??= []
      call.older.push(attempt)
      attempt.link.suspect(attempt.request.sentAt)
    }
  }

  #fail(call: Call, failure: Failure): void {
    const unknown = call.unrefused > 0 && call.kind !== 'read'
    if (this.#end(call)) call.failed(explain(call, failure, unknown), unknown ? 'unknown' : 'not-done')
  }

  #applied(call: Call, answer: Applied, group: GroupId, age: Age): void {
    if (this.#end(call)) call.applied(answer, group, age)
  }

  /** From here on nothing of the call happens any more. False if it had ended before. */
  #end(call: Call): boolean {
    if (call.done) return false
    call.done = true
    this.#wheel.cancel(call)
    if (call.phase === 'session') for (const pool of this.#pools.values()) pool.leave(call)
    call.current?.link.forget(call.current)
    if (call.older !== null) for (const attempt of call.older) attempt.link.forget(attempt)
    call.current = null
    call.older = null
    this.#releaseName(call)
    return true
  }

  /** Answered or given up: the shard may forget it, and its place in the window is free. */
  #releaseName(call: Call): void {
    const { session, sequence } = call
    if (session === null) return
    call.session = null
    session.finish(sequence)
    const pool = this.#pools.get(session.id.group)
    if (pool !== undefined && pool.waiting.size > 0) this.#serveWaiting(pool)
  }

  #pool(group: GroupId): SessionPool {
    const known = this.#pools.get(group)
    if (known !== undefined) return known
    const pool = new SessionPool(group)
    this.#pools.set(group, pool)
    return pool
  }
}

const timedOut: Failure = { code: 'TIMEOUT', message: 'the deadline passed' }

/** Of the map that sent it where it was refused. */
function mapEpochOf({ request }: Attempt): number {
  return request?.mapEpoch ?? 0
}

/** At the deadline the last refusal says more than "timeout" where nothing is open; else it is the cause. */
function explain(call: Call, failure: Failure, unknown: boolean): Failure {
  const last = call.lastFailure
  if (failure !== timedOut || last === null) return failure
  if (unknown) return { ...failure, message: `${failure.message}; last: ${last.message}`, cause: last.cause }
  return { ...last, code: last.code === 'NOT_LEADER' ? 'NO_LEADER' : last.code }
}
