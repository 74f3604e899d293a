// Workloads for the crash tests: operations as data, so that a failing one can be shrunk.
import fc from 'fast-check'
import type { LogRecord } from '../../src/log/record.ts'
import type { Storage } from '../../src/storage.ts'
import { compacted, created, entries, hardState, head, key, type Rig, settle } from './rig.ts'

export type Operation =
  | {
      readonly kind: 'append'
      readonly group: number
      readonly count: number
      readonly back: number
      readonly bytes: number
    }
  | { readonly kind: 'vote'; readonly group: number; readonly vote: number | null }
  | { readonly kind: 'compact'; readonly group: number }
  | { readonly kind: 'reset'; readonly group: number; readonly ahead: number }
  | { readonly kind: 'replace'; readonly group: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'settle' }
  | { readonly kind: 'idle' }

const group = fc.integer({ min: 1, max: 3 })

export const operations: fc.Arbitrary<Operation[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        group,
        count: fc.integer({ min: 1, max: 4 }),
        back: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 3 })),
        bytes: fc.constantFrom(10, 10, 3000, 20_000),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('vote' as const), group, vote: fc.constantFrom(null, 1, 2) }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('compact' as const), group }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('reset' as const),
        group,
        ahead: fc.integer({ min: 0, max: 5 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const), group }) },
    { weight: 6, arbitrary: fc.constant({ kind: 'flush' as const }) },
    { weight: 5, arbitrary: fc.constant({ kind: 'settle' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'idle' as const }) },
  ),
  { minLength: 15, maxLength: 60 },
)

interface GroupState {
  incarnation: number
  term: number
  lastIndex: number
  compactedIndex: number
  /** Highest index known to be synced. */
  syncedIndex: number
  /** Before its first record is synced a replica neither speaks nor enters a checkpoint. */
  readonly createdTicket: number
  /** A crash may come between the end of a replica and the beginning of its successor. */
  readonly isRemoved: boolean
}

/** Runs operations against a storage and remembers what was appended, and how much of it was acknowledged. */
export class Driver {
  readonly records: LogRecord[]
  readonly #tickets: number[]
  readonly #rig: Rig
  readonly #storage: Storage
  readonly #groups = new Map<number, GroupState>()

  /** Goes on behind `earlier`, which recovery found. */
  constructor(rig: Rig, storage: Storage, earlier: readonly LogRecord[] = []) {
    this.#rig = rig
    this.#storage = storage
    this.records = [...earlier]
    this.#tickets = earlier.map(() => 0)
    for (const { log } of storage.replicas) {
      const { incarnation, lastIndex } = log
      const known = {
        incarnation,
        lastIndex,
        syncedIndex: lastIndex,
        createdTicket: 0,
        isRemoved: log.state === 'removed',
      }
      const compactedIndex = log.compacted?.index ?? 0
      this.#groups.set(log.group, { ...known, term: log.hardState.currentTerm, compactedIndex })
    }
  }

  /** How many of `records` were acknowledged as synced. */
  get acknowledged(): number {
    return this.#tickets.filter((ticket) => ticket <= this.#rig.syncedTicket).length
  }

  /** Ends where the disk is crashed: its process is dead. */
  async run(list: readonly Operation[]): Promise<void> {
    const { disk } = this.#rig.world
    for (const operation of list) {
      if (this.#rig.world.disk !== disk) return
      await this.#step(operation)
    }
  }

  async #step(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'flush':
        return this.#storage.log.flush()
      case 'settle':
        return settle()
      case 'idle':
        this.#storage.log.flush()
        return this.#rig.idle()
      case 'append':
      case 'vote':
      case 'compact':
      case 'reset':
      case 'replace':
        return this.#change(operation)
    }
  }

  #change(operation: Exclude<Operation, { kind: 'flush' | 'settle' | 'idle' }>): void {
    const { group: number } = operation
    const known = this.#groups.get(number)
    const state =
      known === undefined || known.isRemoved ? this.#create(number, (known?.incarnation ?? 0) + 1) : known
    switch (operation.kind) {
      case 'append': {
        const back = Math.min(operation.back, state.lastIndex - state.syncedIndex)
        if (back > 0) state.term += 1
        const from = state.lastIndex + 1 - Math.max(0, back)
        if (back > 0) this.#append(hardState(number, state.term, null, state.incarnation))
        state.lastIndex = from + operation.count - 1
        this.#append(
          entries(number, from, state.lastIndex, Math.max(1, state.term), operation.bytes, state.incarnation),
        )
        const { lastIndex } = state
        const ticket = this.#tickets.at(-1) ?? 0
        this.#synced.push({
          ticket,
          note: () =>
            void (state.syncedIndex = Math.min(Math.max(state.syncedIndex, lastIndex), state.lastIndex)),
        })
        return
      }
      case 'vote':
        state.term += 1
        return this.#append(hardState(number, state.term, operation.vote, state.incarnation))
      case 'compact': {
        this.#learn()
        const index = state.syncedIndex
        if (index <= state.compactedIndex) return
        state.compactedIndex = index
        this.#checkpoint(number, index, state.incarnation)
        return this.#append(
          compacted(number, index, 1, this.#rig.content.checkpointNumber, state.incarnation),
        )
      }
      case 'reset': {
        const index = state.lastIndex + operation.ahead
        if (index === 0 || state.createdTicket > this.#rig.syncedTicket) return
        this.#checkpoint(number, index, state.incarnation)
        Object.assign(state, { lastIndex: index, compactedIndex: index, syncedIndex: index })
        const record = compacted(number, index, 1, this.#rig.content.checkpointNumber, state.incarnation)
        if (record.kind === 'compacted') this.#append({ ...record, kind: 'reset' })
        return
      }
      case 'replace':
        // Its head stays until the tombstone is synced: here, until its successor has one.
        this.#append({ kind: 'removed', ...key(number, state.incarnation) })
        this.#create(number, state.incarnation + 1)
    }
  }

  readonly #synced: { ticket: number; note: () => void }[] = []

  #learn(): void {
    for (const { ticket, note } of this.#synced) if (ticket <= this.#rig.syncedTicket) note()
  }

  #create(number: number, incarnation: number): GroupState {
    this.#append(created(number, incarnation))
    const createdTicket = this.#tickets.at(-1) ?? 0
    const state = {
      incarnation,
      term: 0,
      lastIndex: 0,
      compactedIndex: 0,
      syncedIndex: 0,
      createdTicket,
      isRemoved: false,
    }
    this.#groups.set(number, state)
    return state
  }

  /** The state store's checkpoint is durable before the log relies on it. */
  #checkpoint(number: number, index: number, incarnation: number): void {
    const { content } = this.#rig
    content.checkpointNumber += 1
    content.checkpointPosition = this.#storage.log.syncedPosition
    content.heads = [
      ...content.heads.filter((other) => other.group !== number),
      head(number, index, incarnation),
    ]
  }

  #append(record: LogRecord): void {
    this.#tickets.push(this.#storage.log.append(record))
    this.records.push(record)
  }
}
