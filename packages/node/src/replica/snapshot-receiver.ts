// Follower's side of a snapshot: rows into a new generation, then one flip that makes them the state (storage.md, install).
import {
  encodeConfiguration,
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
  generation: number
  /** The next chunk expected. */
  chunk: number
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

/** At most one snapshot is received per group; a newer one replaces an unfinished one, whose rows are dropped. */
export class SnapshotReceiver {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  readonly #parts: InstallParts
  #incoming: Incoming | null = null

  constructor(host: ReplicaHost, replica: Replica, parts: InstallParts) {
    this.#host = host
    this.#replica = replica
    this.#parts = parts
  }

  receive(chunk: SnapshotChunk): void {
    const replica = this.#replica
    if (replica.condition !== 'live' || chunk.term < replica.raft.currentTerm)
      return this.#answer(chunk, 'refused')
    for (const row of chunk.rows) if (rowChecksum(row) !== row.checksum) return this.#answer(chunk, 'refused')
    let incoming = this.#incoming
    if (incoming === null || incoming.id !== chunk.snapshot.id) {
      if (incoming?.busy === true) return
      if (chunk.chunk !== 0) return this.#answer(chunk, 'refused')
      if (incoming !== null) this.#abandon(incoming)
      incoming = {
        id: chunk.snapshot.id,
        from: chunk.from,
        generation: 0,
        chunk: 0,
        rows: 0,
        busy: false,
        installed: false,
      }
      this.#incoming = incoming
    }
    if (incoming.busy) return
    if (incoming.installed) return this.#answer(chunk, 'installed')
    if (chunk.chunk < incoming.chunk) return this.#answer(chunk, 'more')
    if (chunk.chunk > incoming.chunk) return
    this.#take(incoming, chunk)
  }

  #take(incoming: Incoming, chunk: SnapshotChunk): void {
    incoming.busy = true
    this.#store(incoming, chunk).then(
      (outcome) => {
        incoming.busy = false
        this.#answer(chunk, outcome)
        if (outcome !== 'refused') return
        this.#incoming = null
        this.#abandon(incoming)
      },
      // A store that failed a write accepts nothing any more; going on would be guessing.
      (error: unknown) => this.#host.halt(error instanceof Error ? error : new Error(String(error))),
    )
  }

  async #store(incoming: Incoming, chunk: SnapshotChunk): Promise<Outcome> {
    const { store } = this.#host
    if (incoming.generation === 0) incoming.generation = await store.nextGeneration()
    if (chunk.rows.length > 0) await store.stage(this.#replica.group, incoming.generation, chunk.rows)
    incoming.rows += chunk.rows.length
    if (!chunk.last) {
      incoming.chunk += 1
      return 'more'
    }
    if (incoming.rows !== chunk.snapshot.rowCount) return 'refused'
    const installed = await this.#host.exclusively(() =>
      this.#install(chunk.snapshot, incoming.generation, chunk.from),
    )
    incoming.installed = installed
    return installed ? 'installed' : 'refused'
  }

  /** The flip: a checkpoint of its own, then the log's new beginning, then the core and the answer. */
  async #install(identity: SnapshotIdentity, generation: number, from: number): Promise<boolean> {
    const replica = this.#replica
    const { group, incarnation } = replica
    await replica.apply.pause()
    replica.installing = true
    try {
      if (replica.condition !== 'live' || replica.isLeader || identity.index <= replica.raft.commitIndex)
        return false
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

  #abandon(incoming: Incoming): void {
    if (incoming.generation !== 0 && !incoming.installed) this.#drop(incoming.generation)
  }

  #drop(generation: number): void {
    this.#host.store.dropGeneration(this.#replica.group, generation).catch((error: unknown) => {
      this.#host.halt(error instanceof Error ? error : new Error(String(error)))
    })
  }

  #synced(record: Parameters<ReplicaHost['append']>[0]): Promise<void> {
    return this.#host.whenSynced(this.#host.append(record))
  }

  #answer(chunk: SnapshotChunk, outcome: Outcome): void {
    // Condemned is silent (rule 10), also about what it was asked before.
    if (this.#replica.condition === 'condemned') return
    this.#host.sendTo(this.#replica.group, chunk.from, {
      type: 'snapshotAnswer',
      group: this.#replica.group,
      from: this.#replica.incarnation,
      to: chunk.from,
      snapshot: chunk.snapshot.id,
      chunk: chunk.chunk,
      outcome,
    })
  }
}
