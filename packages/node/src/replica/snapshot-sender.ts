// Leader's side of a snapshot: a checkpoint, a frozen view of the store, chunks that wait for their answer (storage.md).
import { rowChecksum, type SnapshotFrame, type SnapshotIdentity, type SnapshotRow } from '@quorate/protocol'
import { DamagedRowError, type ReplicaHead, type StateSnapshot, StoreFailedError } from '@quorate/storage'
import type { Timer } from '@quorate/runtime'
import { fixed } from '../settings.ts'
import type { ReplicaHost } from './host.ts'
import type { Replica } from './replica.ts'

type SnapshotAnswer = Extract<SnapshotFrame, { readonly type: 'snapshotAnswer' }>

interface Outgoing {
  readonly peer: number
  readonly startedAt: number
  identity: SnapshotIdentity | null
  view: StateSnapshot | null
  /** Number of the chunk under way, from 0; it is sent again until answered. */
  chunk: number
  frame: SnapshotFrame | null
  sends: number
  rows: number
  timer: Timer | null
  ended: boolean
}

/** Snapshots that one group's leader is sending, at most one per peer. */
export class SnapshotSender {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  readonly #outgoing = new Map<number, Outgoing>()
  readonly #newId: () => string
  readonly #durableHead: () => ReplicaHead | null

  constructor(
    host: ReplicaHost,
    replica: Replica,
    newId: () => string,
    durableHead: () => ReplicaHead | null,
  ) {
    this.#host = host
    this.#replica = replica
    this.#newId = newId
    this.#durableHead = durableHead
    replica.snapshotWanted = (peer) => this.#start(peer)
  }

  /** The log behind a snapshot stays until it is installed, within limits (lessons: snapshot loop). */
  get holdsLog(): boolean {
    const now = this.#host.now()
    for (const outgoing of this.#outgoing.values())
      if (now - outgoing.startedAt < fixed.snapshotHoldMs) return true
    return false
  }

  answered(answer: SnapshotAnswer): void {
    const outgoing = this.#outgoing.get(answer.from)
    if (outgoing === undefined || outgoing.identity === null || outgoing.identity.id !== answer.snapshot)
      return
    if (answer.outcome === 'refused') return this.#end(outgoing, false)
    if (answer.outcome === 'installed') return this.#end(outgoing, true)
    if (answer.chunk !== outgoing.chunk || outgoing.frame === null) return
    outgoing.chunk += 1
    this.#next(outgoing)
  }

  /** Leadership is over or the replica ends: nothing more is sent. */
  stop(): void {
    for (const outgoing of this.#outgoing.values()) this.#end(outgoing, false)
  }

  #start(peer: number): void {
    if (this.#outgoing.has(peer)) return
    const outgoing: Outgoing = {
      peer,
      startedAt: this.#host.now(),
      identity: null,
      view: null,
      chunk: 0,
      frame: null,
      sends: 0,
      rows: 0,
      timer: null,
      ended: false,
    }
    this.#outgoing.set(peer, outgoing)
    this.#open(outgoing).then(
      () => this.#next(outgoing),
      (error: unknown) => this.#failed(outgoing, error),
    )
  }

  #failed(outgoing: Outgoing, error: unknown): void {
    this.#host.event({ code: 'snapshot_failed', group: this.#replica.group, reason: String(error) })
    this.#end(outgoing, false)
    // The own rows do not read back: that is no matter of this snapshot alone.
    if (error instanceof DamagedRowError || error instanceof StoreFailedError) this.#replica.failed(error)
  }

  async #open(outgoing: Outgoing): Promise<void> {
    await this.#host.checkpointNow(this.#replica.group)
    await this.#host.exclusively(async () => {
      const head = this.#durableHead()
      if (head === null) throw new Error('no checkpoint to send')
      const view = this.#host.store.openSnapshot(head.group, head.generation)
      outgoing.view = view
      outgoing.identity = {
        id: this.#newId(),
        index: head.appliedIndex,
        term: head.appliedTerm,
        configuration: head.configuration,
        configurationIndex: head.configurationIndex,
        machine: head.machine,
        rowCount: 0,
      }
    })
    // Ended while it was being opened: nobody else closes the view.
    if (outgoing.ended) await outgoing.view?.close()
  }

  #next(outgoing: Outgoing): void {
    const { view, identity } = outgoing
    if (outgoing.ended || view === null || identity === null) return
    outgoing.frame = null
    outgoing.timer?.cancel()
    view.next(this.#host.settings.snapshotChunkBytes).then(
      (page) => {
        if (outgoing.ended) return
        const rows: SnapshotRow[] = page.map((row) => ({ ...row, checksum: rowChecksum(row) }))
        outgoing.rows += rows.length
        const last = rows.length === 0
        outgoing.frame = {
          type: 'snapshotChunk',
          group: this.#replica.group,
          from: this.#replica.incarnation,
          to: outgoing.peer,
          term: this.#replica.raft.currentTerm,
          snapshot: { ...identity, rowCount: outgoing.rows },
          chunk: outgoing.chunk,
          last,
          rows,
        }
        outgoing.sends = 0
        this.#send(outgoing)
      },
      (error: unknown) => this.#failed(outgoing, error),
    )
  }

  #send(outgoing: Outgoing): void {
    if (outgoing.ended || outgoing.frame === null) return
    if (!this.#replica.isLeader || outgoing.sends >= fixed.snapshotSendsMax) return this.#end(outgoing, false)
    outgoing.sends += 1
    this.#host.sendTo(this.#replica.group, outgoing.peer, outgoing.frame)
    outgoing.timer = this.#host.timers.after(fixed.snapshotResendMs, () => this.#send(outgoing))
  }

  #end(outgoing: Outgoing, installed: boolean): void {
    if (outgoing.ended) return
    outgoing.ended = true
    outgoing.timer?.cancel()
    this.#outgoing.delete(outgoing.peer)
    outgoing.view
      ?.close()
      .catch((error: unknown) => this.#host.event({ code: 'snapshot_failed', reason: String(error) }))
    if (installed && outgoing.identity !== null)
      this.#replica.step({ type: 'snapshotSent', peer: outgoing.peer, index: outgoing.identity.index })
    else this.#replica.step({ type: 'snapshotFailed', peer: outgoing.peer })
  }
}
