// Leader's side of a snapshot: a checkpoint, a frozen view of the store, a window of chunks (storage.md).
import {
  limits,
  rowChecksum,
  type SnapshotFrame,
  type SnapshotIdentity,
  type SnapshotRow,
  snapshotRowBytesMax,
} from '@quorate/protocol'
import { DamagedRowError, type ReplicaHead, type StateSnapshot, StoreFailedError } from '@quorate/storage'
import type { Timer } from '@quorate/runtime'
import { fixed } from '../settings.ts'
import type { ReplicaHost } from './host.ts'
import { type HoldStart, LogHold } from './log-hold.ts'
import type { Replica } from './replica.ts'

type SnapshotAnswer = Extract<SnapshotFrame, { readonly type: 'snapshotAnswer' }>

interface Chunk {
  readonly number: number
  readonly frame: SnapshotFrame
  readonly bytes: number
}

interface Outgoing {
  readonly peer: number
  /** Gives its place among the snapshots of the node to the next. */
  leave: () => void
  /** When it got that place; null before. */
  started: HoldStart | null
  identity: SnapshotIdentity | null
  view: StateSnapshot | null
  /** Sent and not known to be stored, in order: sent again until they are, also over another connection. */
  window: Chunk[]
  windowBytes: number
  /** Chunks made so far; and the one below which everything may have been lost on the way. */
  made: number
  doubtedBelow: number
  complete: boolean
  making: boolean
  rows: number
  heardAt: number
  timer: Timer | null
  ended: boolean
}

