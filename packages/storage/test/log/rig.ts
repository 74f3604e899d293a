// A data directory on a memory disk, under time that the test moves, with a state store that says what it is told to.
import { createMemoryDisk, createSeededRandom, type MemoryDisk, type Timers } from '@quorate/runtime'
import { openStorage } from '../../src/open-storage.ts'
import type { LogEntry, LogRecord } from '../../src/log/record.ts'
import type { ReplicaHead, StateStore } from '../../src/state/state-store.ts'
import type { Storage } from '../../src/storage.ts'

export const DIRECTORY = '/data/n1'

export class ManualTime implements Timers {
  nowMs = 0
  #timers: { at: number; callback: () => void }[] = []

  after(delayMs: number, callback: () => void): { cancel: () => void } {
    const timer = { at: this.nowMs + delayMs, callback }
    this.#timers.push(timer)
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) }
  }

  endOfTurn(callback: () => void): void {
    this.after(0, callback)
  }

  /** Fires what is due, in order of time. */
  async advance(ms: number): Promise<void> {
    const end = this.nowMs + ms
    for (;;) {
      await settle()
      const due = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#timers = this.#timers.filter((other) => other !== due)
      this.nowMs = Math.max(this.nowMs, due.at)
      due.callback()
    }
    this.nowMs = end
  }
}

/** Lets every promise that can go on do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** What the state store holds durably; a test writes it. */
export interface StoreContent {
  dirId: string | null
  checkpointNumber: number
  checkpointPosition: number
  damage: string | null
  damagedGroups: number[]
  heads: ReplicaHead[]
}

export interface RigOptions {
  readonly seed?: number
  readonly segmentBytes?: number
  readonly retainBytes?: number
  readonly capacityBytes?: number
}

export class Rig {
  readonly options: RigOptions
  world: MemoryDisk
  time: ManualTime = new ManualTime()
  content: StoreContent = {
    dirId: null,
    checkpointNumber: 0,
    checkpointPosition: 0,
    damage: null,
    damagedGroups: [],
    heads: [],
  }
  syncedTicket = 0
  failures: Error[] = []

  constructor(options: RigOptions = {}) {
    this.options = options
    const { seed = 1, capacityBytes } = options
    this.world = createMemoryDisk({
      random: createSeededRandom(seed),
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
    })
  }

  open(): Promise<Storage> {
    this.syncedTicket = 0
    this.failures = []
    this.time = new ManualTime()
    const { segmentBytes = 64 * 1024, retainBytes } = this.options
    return openStorage({
      disk: this.world.disk,
      clock: { monotonicMs: () => this.time.nowMs, wallMs: () => 0 },
      timers: this.time,
      random: createSeededRandom(this.options.seed ?? 1),
      directory: DIRECTORY,
      name: 'n1',
      openStateStore: async (_directory, dirId) => this.#store(dirId),
      segmentBytes,
      ...(retainBytes === undefined ? {} : { retainBytes }),
      onSynced: (ticket) => {
        this.syncedTicket = ticket
      },
      onFailure: (error) => {
        this.failures.push(error)
      },
    })
  }

  /** Appends, flushes and waits until all of it is synced. */
  async put(storage: Storage, ...records: LogRecord[]): Promise<void> {
    for (const record of records) storage.log.append(record)
    storage.log.flush()
    await settle()
  }

  /** The marker of the idle log is on disk: everything before it is known to be synced. */
  async idle(): Promise<void> {
    await this.time.advance(20)
  }

  segments(): string[] {
    return this.world.paths().filter((path) => path.endsWith('.seg'))
  }

  #store(dirId: string): StateStore {
    this.content.dirId ??= dirId
    const { content } = this
    const unused = (): never => {
      throw new Error('not used by these tests')
    }
    return {
      dirId: content.dirId ?? dirId,
      damage: content.damage,
      damagedGroups: content.damagedGroups,
      checkpointNumber: content.checkpointNumber,
      checkpointPosition: content.checkpointPosition,
      heads: async () => content.heads,
      getMany: unused,
      scan: unused,
      checkpoint: unused,
      openSnapshot: unused,
      nextGeneration: unused,
      stage: unused,
      dropGeneration: unused,
      strayGenerations: unused,
      forget: unused,
      verifyFiles: unused,
      close: async () => {},
    }
  }
}

export function key(group: number, incarnation = 1): { group: number; incarnation: number } {
  return { group, incarnation }
}

export function entry(index: number, term: number, payloadBytes = 10): LogEntry {
  return {
    index,
    term,
    type: index % 7 === 0 ? 'configuration' : 'commands',
    stamp: index * 10 + term,
    payload: Buffer.alloc(payloadBytes, `${index}/${term} `),
  }
}

export function entries(
  group: number,
  from: number,
  to: number,
  term: number,
  payloadBytes = 10,
  incarnation = 1,
): LogRecord {
  const list = Array.from({ length: to - from + 1 }, (_, at) => entry(from + at, term, payloadBytes))
  return { kind: 'entries', ...key(group, incarnation), entries: list }
}

export function created(group: number, incarnation = 1): LogRecord {
  return {
    kind: 'created',
    ...key(group, incarnation),
    configuration: Buffer.from(`configuration of ${group}`),
  }
}

export function hardState(
  group: number,
  currentTerm: number,
  votedFor: number | null,
  incarnation = 1,
): LogRecord {
  return { kind: 'hardState', ...key(group, incarnation), hardState: { currentTerm, votedFor } }
}

export function compacted(
  group: number,
  index: number,
  term: number,
  checkpoint: number,
  incarnation = 1,
): LogRecord {
  const configuration = Buffer.from('in force')
  return {
    kind: 'compacted',
    ...key(group, incarnation),
    index,
    term,
    checkpoint,
    configuration,
    configurationIndex: 1,
  }
}

export function head(group: number, appliedIndex: number, incarnation = 1): ReplicaHead {
  return {
    ...key(group, incarnation),
    generation: 1,
    appliedIndex,
    appliedTerm: 1,
    configuration: { voters: [1], outgoing: [], learners: [], learnersNext: [] },
    configurationIndex: 1,
    machine: new Uint8Array(0),
  }
}

/** Index and term of every entry that the log gives for a group, read through the port. */
export function logOf(storage: Storage, group: number): string[] {
  const replica = replicaOf(storage, group)
  const first = (replica?.compacted?.index ?? 0) + 1
  const found = storage.log.entries(group, first, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER) ?? []
  return found.map(({ index, term }) => `${index}/${term}`)
}

export function replicaOf(storage: Storage, group: number): Storage['replicas'][number]['log'] | undefined {
  return storage.replicas.find(({ log }) => log.group === group)?.log
}
