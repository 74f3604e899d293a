// One client's connection: hello first, then requests of any group; every request is answered exactly once (rule 19).
import {
  type AdminRequest,
  agreeProtocol,
  type Answer,
  BadFrameError,
  type ClientFrame,
  type ClientReply,
  clientReplyBytesMax,
  clientRequestBytes,
  type ClientRequest,
  decodeClientFrame,
  encodeServerFrame,
  type ErrorCode,
  FEATURE_RELAXED_READS,
  limits,
  offersOnlyOtherVersions,
  PROTOCOL_VERSION_MAX,
  PROTOCOL_VERSION_MIN,
  REPLIES_HEADER_BYTES,
  type SectionHeader,
  type ServerFrame,
  type ShardMap,
  validateSection,
} from '@quorate/protocol'
import type { Connection } from '@quorate/runtime'
import { fitCommandAnswers, readAnswersFit } from './fit-answers.ts'
import { MembershipRefusedError } from '../meta/membership-request.ts'
import type { Shard } from '../replica/shard.ts'
import { fixed } from '../settings.ts'
import type { Turn } from '../turn.ts'
import { RequestBudget } from './request-budget.ts'
import type { RequestCounts, RequestKind } from './request-counts.ts'

export interface ClientConnectionParts {
  readonly turn: Turn
  readonly identity: () => { readonly name: string; readonly boot: number; readonly clusterId: string | null }
  readonly map: () => ShardMap | null
  readonly shard: (group: number) => Shard | null
  /** The map places a replica of the group here, though it may not be up (recovering, condemned). */
  readonly assigned: (group: number) => boolean
  /** Client address of the group's leader as this node knows it. */
  readonly leaderHint: (group: number) => string | null
  /** The status document, short enough for one frame. */
  readonly statusJson: () => string
  readonly now: () => number
  /** Of all connections of this node. */
  readonly budget: RequestBudget
  readonly counts: RequestCounts
  /** Null: clients may not ask for changes of members. Resolves with the id of the change, rejects with why not. */
  readonly admin: ((request: AdminRequest) => Promise<number>) | null
}

export class ClientConnection {
  readonly #connection: Connection
  readonly #parts: ClientConnectionParts
  readonly #replies: ClientReply[] = []
  readonly #budget: RequestBudget
  #greeted = false
  #closed = false
  #heardAt: number

  constructor(connection: Connection, parts: ClientConnectionParts) {
    this.#connection = connection
    this.#parts = parts
    this.#budget = new RequestBudget(fixed.connectionRequests, parts.budget)
    this.#heardAt = parts.now()
  }

  /** Nothing came and nothing is unanswered since then, monotonic ms; null while something is. */
  get idleSince(): number | null {
    return this.#budget.idle ? this.#heardAt : null
  }

  receive(bytes: Uint8Array): void {
    if (this.#closed) return
    this.#heardAt = this.#parts.now()
    let frame: ClientFrame
    try {
      frame = decodeClientFrame(bytes)
    } catch (error) {
      if (!this.#greeted && offersOnlyOtherVersions(bytes)) return this.#refuse('PROTOCOL_VERSION', VERSIONS)
      return this.#refuse('BAD_FRAME', error instanceof Error ? error.message : String(error))
    }
    if (frame.type === 'hello') return this.#hello(frame)
    if (!this.#greeted) return this.#refuse('BAD_FRAME', 'the first frame is not a hello')
    if (frame.type === 'status')
      return this.#send({ type: 'status', requestId: frame.requestId, json: this.#parts.statusJson() })
    if (frame.type === 'admin') return this.#admin(frame)
    for (const request of frame.requests) this.#request(request)
    const map = this.#parts.map()
    if (map !== null && frame.mapEpoch < map.epoch) this.pushMap(map)
  }

  pushMap(map: ShardMap): void {
    if (this.#greeted) this.#send({ type: 'map', map })
  }

  /** The other side is gone: what is answered later goes nowhere. */
  ended(): void {
    this.#closed = true
    this.#replies.length = 0
  }

  close(): void {
    this.ended()
    this.#connection.close()
  }

  #hello(hello: Extract<ClientFrame, { type: 'hello' }>): void {
    const { clusterId, name, boot } = this.#parts.identity()
    const map = this.#parts.map()
    const protocol = agreeProtocol(hello.protocolMin, hello.protocolMax)
    if (protocol === null) return this.#refuse('PROTOCOL_VERSION', VERSIONS)
    if (clusterId === null || map === null || map.epoch === 0)
      return this.#refuse('NO_LEADER', 'this node belongs to no cluster yet')
    if (hello.clusterId !== null && hello.clusterId !== clusterId)
      return this.#refuse('WRONG_CLUSTER', `this node belongs to cluster ${clusterId}`)
    this.#greeted = true
    this.#send({
      type: 'welcome',
      protocol,
      clusterId,
      node: name,
      boot,
      features: FEATURE_RELAXED_READS,
      map,
    })
  }

  #admin({ requestId, request }: Extract<ClientFrame, { type: 'admin' }>): void {
    const answer = (change: number | null, reason: string): void =>
      this.#send({ type: 'admin', requestId, change, reason })
    const { admin } = this.#parts
    if (admin === null) return answer(null, 'NOT_ALLOWED')
    admin(request).then(
      (change) => answer(change, ''),
      (error: unknown) => answer(null, error instanceof MembershipRefusedError ? error.code : 'FAILED'),
    )
  }

