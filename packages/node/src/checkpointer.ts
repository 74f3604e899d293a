// Writes what apply changed into the state store, whole replicas at a time, and lets the log go behind it (storage.md).
import { encodeConfiguration } from '@quorate/protocol'
import type { LogRecord, ReplicaCheckpoint, ReplicaHead, StateStore, WriteAheadLog } from '@quorate/storage'
import type { Timer, Timers } from '@quorate/runtime'
import type { NodeSettings } from './node.ts'
import type { Replica } from './replica/replica.ts'

export interface CheckpointerParts {
  readonly store: StateStore
  readonly log: WriteAheadLog
  readonly timers: Timers
  readonly settings: NodeSettings
  readonly now: () => number
  readonly replicas: () => Iterable<Replica>
  readonly append: (record: LogRecord) => number
  /** Behind this index snapshots under way, and those who have just installed one, need the log of the group. */
  readonly logMayGoUpTo: (group: number) => number
  readonly halt: (error: Error) => void
}

interface Wanted {
  readonly group: number
  readonly resolve: (checkpoint: number) => void
  readonly reject: (error: Error) => void
}

/** How soon a checkpoint is tried again that had to leave somebody out. */
const AGAIN_MS = 2

/** At most one checkpoint, install or removal is under way at a time: `exclusively`. */
export class Checkpointer {
  readonly #parts: CheckpointerParts
  /** Newest durable head of each group, with the checkpoint that wrote it. */
  readonly #durable = new Map<number, { readonly head: ReplicaHead; readonly checkpoint: number }>()
  #chain: Promise<void> = Promise.resolve()
  #busy = false
  #lastAt: number
  #lastBytes = 0
  #wanted: Wanted[] = []
  readonly #onRelease = new Set<() => void>()
  #timer: Timer | null = null
  #againTimer: Timer | null = null
  #stopped = false

  constructor(parts: CheckpointerParts) {
    this.#parts = parts
    this.#lastAt = parts.now()
    this.#arm()
  }

  /** What recovery or an install found durable. */
  adopt(head: ReplicaHead, checkpoint: number): void {
    this.#durable.set(head.group, { head, checkpoint })
  }

