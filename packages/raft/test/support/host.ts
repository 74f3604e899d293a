// A host for one core in tests: memory log, disk with pending writes, state machine. It does what the README demands.
import { createRaft } from '../../src/index.ts'
import type {
  Configuration,
  Effects,
  EntryMeta,
  Envelope,
  HardState,
  Input,
  Persist,
  Raft,
  RaftLimits,
  Recovered,
} from '../../src/index.ts'

export interface StoredEntry {
  readonly index: number
  readonly term: number
  readonly payload: string
  readonly configuration?: Configuration
}

export interface PlacedConfiguration {
  readonly index: number
  readonly configuration: Configuration
}

/** A log behind a compaction point. */
export interface Log {
  compacted: { index: number; term: number }
  base: PlacedConfiguration
  entries: StoredEntry[]
}

export interface Checkpoint {
  readonly index: number
  readonly term: number
  readonly state: readonly string[]
  readonly placed: PlacedConfiguration
}

interface Disk {
  hardState: HardState
  log: Log
  checkpoint: Checkpoint
}

interface PendingWrite {
  readonly number: number
  readonly hardState: HardState | null
  readonly entries: readonly StoredEntry[]
}

type InputBody = Input extends infer Each ? (Each extends Input ? Omit<Each, 'now' | 'draw'> : never) : never
export type { InputBody }

export const limits: Partial<RaftLimits> = { inflightBytes: 400, appendBytes: 200, uncommittedBytes: 2_000 }

export class Host {
  readonly id: number
  readonly disk: Disk
  raft: Raft | null = null
  /** As the core sees it: ahead of the disk. */
  log: Log
  pending: PendingWrite[] = []
  held: { readonly after: number; readonly envelopes: readonly Envelope[] }[] = []
  state: string[] = []
  appliedIndex = 0
  /** Newest read round begun; rounds are never reused, not even by a later boot. */
  round = 0
  /** True from leading on, until the step that ended it was looked at. */
  readonly limits: Partial<RaftLimits>

  constructor(id: number, initial: Configuration, chosen: Partial<RaftLimits> = limits) {
    this.id = id
    this.limits = chosen
    const base = { index: 0, configuration: initial }
    this.disk = {
      hardState: { currentTerm: 0, votedFor: null },
      log: { compacted: { index: 0, term: 0 }, base, entries: [] },
      checkpoint: { index: 0, term: 0, state: [], placed: base },
    }
    this.log = copyLog(this.disk.log)
  }

  start(now: number, draw: number): void {
    this.log = copyLog(this.disk.log)
    this.pending = []
    this.held = []
    this.state = [...this.disk.checkpoint.state]
    this.appliedIndex = this.disk.checkpoint.index
    this.raft = createRaft({
      self: this.id,
      recovered: this.#recovered(),
      startedAt: now,
      draw,
      limits: this.limits,
    })
  }

  /** The first `survivors` pending writes reached the disk, though nobody was told. */
  crash(survivors: number): void {
    for (const write of this.pending.slice(0, survivors)) this.#write(write)
    this.raft = null
  }

