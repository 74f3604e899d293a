// Follower's side of a snapshot: rows into a new generation, then one flip that makes them the state (storage.md, install).
import {
  encodeConfiguration,
  limits,
  rowChecksum,
  type SnapshotFrame,
  type SnapshotIdentity,
} from '@quorate/protocol'
import type { ReplicatedState, RowChange } from '@quorate/state-machine'
import type { ReplicaHead } from '@quorate/storage'
import type { ReplicaHost } from './host.ts'
import type { Replica } from './replica.ts'

type SnapshotChunk = Extract<SnapshotFrame, { readonly type: 'snapshotChunk' }>
type Outcome = Extract<SnapshotFrame, { readonly type: 'snapshotAnswer' }>['outcome']

interface Incoming {
  readonly id: string
  readonly from: number
  readonly term: number
  readonly index: number
  generation: number
  /** The first chunk that is not stored. */
  next: number
  /** That one and others in front of it, which wait for their turn. */
  readonly waiting: Map<number, SnapshotChunk>
  rows: number
  busy: boolean
  installed: boolean
}

export interface InstallParts {
  /** Builds the state from the rows of a generation that is not yet visible. */
  readonly restore: (identity: SnapshotIdentity, generation: number) => Promise<ReplicatedState>
  /** The checkpointer learns the new head. */
  readonly adopt: (head: ReplicaHead, checkpoint: number) => void
}

/** Ends of snapshots that are remembered, so that a late chunk of one is recognised. */
const OVER_MAX = 16

/** At most one snapshot is received per group; a newer one replaces an unfinished one, whose rows are dropped. */
export class SnapshotReceiver {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  readonly #parts: InstallParts
  #incoming: Incoming | null = null
  /** How the last ones ended, by id, oldest first. */
  readonly #over = new Map<string, 'installed' | 'refused'>()

  constructor(host: ReplicaHost, replica: Replica, parts: InstallParts) {
    this.#host = host
    this.#replica = replica
    this.#parts = parts
  }

  receive(chunk: SnapshotChunk): void {
    const { id } = chunk.snapshot
    const over = this.#over.get(id)
    if (over !== undefined) return this.#answer(chunk, over)
    const { condition, raft } = this.#replica
    if (condition !== 'live' || chunk.term < raft.currentTerm) return this.#answer(chunk, 'refused')
    const incoming = this.#incoming?.id === id ? this.#incoming : this.#begin(chunk)
    if (incoming === null || chunk.from !== incoming.from) return
    const distance = chunk.chunk - incoming.next
    // Stored, or its turn has come or will: the answer tells a sender that waits that this side is at work.
    if (distance < 0 || incoming.waiting.has(chunk.chunk)) return this.#answer(chunk, 'more', incoming.next)
    if (distance < limits.snapshotChunksAhead) incoming.waiting.set(chunk.chunk, chunk)
    this.#work(incoming)
  }