  /** The group's replica is no more. */
  forget(group: number): void {
    this.#durable.delete(group)
    for (const wanted of this.#wanted.filter((one) => one.group === group))
      wanted.reject(new Error(`the replica of group ${group} was removed`))
    this.#wanted = this.#wanted.filter((one) => one.group !== group)
  }

  /** Index that the newest durable checkpoint of the group has applied; 0 without one. */
  durableIndex(group: number): number {
    return this.#durable.get(group)?.head.appliedIndex ?? 0
  }

  durableHead(group: number): ReplicaHead | null {
    return this.#durable.get(group)?.head ?? null
  }

  /** A checkpoint that includes everything the group has applied by now. */
  now(group: number): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) return reject(new Error('the node stops'))
      this.#wanted.push({ group, resolve, reject })
      this.#start()
    })
  }

  /** Runs `work` alone: no checkpoint before it ends. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#chain.then(() => {
      this.#busy = true
      return work()
    })
    const ended = (): void => {
      this.#busy = false
      this.#goOn()
    }
    this.#chain = result.then(ended, ended)
    return result
  }

  /** Calls `again` once, after the next checkpoint; asks for one. */
  onRelease(again: () => void): void {
    this.#onRelease.add(again)
    this.#start()
  }

  /**
   * Lets the log go behind durable checkpoints where it asks for it, and no further: what it may keep is for followers that
   * are late, who would need a snapshot otherwise. Called after checkpoints and after rolls of the log.
   */
  compact(): void {
    for (const wanted of this.#parts.log.compactionWanted()) {
      const { group } = wanted
      const durable = this.#durable.get(group)
      const replica = this.#replica(group)
      if (durable === undefined || durable.head.appliedIndex < wanted.index) continue
      if (replica === null || replica.condition !== 'live' || replica.installing) continue
      const index = Math.min(wanted.index, this.#parts.logMayGoUpTo(group))
      const term = index < replica.firstIndex ? null : replica.raft.termAt(index)
      if (term === null) continue
      const placed = replica.raft.configurationAt(index)
      // The core is told first: it asserts that compaction passes neither what is applied nor the log's beginning.
      replica.step({ type: 'compacted', index })
      this.#parts.append({
        kind: 'compacted',
        group,
        incarnation: replica.incarnation,
        index,
        term,
        checkpoint: durable.checkpoint,
        configuration: encodeConfiguration(placed.configuration),
        configurationIndex: placed.index,
      })
    }
  }

  /** Ends after the checkpoint under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#againTimer?.cancel()
    for (const wanted of this.#wanted.splice(0)) wanted.reject(new Error('the node stops'))
    await this.#chain
  }

  /** Somebody waits still: in a later turn, because what a checkpoint waits for is the end of a sync. */
  #goOn(): void {
    if (
      this.#stopped ||
      this.#againTimer !== null ||
      (this.#wanted.length === 0 && this.#onRelease.size === 0)
    )
      return
    this.#againTimer = this.#parts.timers.after(AGAIN_MS, () => {
      this.#againTimer = null
      this.#start()
    })
  }

  #replica(group: number): Replica | null {
    for (const replica of this.#parts.replicas()) if (replica.group === group) return replica
    return null
  }

  #arm(): void {
    const { checkpointMsMin } = this.#parts.settings
    this.#timer = this.#parts.timers.after(checkpointMsMin / 2, () => {
      if (this.#stopped) return
      if (this.#due()) this.#start()
      else this.compact()
      this.#arm()
    })
  }

  #due(): boolean {
    const { settings, log, now } = this.#parts
    const elapsed = now() - this.#lastAt
    if (elapsed < settings.checkpointMsMin) return false
    return (
      log.stats.bytesWritten - this.#lastBytes >= settings.checkpointLogBytes ||
      elapsed >= settings.checkpointMsMax
    )
  }

  #start(): void {
    if (this.#busy || this.#stopped) return
    this.exclusively(() => this.#checkpoint()).catch((error: unknown) => {
      this.#parts.halt(error instanceof Error ? error : new Error(String(error)))
    })
  }

  async #checkpoint(): Promise<void> {
    const wanted = this.#wanted
    this.#wanted = []
    const { store, log } = this.#parts
    this.#lastAt = this.#parts.now()
    this.#lastBytes = log.stats.bytesWritten
    const chosen: { readonly replica: Replica; readonly checkpoint: ReplicaCheckpoint }[] = []
    const late: Wanted[] = []
    for (const replica of this.#parts.replicas()) {
      if (replica.condition !== 'live' || replica.installing) continue
      const { appliedIndex } = replica.state
      // Only durable entries enter a checkpoint: it must never run ahead of the own log (rule 13).
      if (appliedIndex > replica.raft.durableIndex) {
        late.push(...wanted.filter((one) => one.group === replica.group))
        continue
      }
      if (appliedIndex === this.durableIndex(replica.group)) continue
      chosen.push({ replica, checkpoint: freeze(replica) })
    }
    if (chosen.length > 0) {
      const number = await store.checkpoint(
        chosen.map((one) => one.checkpoint),
        log.syncedPosition,
      )
      for (const { replica, checkpoint } of chosen) {
        replica.released()
        this.adopt(checkpoint.head, number)
      }
    }
    for (const one of wanted) if (!late.includes(one)) one.resolve(store.checkpointNumber)
    this.#wanted.push(...late)
    this.compact()
    const waiting = [...this.#onRelease]
    this.#onRelease.clear()
    for (const again of waiting) again()
  }
}

function freeze(replica: Replica): ReplicaCheckpoint {
  const frozen = replica.state.freeze()
  return {
    head: {
      group: replica.group,
      incarnation: replica.incarnation,
      generation: replica.generation,
      appliedIndex: frozen.appliedIndex,
      appliedTerm: frozen.appliedTerm,
      configuration: replica.appliedConfiguration,
      configurationIndex: replica.appliedConfigurationIndex,
      machine: frozen.machine,
    },
    changes: frozen.changes,
  }
}