  /** Takes the host's part of the effects; what may leave now is returned. */
  take(effects: Effects, payloads: ReadonlyMap<number, string>): Envelope[] {
    const { persist } = effects
    if (persist !== null) this.pending.push(this.#remember(persist, payloads))
    const last = this.pending.at(-1)
    if (last === undefined) return [...effects.send, ...effects.sendAfterPersist]
    if (effects.sendAfterPersist.length > 0)
      this.held.push({ after: last.number, envelopes: effects.sendAfterPersist })
    return [...effects.send]
  }

  /** The oldest pending write is durable now. Returns its number and what waited for it. */
  sync(): { readonly number: number; readonly released: Envelope[] } | null {
    const write = this.pending.shift()
    if (write === undefined) return null
    this.#write(write)
    const released = this.held
      .filter(({ after }) => after <= write.number)
      .flatMap(({ envelopes }) => [...envelopes])
    this.held = this.held.filter(({ after }) => after > write.number)
    return { number: write.number, released }
  }

  apply(upTo: number): StoredEntry[] {
    const applied: StoredEntry[] = []
    while (this.appliedIndex < upTo) {
      const entry = entryAt(this.log, this.appliedIndex + 1)
      if (entry === null) throw new Error(`host ${this.id} cannot apply ${this.appliedIndex + 1}`)
      this.state.push(`${entry.index}/${entry.term}:${entry.payload}`)
      this.appliedIndex = entry.index
      applied.push(entry)
    }
    return applied
  }

  /** A checkpoint of what is applied and durable; returns its index. */
  checkpoint(): Checkpoint | null {
    const { raft } = this
    if (raft === null || this.appliedIndex > raft.durableIndex) return null
    const placed = configurationAt(this.log, this.appliedIndex)
    const term = raft.termAt(this.appliedIndex) ?? 0
    this.disk.checkpoint = { index: this.appliedIndex, term, state: [...this.state], placed }
    return this.disk.checkpoint
  }

  /** Drops what the checkpoint covers from both logs, or less of it. */
  compact(index = this.disk.checkpoint.index): void {
    const { checkpoint } = this.disk
    const isWhole = index === checkpoint.index
    const term = isWhole ? checkpoint.term : (entryAt(this.log, index)?.term ?? 0)
    const placed = isWhole ? checkpoint.placed : configurationAt(this.log, index)
    for (const log of [this.log, this.disk.log]) {
      log.compacted = { index, term }
      log.base = placed
      log.entries = log.entries.filter((entry) => entry.index > index)
    }
  }

  /** Installs durably, unless the core has already committed as much. Nothing may be pending. */
  install(snapshot: Checkpoint): boolean {
    const { raft } = this
    if (raft === null || this.pending.length > 0) throw new Error('not the moment for a snapshot')
    if (snapshot.index <= raft.commitIndex) return false
    const agrees = raft.termAt(snapshot.index) === snapshot.term
    this.disk.checkpoint = snapshot
    this.state = [...snapshot.state]
    this.appliedIndex = snapshot.index
    if (!agrees) for (const log of [this.log, this.disk.log]) log.entries = []
    this.compact()
    return true
  }

  #remember(persist: Persist, payloads: ReadonlyMap<number, string>): PendingWrite {
    const entries = persist.entries.map((meta) => stored(meta, payloads.get(meta.index)))
    appendTo(this.log, entries)
    return { number: persist.number, hardState: persist.hardState, entries }
  }

  #write({ hardState, entries }: PendingWrite): void {
    if (hardState !== null) this.disk.hardState = hardState
    appendTo(this.disk.log, entries)
  }

  #recovered(): Recovered {
    const { hardState, log, checkpoint } = this.disk
    const terms: { firstIndex: number; term: number }[] = []
    for (const { index, term } of log.entries) {
      if (terms.at(-1)?.term !== term) terms.push({ firstIndex: index, term })
    }
    const configurations = [
      log.base,
      ...log.entries.flatMap(({ index, configuration }) =>
        configuration === undefined ? [] : [{ index, configuration }],
      ),
    ]
    const lastIndex = log.entries.at(-1)?.index ?? log.compacted.index
    return {
      hardState,
      compacted: log.compacted,
      terms,
      lastIndex,
      configurations,
      commitIndex: checkpoint.index,
      appliedIndex: checkpoint.index,
    }
  }
}

export function entryAt(log: Log, index: number): StoredEntry | null {
  return log.entries[index - log.compacted.index - 1] ?? null
}

export function lastIndexOf(log: Log): number {
  return log.entries.at(-1)?.index ?? log.compacted.index
}

export function configurationAt(log: Log, index: number): PlacedConfiguration {
  const found = log.entries.findLast((entry) => entry.index <= index && entry.configuration !== undefined)
  return found?.configuration === undefined
    ? log.base
    : { index: found.index, configuration: found.configuration }
}

function copyLog({ compacted, base, entries }: Log): Log {
  return { compacted: { ...compacted }, base, entries: [...entries] }
}

function appendTo(log: Log, entries: readonly StoredEntry[]): void {
  const [first] = entries
  if (first === undefined) return
  const kept = first.index - log.compacted.index - 1
  if (kept < 0 || kept > log.entries.length) throw new Error(`a gap before ${first.index}`)
  log.entries.splice(kept, log.entries.length - kept, ...entries)
}

function stored({ index, term, configuration }: EntryMeta, payload: string | undefined): StoredEntry {
  if (payload === undefined) throw new Error(`no payload for ${index}/${term}`)
  return configuration === undefined ? { index, term, payload } : { index, term, payload, configuration }
}
