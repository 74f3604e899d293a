// A sender and a receiver of snapshots with the network between them in the test's hands; stores that only remember rows.
import type { SnapshotFrame } from '@quorate/protocol'
import type { ReplicatedState } from '@quorate/state-machine'
import type { ReplicaHead, StateRow, StateStore } from '@quorate/storage'
import type { ReplicaHost } from '../../src/replica/host.ts'
import type { Replica, ReplicaInput } from '../../src/replica/replica.ts'
import { SnapshotReceiver } from '../../src/replica/snapshot-receiver.ts'
import { SnapshotSender } from '../../src/replica/snapshot-sender.ts'
import { SnapshotTraffic } from '../../src/replica/snapshot-traffic.ts'
import { VirtualProcess, VirtualTime } from '../fixture/virtual-time.ts'

export type Chunk = Extract<SnapshotFrame, { readonly type: 'snapshotChunk' }>
export type Answer = Extract<SnapshotFrame, { readonly type: 'snapshotAnswer' }>

const LEADER = 1
const FOLLOWER = 2
const GROUP = 7
const ROW_BYTES = 10_000
const configuration = { voters: [LEADER, FOLLOWER], outgoing: [], learners: [], learnersNext: [] }
const machine = new Uint8Array(3)

/** Rows by generation. Every write takes `writeMs`. */
class RowStore {
  readonly generations = new Map<number, StateRow[]>()
  readonly dropped: number[] = []
  writeMs = 1
  checkpointMs = 1
  openViews = 0
  readonly #process: VirtualProcess
  #next = 0

  constructor(process: VirtualProcess) {
    this.#process = process
  }

  after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#process.timers.after(ms, resolve))
  }

  async nextGeneration(): Promise<number> {
    await this.after(this.writeMs)
    this.#next += 1
    return this.#next
  }

  async stage(_group: number, generation: number, rows: readonly StateRow[]): Promise<void> {
    await this.after(this.writeMs)
    this.generations.set(generation, [...(this.generations.get(generation) ?? []), ...rows])
  }

  async dropGeneration(_group: number, generation: number): Promise<void> {
    this.dropped.push(generation)
    this.generations.delete(generation)
  }

  async checkpoint(): Promise<number> {
    await this.after(this.checkpointMs)
    return 1
  }

  openSnapshot(_group: number, generation: number) {
    this.openViews += 1
    const rows = [...(this.generations.get(generation) ?? [])]
    return {
      next: async (maxBytes: number): Promise<readonly StateRow[]> => {
        await this.after(0.1)
        return rows.splice(0, Math.max(1, Math.floor(maxBytes / ROW_BYTES)))
      },
      close: async (): Promise<void> => {
        this.openViews -= 1
      },
    }
  }
}

/** One side: a replica that remembers what it is told, and a host around it. */
export class Side {
  readonly process: VirtualProcess
  readonly store: RowStore
  readonly steps: ReplicaInput[] = []
  readonly events: string[] = []
  logBytes = 0
  /** What the other side has acknowledged. */
  matchIndex: number | null = null
  readonly raft = {
    currentTerm: 3,
    role: 'follower' as Replica['raft']['role'],
    commitIndex: 0,
    termAt: (): number | null => null,
    matchIndexOf: (): number | null => this.matchIndex,
  }
  isLeader = false
  condition: 'live' | 'condemned' = 'live'
  installing = false
  generation = 0
  readonly apply = { pause: async (): Promise<void> => {}, resume: (): void => {} }
  snapshotWanted: (peer: number) => void = () => {}
  readonly group = GROUP
  readonly incarnation: number
  readonly #sent: (frame: SnapshotFrame) => void

  constructor(time: VirtualTime, incarnation: number, sent: (frame: SnapshotFrame) => void) {
    this.process = new VirtualProcess(time)
    this.store = new RowStore(this.process)
    this.incarnation = incarnation
    this.#sent = sent
  }

  step(input: ReplicaInput): void {
    this.steps.push(input)
    if (input.type === 'snapshotInstalled') this.raft.commitIndex = input.index
    if (input.type === 'stepDown') this.raft.role = 'follower'
  }

  installed(_state: ReplicatedState, generation: number): void {
    this.generation = generation
  }

