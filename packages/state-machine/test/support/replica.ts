// A replica as its host drives it: a store that keeps only whole checkpoints, a log, and a state above them.
import type { Answer, Section } from '@quorate/protocol'
import { encodeSection, slotOf } from '@quorate/protocol'
import {
  type AppliedEntry,
  type CheckpointRow,
  createShardState,
  type Frozen,
  type ReadTicket,
  restoreShardState,
  type RowChange,
  rowKind,
  type RowKey,
  type RowScan,
  type ShardState,
} from '../../src/index.ts'

export const GROUP = 3

const rowName = ({ kind, slot, key }: RowKey): string => `${kind}/${slot}/${Buffer.from(key).toString('hex')}`

export interface DelayedRead {
  keys: readonly Uint8Array[]
  t: number
  ticket: ReadTicket
  rows: readonly RowKey[]
  /** What the store said so far. */
  values: (Uint8Array | undefined)[]
}

export class Replica {
  state: ShardState
  readonly log: AppliedEntry[] = []
  readonly #hotBytesMax: number
  readonly #deadlineWindow: number
  #store = new Map<string, CheckpointRow>()
  #head: Pick<Frozen, 'appliedIndex' | 'appliedTerm' | 'machine'> | null = null
  #frozen: Frozen | null = null
  #writing: Iterator<RowChange> | null = null
  #batch: RowChange[] = []
  #durable = false

  constructor(hotBytesMax: number, deadlineWindow = 3) {
    this.#hotBytesMax = hotBytesMax
    this.#deadlineWindow = deadlineWindow
    this.state = createShardState(GROUP, { hotBytesMax, deadlineWindow })
  }

  get checkpointOpen(): boolean {
    return this.#frozen !== null
  }

  get storedRows(): readonly CheckpointRow[] {
    return [...this.#store.values()]
  }

  /** `Frozen.machine` of the newest whole checkpoint; null before the first. */
  get storedMachine(): Uint8Array | null {
    return this.#head?.machine ?? null
  }

  append(entry: Omit<AppliedEntry, 'index' | 'term'>): readonly (readonly Answer[])[] {
    const full = { index: this.log.length + 1, term: 1, ...entry }
    this.log.push(full)
    return this.apply(full)
  }

  apply(entry: AppliedEntry, between?: () => void): readonly (readonly Answer[])[] {
    let wanted = this.state.prefetch(entry)
    for (let { scan } = this.state; scan !== null; { scan } = this.state) {
      scan.complete(this.scan(scan))
      wanted = this.state.prefetch(entry)
    }
    const rows = wanted.map((row) => this.get(row))
    between?.()
    // The payload lives in a frame that is used again: what is kept must be copied.
    const payload = new Uint8Array(entry.payload)
    const answers = structuredClone(this.state.apply({ ...entry, payload }, rows))
    for (const row of rows) row?.fill(0xee)
    return answers
  }

  /** A copy, as a store gives it. */
  get(row: RowKey): Uint8Array | undefined {
    const found = this.#store.get(rowName(row))
    return found === undefined ? undefined : new Uint8Array(found.value)
  }

  /** What a store gives for a scan. */
  scan({ kind, slot, key, limit }: RowScan): CheckpointRow[] {
    return [...this.#store.values()]
      .filter((row) => row.kind === kind && row.slot === slot && Buffer.compare(row.key, key) >= 0)
      .toSorted((left, right) => Buffer.compare(left.key, right.key))
      .slice(0, limit)
      .map((row) => ({ ...row, key: new Uint8Array(row.key), value: new Uint8Array(row.value) }))
  }

  freeze(): void {
    this.#frozen = this.state.freeze()
    this.#writing = this.#frozen.changes[Symbol.iterator]()
    this.#batch = []
    this.#durable = false
  }

  /** Builds a slice of the batch; after the last one all of it is in the store at once. */
  write(count: number): void {
    if (this.#frozen === null || this.#writing === null || this.#durable) return
    for (let written = 0; written < count; written++) {
      const next = this.#writing.next()
      if (next.done === true) return this.#commit(this.#frozen)
      this.#batch.push(next.value)
    }
  }

  #commit(frozen: Frozen): void {
    if (frozen.changeCount !== this.#batch.length)
      throw new Error(`${frozen.changeCount} ${this.#batch.length}`)
    for (const { kind, slot, key, value } of this.#batch) {
      const name = rowName({ kind, slot, key })
      if (value === null) this.#store.delete(name)
      else this.#store.set(name, { kind, slot, key, value })
    }
    this.#head = {
      appliedIndex: frozen.appliedIndex,
      appliedTerm: frozen.appliedTerm,
      machine: frozen.machine,
    }
    this.#durable = true
  }

  release(): void {
    if (!this.#durable) this.write(Number.POSITIVE_INFINITY)
    this.state.release()
    this.#frozen = null
  }

  checkpoint(): void {
    this.freeze()
    this.release()
  }

  /** Loses the memory; comes back from the newest whole checkpoint and the log behind it. Returns the answers of the replay. */
  restart(): Map<number, readonly (readonly Answer[])[]> {
    this.#frozen = null
    this.#writing = null
    this.state = this.restored()
    const replayed = new Map<number, readonly (readonly Answer[])[]>()
    for (const entry of this.log.slice(this.state.appliedIndex)) replayed.set(entry.index, this.apply(entry))
    return replayed
  }

  restored(): ShardState {
    const options = { hotBytesMax: this.#hotBytesMax, deadlineWindow: this.#deadlineWindow }
    if (this.#head === null) return createShardState(GROUP, options)
    const rows = [...this.#store.values()].filter(({ kind }) => kind < rowKind.entry)
    // In the order of keys, which is not that in which they came to be.
    rows.sort((left, right) => (rowName(left) < rowName(right) ? -1 : 1))
    return restoreShardState(GROUP, { ...this.#head, rows }, options)
  }

  /** Answers of a read that waits for nothing. */
  read(keys: readonly Uint8Array[], t: number): readonly Answer[] {
    let step = this.state.beginRead(keys, t)
    while (step.type === 'fetch') {
      step = this.state.completeRead(
        step.ticket,
        step.rows.map((row) => this.get(row)),
      )
    }
    if (step.type === 'tick') throw new Error(`expires before ${step.t}`)
    return step.answers
  }
}

export function payloadOf(sections: readonly Section[]): Uint8Array {
  return new Uint8Array(Buffer.concat(sections.map(encodeSection)))
}

export function commandsEntry(stamp: number, ...sections: Section[]): Omit<AppliedEntry, 'index' | 'term'> {
  return { type: 'commands', stamp, payload: payloadOf(sections) }
}

export function foundAll(epoch: number, group = GROUP): Section {
  return { kind: 'found', group, epoch, slots: new Uint8Array(2048).fill(0xff) }
}

export function foundFor(keys: readonly Uint8Array[], epoch: number): Section {
  const slots = new Uint8Array(2048)
  for (const slot of keys.map(slotOf)) slots[slot >> 3] = (slots[slot >> 3] ?? 0) | (1 << (slot & 7))
  return { kind: 'found', group: GROUP, epoch, slots }
}
