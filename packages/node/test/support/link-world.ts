// Two halves of a link over a network in memory: one host dials, the other accepts; both under virtual time.
import {
  type Channel,
  decodePeerFrame,
  type DirId,
  encodePeerFrame,
  type GroupMessage,
  type PeerFrame,
  type PeerHello,
  PROTOCOL_VERSION,
} from '@quorate/protocol'
import { type Connection, createSeededRandom } from '@quorate/runtime'
import { createMemoryNetwork, type MemoryHub } from '@quorate/transport'
import { type Caller, PeerAcceptor } from '../../src/peers/peer-acceptor.ts'
import { PeerLink } from '../../src/peers/peer-link.ts'
import { Turn } from '../../src/turn.ts'
import { VirtualProcess, VirtualTime } from '../fixture/virtual-time.ts'

export const A: DirId = 'a'.repeat(32)
export const B: DirId = 'b'.repeat(32)
const ADDRESS = 'b:1'

export const helloOf = (dirId: DirId, link: number, change: Partial<PeerHello> = {}): PeerHello => ({
  type: 'hello',
  protocolMin: PROTOCOL_VERSION,
  protocolMax: PROTOCOL_VERSION,
  features: 0,
  clusterId: null,
  dirId,
  boot: 1,
  name: 'n',
  peerAddress: 'a:1',
  clientAddress: 'a:2',
  to: null,
  mapEpoch: 0,
  recoveredLog: 0,
  channel: 'control',
  link,
  ...change,
})

/** One append with one entry of so many bytes. */
export const append = (group: number, bytes: number, index = 1): GroupMessage => ({
  group,
  from: 1,
  to: 2,
  message: {
    type: 'appendRequest',
    term: 1,
    previousIndex: index - 1,
    previousTerm: 1,
    commitIndex: 0,
    entries: [{ index, term: 1, bytes }],
  },
  payloads: [{ type: 'commands', stamp: 0, payload: new Uint8Array(bytes) }],
})

export const vote = (group: number): GroupMessage => ({
  group,
  from: 1,
  to: 2,
  message: { type: 'voteReply', term: 1, preVote: false, granted: true },
  payloads: [],
})

export const heartbeat = (sequence: number): PeerFrame => ({
  type: 'heartbeat',
  setNumber: 0,
  sequence,
  answers: 0,
  answersBoot: 0,
  syncedLog: 0,
  confirmedAge: 0,
  wallMs: 0,
  ledSet: null,
  commits: [],
})

export class LinkWorld {
  readonly time = new VirtualTime()
  readonly hub: MemoryHub
  readonly near: VirtualProcess
  readonly far: VirtualProcess
  readonly acceptor: PeerAcceptor
  readonly members = new Set<DirId>()
  readonly removed = new Set<DirId>()
  readonly received: PeerFrame[] = []
  readonly arrived: Caller[] = []
  readonly left: Caller[] = []
  readonly welcomed: number[] = []
  readonly lost: { readonly atMs: number; readonly reason: string }[] = []
  readonly refused: string[] = []
  readonly events: { readonly code: string; readonly [fact: string]: unknown }[] = []
  /** While false the far log syncs nothing. */
  syncs = true
  #waiting: (() => void)[] = []
  #links = 0

  constructor(latencyMs = 1) {
    const world = new VirtualProcess(this.time)
    this.near = new VirtualProcess(this.time)
    this.far = new VirtualProcess(this.time)
    this.hub = createMemoryNetwork({ timers: world.timers, random: createSeededRandom(1), latencyMs })
    this.acceptor = new PeerAcceptor({
      timers: this.far.timers,
      now: () => this.far.clock.monotonicMs(),
      identity: () => ({ dirId: B, boot: 1, clusterId: null, mapEpoch: 0 }),
      isMember: (dirId) => this.members.has(dirId),
      isRemoved: (dirId) => this.removed.has(dirId),
      logSynced: () =>
        this.syncs ? Promise.resolve() : new Promise((resolve) => void this.#waiting.push(resolve)),
      received: (_caller, frame) => this.received.push(frame),
      arrived: (caller) => this.arrived.push(caller),
      left: (caller) => this.left.push(caller),
      event: (event) => this.events.push(event),
    })
  }

  async listen(): Promise<void> {
    await this.hub.networkFor('b').listen(ADDRESS, (connection) => {
      const handlers = this.acceptor.accept(connection)
      return {
        frame: (bytes) => {
          const copy = bytes.slice()
          this.far.timers.endOfTurn(() => handlers.frame(copy))
        },
        closed: (reason) => this.far.timers.endOfTurn(() => handlers.closed(reason)),
      }
    })
  }

  /** Everything that waited for the far log is synced. */
  sync(): void {
    this.syncs = true
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  link(): PeerLink {
    const network = this.hub.networkFor('a')
    const { timers } = this.near
    return new PeerLink({
      address: ADDRESS,
      network: {
        listen: (address, accept) => network.listen(address, accept),
        dial: (address, handlers) =>
          network.dial(address, {
            opened: () => timers.endOfTurn(() => handlers.opened?.()),
            frame: (bytes) => {
              const copy = bytes.slice()
              timers.endOfTurn(() => handlers.frame(copy))
            },
            closed: (reason) => timers.endOfTurn(() => handlers.closed(reason)),
          }),
      },
      timers,
      random: createSeededRandom(2),
      turn: new Turn(timers, (error) => {
        throw error
      }),
      hello: () => helloOf(A, (this.#links += 1)),
      welcomed: () => this.welcomed.push(this.#links),
      refused: (code) => this.refused.push(code),
      lost: (reason) => this.lost.push({ atMs: this.time.nowMs, reason }),
    })
  }

  async ready(link: PeerLink): Promise<void> {
    if (!(await this.time.run(5_000, () => link.ready))) throw new Error('not ready')
  }

  /** Swallows one direction of one connection of the link with this number, or of every link. */
  blackHole(channel: Channel, direction: 'there' | 'back' | 'both', number: number | null): void {
    this.hub.blackHole(({ opening }, from) => {
      const hello = opening === null ? null : decodePeerFrame(opening)
      if (hello?.type !== 'hello' || hello.channel !== channel) return false
      if (number !== null && hello.link !== number) return false
      return direction === 'both' || (direction === 'there') === (from === 'a')
    })
  }

  /** Frames under way, as they are sent, by type. */
  tap(seen: (frame: PeerFrame, bytes: Uint8Array, from: string) => void, latencyMs = 1): void {
    this.hub.setFault((from, _to, bytes) => {
      seen(decodePeerFrame(bytes), bytes, from)
      return [latencyMs]
    })
  }
}

/** A connection that says what it is told to. */
export class RawPeer {
  readonly heard: PeerFrame[] = []
  closed = false
  readonly #connection: Connection

  constructor(hub: MemoryHub, host = 'raw') {
    this.#connection = hub.networkFor(host).dial(ADDRESS, {
      frame: (bytes) => this.heard.push(decodePeerFrame(bytes)),
      closed: () => {
        this.closed = true
      },
    })
  }

  send(...frames: readonly PeerFrame[]): this {
    for (const frame of frames) this.#connection.send(encodePeerFrame(frame))
    return this
  }

  bytes(bytes: Uint8Array): this {
    this.#connection.send(bytes)
    return this
  }

  get refusal(): string | null {
    for (const frame of this.heard) if (frame.type === 'unwelcome') return frame.code
    return null
  }
}