  failed(error: Error): void {
    throw error
  }

  get replica(): Replica {
    return this as unknown as Replica
  }

  host(traffic: SnapshotTraffic): ReplicaHost {
    const host: Partial<ReplicaHost> = {
      timers: this.process.timers,
      store: this.store as unknown as StateStore,
      settings: { snapshotChunkBytes: 100_000 } as ReplicaHost['settings'],
      snapshotTraffic: traffic,
      now: () => this.process.clock.monotonicMs(),
      logBytes: () => this.logBytes,
      append: () => 1,
      whenSynced: async () => {},
      syncedPosition: () => 1,
      checkpointNow: async () => 1,
      exclusively: (work) => work(),
      sendTo: (_group, _replica, frame) => this.#sent(frame as SnapshotFrame),
      event: ({ code }) => this.events.push(code),
      halt: (error) => {
        throw error
      },
    }
    return host as ReplicaHost
  }
}

export class SnapshotWorld {
  readonly time = new VirtualTime()
  readonly leader: Side
  readonly traffic = new SnapshotTraffic()
  readonly sender: SnapshotSender
  follower: Side
  receiver: SnapshotReceiver
  readonly chunks: Chunk[] = []
  readonly answers: Answer[] = []
  /** After how many ms each delivery of a frame happens; none: lost. */
  weather: (frame: SnapshotFrame) => readonly number[] = () => [1]
  /** The state that the leader has applied, and whose rows are in generation 1. */
  index = 50
  readonly #world = new VirtualProcess(this.time)
  #ids = 0

  constructor(rows: number) {
    this.leader = new Side(this.time, LEADER, (frame) => this.#carry(frame))
    this.leader.isLeader = true
    const value = new Uint8Array(ROW_BYTES)
    this.leader.store.generations.set(
      1,
      Array.from({ length: rows }, (_, at) => ({ kind: 1, slot: 0, key: Uint8Array.of(at >> 8, at), value })),
    )
    this.sender = new SnapshotSender(
      this.leader.host(this.traffic),
      this.leader.replica,
      () => `snapshot-${(this.#ids += 1)}`,
      (): ReplicaHead => ({
        group: GROUP,
        incarnation: LEADER,
        generation: 1,
        appliedIndex: this.index,
        appliedTerm: 2,
        configuration,
        configurationIndex: 0,
        machine,
      }),
    )
    this.follower = this.#newFollower()
    this.receiver = this.#newReceiver()
  }

  want(): void {
    this.leader.snapshotWanted(FOLLOWER)
  }

  /** The follower's process dies, with what it has staged; its successor knows nothing of it. */
  restartFollower(): void {
    this.follower.process.alive = false
    const { raft, steps } = this.follower
    this.follower = this.#newFollower()
    this.follower.raft.commitIndex = raft.commitIndex
    this.follower.steps.push(...steps)
    this.receiver = this.#newReceiver()
  }

  /** What the core of the leader was told of snapshots. */
  get reports(): string[] {
    return this.leader.steps.map(({ type }) => type)
  }

  get installs(): number {
    return this.follower.steps.filter(({ type }) => type === 'snapshotInstalled').length
  }

  get rowsInstalled(): number {
    return this.follower.store.generations.get(this.follower.generation)?.length ?? 0
  }

  async until(done: () => boolean, budgetMs = 60_000): Promise<void> {
    if (!(await this.time.run(budgetMs, done))) throw new Error(`not done in ${budgetMs} ms`)
  }

  #newFollower(): Side {
    return new Side(this.time, FOLLOWER, (frame) => this.#carry(frame))
  }

  #newReceiver(): SnapshotReceiver {
    const { follower } = this
    return new SnapshotReceiver(follower.host(new SnapshotTraffic()), follower.replica, {
      restore: async () => ({ clock: 0 }) as ReplicatedState,
      adopt: () => {},
    })
  }

  #carry(frame: SnapshotFrame): void {
    if (frame.type === 'snapshotChunk') this.chunks.push(frame)
    else this.answers.push(frame)
    for (const delayMs of this.weather(frame))
      this.#world.timers.after(delayMs, () => {
        if (frame.type === 'snapshotChunk') this.receiver.receive(frame)
        else this.sender.answered(frame)
      })
  }
}