/** Snapshots that one group's leader is sending, at most one per peer. The core hears of each end once. */
export class SnapshotSender {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  readonly #outgoing = new Map<number, Outgoing>()
  readonly #hold: LogHold
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
    this.#hold = new LogHold({
      now: () => host.now(),
      logBytes: () => host.logBytes(),
      matchIndexOf: (peer) => replica.raft.matchIndexOf(peer),
    })
    replica.snapshotWanted = (peer) => this.#start(peer)
  }

  /**
   * The log up to here is nobody's need; Infinity where no receiver needs any. What is behind a snapshot stays until it is
   * installed and its receiver has caught up, within limits.
   */
  get logMayGoUpTo(): number {
    let upTo = this.#hold.matchIndexMin
    for (const outgoing of this.#outgoing.values())
      if (outgoing.started !== null && !this.#isTooLong(outgoing))
        upTo = Math.min(upTo, outgoing.identity?.index ?? 0)
    return upTo
  }

  answered(answer: SnapshotAnswer): void {
    const outgoing = this.#outgoing.get(answer.from)
    if (outgoing === undefined || outgoing.identity?.id !== answer.snapshot) return
    outgoing.heardAt = this.#host.now()
    if (answer.outcome !== 'more') return this.#end(outgoing, answer.outcome === 'installed')
    const { window } = outgoing
    const [first] = window
    // It had the beginning and has it no more: it was restarted, or began with another one in between.
    if (answer.nextChunk === 0 && (first?.number ?? outgoing.made) > 0) return this.#end(outgoing, false)
    let stored = 0
    while ((window[stored]?.number ?? answer.nextChunk) < answer.nextChunk) stored += 1
    for (const { bytes } of window.splice(0, stored)) outgoing.windowBytes -= bytes
    const [next] = window
    if (stored > 0 && next !== undefined && next.number < outgoing.doubtedBelow) this.#send(outgoing, next)
    this.#make(outgoing)
  }

  /** Leadership is over or the replica ends: nothing more is sent. */
  stop(): void {
    for (const outgoing of this.#outgoing.values()) this.#end(outgoing, false)
    this.#hold.clear()
  }

  #start(peer: number): void {
    if (this.#outgoing.has(peer)) return
    const outgoing: Outgoing = {
      peer,
      leave: () => {},
      started: null,
      identity: null,
      view: null,
      window: [],
      windowBytes: 0,
      made: 0,
      doubtedBelow: 0,
      complete: false,
      making: false,
      rows: 0,
      heardAt: 0,
      timer: null,
      ended: false,
    }
    this.#outgoing.set(peer, outgoing)
    outgoing.leave = this.#host.snapshotTraffic.enter(() => {
      outgoing.started = this.#hold.begin()
      this.#hold.forget(peer)
      this.#open(outgoing).then(
        () => this.#opened(outgoing),
        (error: unknown) => this.#failed(outgoing, error),
      )
    })
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

  #opened(outgoing: Outgoing): void {
    if (outgoing.ended) return
    outgoing.heardAt = this.#host.now()
    this.#arm(outgoing)
    this.#make(outgoing)
  }

  /** The next chunk, if the window has room: one read of the store at a time, at the pace of the node. */
  #make(outgoing: Outgoing): void {
    const { view, identity, window } = outgoing
    if (outgoing.ended || outgoing.making || outgoing.complete || view === null || identity === null) return
    if (outgoing.windowBytes >= fixed.snapshotWindowBytes || window.length >= limits.snapshotChunksAhead)
      return
    outgoing.making = true
    view.next(this.#host.settings.snapshotChunkBytes).then(
      (page) => {
        if (outgoing.ended) return
        const rows = page.map((row) => ({ ...row, checksum: rowChecksum(row) }))
        const chunk = this.#chunk(outgoing, identity, rows)
        const delayMs = this.#host.snapshotTraffic.pace(chunk.bytes, this.#host.now())
        if (delayMs === 0) this.#made(outgoing, chunk)
        else this.#host.timers.after(delayMs, () => this.#made(outgoing, chunk))
      },
      (error: unknown) => this.#failed(outgoing, error),
    )
  }

  #chunk(outgoing: Outgoing, identity: SnapshotIdentity, rows: readonly SnapshotRow[]): Chunk {
    outgoing.rows += rows.length
    outgoing.complete = rows.length === 0
    const number = outgoing.made
    outgoing.made += 1
    const frame: SnapshotFrame = {
      type: 'snapshotChunk',
      group: this.#replica.group,
      from: this.#replica.incarnation,
      to: outgoing.peer,
      term: this.#replica.raft.currentTerm,
      snapshot: { ...identity, rowCount: outgoing.rows },
      chunk: number,
      last: outgoing.complete,
      rows,
    }
    return { number, frame, bytes: rows.reduce((bytes, row) => bytes + snapshotRowBytesMax(row), 0) }
  }

  #made(outgoing: Outgoing, chunk: Chunk): void {
    if (outgoing.ended) return
    outgoing.making = false
    outgoing.window.push(chunk)
    outgoing.windowBytes += chunk.bytes
    this.#send(outgoing, chunk)
    this.#make(outgoing)
  }

  #send(outgoing: Outgoing, { frame }: Chunk): void {
    if (!this.#replica.isLeader) return this.#end(outgoing, false)
    this.#host.sendTo(this.#replica.group, outgoing.peer, frame)
  }

  /** What is not answered may be lost with a connection: the first is sent again, the others as each is answered. */
  #arm(outgoing: Outgoing): void {
    outgoing.timer = this.#host.timers.after(fixed.snapshotResendMs, () => {
      const silentMs = this.#host.now() - outgoing.heardAt
      if (this.#isTooLong(outgoing) || silentMs > fixed.snapshotSilentMs) {
        const { group } = this.#replica
        this.#host.event({ code: 'snapshot_given_up', group, peer: outgoing.peer, silentMs })
        return this.#end(outgoing, false)
      }
      const [first] = outgoing.window
      if (first !== undefined && silentMs >= fixed.snapshotResendMs) {
        outgoing.doubtedBelow = outgoing.made
        this.#send(outgoing, first)
      }
      if (!outgoing.ended) this.#arm(outgoing)
    })
  }

  #isTooLong({ started }: Outgoing): boolean {
    return started !== null && this.#hold.isTooLong(started)
  }

  #end(outgoing: Outgoing, installed: boolean): void {
    if (outgoing.ended) return
    outgoing.ended = true
    outgoing.timer?.cancel()
    outgoing.window = []
    this.#outgoing.delete(outgoing.peer)
    outgoing.view
      ?.close()
      .catch((error: unknown) => this.#host.event({ code: 'snapshot_failed', reason: String(error) }))
    const { peer, started, identity } = outgoing
    if (installed && started !== null && identity !== null) {
      this.#hold.installed(peer, started, identity.index)
      this.#replica.step({ type: 'snapshotSent', peer, index: identity.index })
    } else this.#replica.step({ type: 'snapshotFailed', peer })
    outgoing.leave()
  }
}