  #request(request: ClientRequest): void {
    const { requestId } = request
    const group = request.type === 'write' ? request.group : request.section.group
    const bytes = clientRequestBytes(request)
    if (!this.#budget.take(bytes))
      return this.#reply(request.type, { type: 'refused', requestId, code: 'OVERLOADED', leader: null })
    const reply = (given: ClientReply): void => {
      this.#budget.giveBack(bytes)
      this.#reply(request.type, given)
    }
    const refused = (code: ErrorCode): void =>
      reply({ type: 'refused', requestId, code, leader: this.#parts.leaderHint(group) })
    const shard = this.#parts.shard(group)
    if (shard === null) return refused(this.#parts.assigned(group) ? 'NOT_LEADER' : 'WRONG_SHARD')
    if (request.type === 'read') return read(shard, request, { reply, refused })
    const answers = (whole: readonly Answer[]): void =>
      reply({
        type: 'answers',
        requestId,
        leaderTime: timeOf(shard),
        answers: fitCommandAnswers(whole),
      })
    let header: SectionHeader
    try {
      header = validateSection(request.section, { origin: 'client' })
      if (header.group !== group) return refused('BAD_FRAME')
      const leaderTime = shard.replica.isLeader ? shard.replica.leaderTime() : null
      if (leaderTime !== null && !mayStillBe(header, leaderTime))
        return reply({ type: 'refused', requestId, code: 'LATE', leader: null, leaderTime })
    } catch (error) {
      if (error instanceof BadFrameError) return refused('BAD_FRAME')
      throw error
    }
    const open = (code: ErrorCode): void =>
      reply({ type: 'open', requestId, code, leader: this.#parts.leaderHint(group) })
    shard.write(request.section.slice(), header, { answers, refused, open })
  }

  #reply(kind: RequestKind, reply: ClientReply): void {
    this.#parts.counts.replied(kind, reply)
    if (this.#closed) return
    this.#replies.push(reply)
    this.#parts.turn.at('clients', this.#flush)
  }

  /** One frame for everything of the turn, cut where the frame limit demands it. */
  readonly #flush = (): void => {
    let batch: ClientReply[] = []
    let bytes = REPLIES_HEADER_BYTES
    for (const reply of this.#replies.splice(0)) {
      const size = clientReplyBytesMax(reply)
      if (batch.length > 0 && bytes + size > limits.frameBytes) {
        this.#sendReplies(batch)
        batch = []
        bytes = REPLIES_HEADER_BYTES
      }
      batch.push(reply)
      bytes += size
    }
    if (batch.length > 0) this.#sendReplies(batch)
  }

  #sendReplies(replies: readonly ClientReply[]): void {
    this.#send({ type: 'replies', mapEpoch: this.#parts.map()?.epoch ?? 0, replies })
  }

  #send(frame: ServerFrame): void {
    if (this.#closed) return
    // Who asks and does not read what is answered would fill this node's memory: its requests count as open to it.
    if (this.#connection.bufferedBytes > fixed.clientBufferBytes) return this.close()
    this.#connection.send(encodeServerFrame(frame))
  }

  #refuse(code: ErrorCode, message: string): void {
    this.#send({ type: 'unwelcome', code, message })
    this.close()
  }
}

function read(
  shard: Shard,
  { requestId, section, how }: Extract<ClientRequest, { type: 'read' }>,
  end: { readonly reply: (reply: ClientReply) => void; readonly refused: (code: ErrorCode) => void },
): void {
  const { refused } = end
  // The frame's bytes are only lent until this returns.
  const keys = section.keys.map((key) => key.slice())
  const answers = (given: readonly Answer[], age?: number | null): void => {
    if (!readAnswersFit(given)) return refused('OVERLOADED')
    const base = { type: 'answers', requestId, answers: given } as const
    if (age === undefined) end.reply({ ...base, leaderTime: timeOf(shard) })
    else end.reply({ ...base, leaderTime: shard.state.clock, age })
  }
  if (how === undefined) shard.read({ keys, answers, refused })
  else shard.relaxedRead({ keys, answers, refused }, how)
}

/** L; the log clock where leadership was lost since the answer was made. */
const timeOf = ({ replica, state }: Shard): number => (replica.isLeader ? replica.leaderTime() : state.clock)

/**
 * A command is admitted at most 60 s ahead of its `notAfter`, as far as clocks may differ; what is past is left to apply,
 * which knows whether it is a repetition. An open is never one: who does not know L yet asks with 0 and is told.
 */
function mayStillBe({ kind, notAfterMax }: SectionHeader, leaderTime: number): boolean {
  if (notAfterMax > leaderTime + limits.operationTimeoutMsMax + limits.clockSkewMs) return false
  return kind !== 'openSession' || notAfterMax >= leaderTime
}

const VERSIONS = `this node speaks versions ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION_MAX}`