  /** The first chunk of a snapshot that is not known makes it known. Null where it changes nothing. */
  #begin(chunk: SnapshotChunk): Incoming | null {
    const { id, index } = chunk.snapshot
    const before = this.#incoming
    const isLate = before !== null && chunk.term <= before.term && index < before.index
    if (isLate || this.#replica.isLeader || this.#has(index)) {
      this.#answer(chunk, this.#has(index) ? 'installed' : 'refused')
      return null
    }
    if (chunk.chunk !== 0 || before?.busy === true) {
      this.#answer(chunk, 'more', 0)
      return null
    }
    if (before !== null) this.#finish(before, 'refused')
    this.#incoming = {
      id,
      from: chunk.from,
      term: chunk.term,
      index,
      generation: 0,
      next: 0,
      waiting: new Map(),
      rows: 0,
      busy: false,
      installed: false,
    }
    return this.#incoming
  }

  /**
   * As good as installed: refused, a leader that has lost the answer would send it for ever, since it may have nothing newer
   * to send before this replica acknowledges. It only learns where to ask next; what is here is for the log to prove.
   */
  #has(index: number): boolean {
    return index <= this.#replica.raft.commitIndex
  }

  #work(incoming: Incoming): void {
    const chunk = incoming.waiting.get(incoming.next)
    if (chunk === undefined || incoming.busy) return
    incoming.busy = true
    this.#store(incoming, chunk).then(
      (outcome) => {
        incoming.busy = false
        incoming.waiting.delete(chunk.chunk)
        if (outcome === 'more') incoming.next += 1
        else this.#finish(incoming, outcome)
        this.#answer(chunk, outcome, incoming.next)
        if (outcome === 'more') this.#work(incoming)
      },
      // A store that failed a write accepts nothing any more; going on would be guessing.
      (error: unknown) => this.#host.halt(error instanceof Error ? error : new Error(String(error))),
    )
  }

  #finish(incoming: Incoming, outcome: 'installed' | 'refused'): void {
    this.#incoming = null
    this.#over.set(incoming.id, outcome)
    for (const oldest of this.#over.keys()) if (this.#over.size > OVER_MAX) this.#over.delete(oldest)
    if (incoming.generation !== 0 && !incoming.installed) this.#drop(incoming.generation)
  }

  async #store(incoming: Incoming, chunk: SnapshotChunk): Promise<Outcome> {
    const { store } = this.#host
    for (const row of chunk.rows) if (rowChecksum(row) !== row.checksum) return 'refused'
    if (incoming.generation === 0) incoming.generation = await store.nextGeneration()
    if (chunk.rows.length > 0) await store.stage(this.#replica.group, incoming.generation, chunk.rows)
    incoming.rows += chunk.rows.length
    if (!chunk.last) return 'more'
    if (incoming.rows !== chunk.snapshot.rowCount) return 'refused'
    incoming.installed = await this.#host.exclusively(() =>
      this.#install(chunk.snapshot, incoming.generation, chunk.from),
    )
    return incoming.installed || this.#has(chunk.snapshot.index) ? 'installed' : 'refused'
  }

  /** The flip: a checkpoint of its own, then the log's new beginning, then the core and the answer. */
  async #install(identity: SnapshotIdentity, generation: number, from: number): Promise<boolean> {
    const replica = this.#replica
    const { group, incarnation } = replica
    await replica.apply.pause()
    replica.installing = true
    try {
      if (replica.condition !== 'live' || replica.isLeader || this.#has(identity.index)) return false
      // Its own vote, durable only from now on, could make it a leader that appends to a log which is about to go.
      if (replica.raft.role !== 'follower') replica.step({ type: 'stepDown' })
      const state = await this.#restore(identity, generation)
      if (state === null || replica.condition !== 'live') return false
      const old = replica.generation
      const head: ReplicaHead = {
        group,
        incarnation,
        generation,
        appliedIndex: identity.index,
        appliedTerm: identity.term,
        configuration: identity.configuration,
        configurationIndex: identity.configurationIndex,
        machine: identity.machine,
      }
      const noChanges: RowChange[] = []
      const checkpoint = await this.#host.store.checkpoint(
        [{ head, changes: noChanges }],
        this.#host.syncedPosition(),
      )
      await this.#synced({
        // Entries behind the snapshot may be acknowledged: where the logs agree they stay.
        kind: replica.raft.termAt(identity.index) === identity.term ? 'compacted' : 'reset',
        group,
        incarnation,
        index: identity.index,
        term: identity.term,
        checkpoint,
        configuration: encodeConfiguration(identity.configuration),
        configurationIndex: identity.configurationIndex,
      })
      this.#parts.adopt(head, checkpoint)
      replica.installed(state, generation, identity)
      replica.step({
        type: 'snapshotInstalled',
        from,
        index: identity.index,
        term: identity.term,
        configuration: identity.configuration,
        configurationIndex: identity.configurationIndex,
      })
      this.#drop(old)
      this.#host.event({ code: 'snapshot_installed', group, index: identity.index })
      return true
    } finally {
      replica.installing = false
      replica.apply.resume()
    }
  }

  /** Null where the rows are no state: the snapshot is refused, this replica stays as it was. */
  async #restore(identity: SnapshotIdentity, generation: number): Promise<ReplicatedState | null> {
    try {
      return await this.#parts.restore(identity, generation)
    } catch (error) {
      this.#host.event({ code: 'snapshot_refused', group: this.#replica.group, reason: String(error) })
      return null
    }
  }

  #drop(generation: number): void {
    this.#host.store.dropGeneration(this.#replica.group, generation).catch((error: unknown) => {
      this.#host.halt(error instanceof Error ? error : new Error(String(error)))
    })
  }

  #synced(record: Parameters<ReplicaHost['append']>[0]): Promise<void> {
    return this.#host.whenSynced(this.#host.append(record))
  }

  #answer(chunk: SnapshotChunk, outcome: Outcome, nextChunk = 0): void {
    // Condemned or removed is silent (rule 10), also about what it was asked before.
    const { condition } = this.#replica
    if (condition === 'condemned' || condition === 'removed') return
    this.#host.sendTo(this.#replica.group, chunk.from, {
      type: 'snapshotAnswer',
      group: this.#replica.group,
      from: this.#replica.incarnation,
      to: chunk.from,
      snapshot: chunk.snapshot.id,
      nextChunk,
      outcome,
    })
  }
}
