// Applies committed entries in order: prefetch, then apply (architecture.md, section 4). One entry at a time, in slices.
import type { Answer } from '@quorate/protocol'
import type { ReplicatedState } from '@quorate/state-machine'
import type { LogEntry } from '@quorate/storage'
import { fixed } from '../settings.ts'
import type { ReplicaHost } from './host.ts'

const APPLY_READ_BYTES = 4_194_304

export interface ApplyTarget {
  readonly group: number
  state(): ReplicatedState
  generation(): number
  applied(entry: LogEntry, answers: readonly (readonly Answer[])[]): void
  /** Everything that could be applied now has been. */
  caughtUp(): void
  /** An exception out of apply stops this replica, never the node (a poison entry must not become a crash loop). */
  failed(error: Error): void
}

export class ApplyLoop {
  readonly #host: ReplicaHost
  readonly #target: ApplyTarget
  #commitIndex = 0
  #running = false
  #paused = false
  /** Set while rows are fetched: an install waits for its end. */
  #fetching = false
  #stopped = false
  #onIdle: (() => void)[] = []

  constructor(host: ReplicaHost, target: ApplyTarget) {
    this.#host = host
    this.#target = target
  }

  /** Everything up to `commitIndex` is committed. */
  advance(commitIndex: number): void {
    if (commitIndex > this.#commitIndex) this.#commitIndex = commitIndex
    this.#run()
  }

  stop(): void {
    this.#stopped = true
  }

  /** Resolves when nothing is being applied; nothing is until `resume`. */
  async pause(): Promise<void> {
    this.#paused = true
    if (this.#fetching) await new Promise<void>((resolve) => this.#onIdle.push(resolve))
  }

  resume(): void {
    this.#paused = false
    this.#run()
  }

  #run(): void {
    if (this.#running || this.#fetching || this.#paused || this.#stopped) return
    this.#running = true
    try {
      this.#slice()
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#running = false
    }
  }

  #fail(error: unknown): void {
    this.#stopped = true
    this.#target.failed(error instanceof Error ? error : new Error(String(error)))
  }

  #slice(): void {
    const state = this.#target.state()
    let left = fixed.applyEntriesPerTurn
    while (left > 0 && state.appliedIndex < this.#commitIndex) {
      if (this.#host.overlayFull()) {
        this.#target.caughtUp()
        return this.#host.overlayReleased(this.#again)
      }
      const entries = this.#host.entries(
        this.#target.group,
        state.appliedIndex + 1,
        this.#commitIndex,
        APPLY_READ_BYTES,
      )
      if (entries === null)
        throw new Error(
          `committed entry ${state.appliedIndex + 1} of group ${this.#target.group} is not in the log`,
        )
      for (const entry of entries) {
        left -= 1
        const keys = state.prefetch(entry)
        if (state.scan !== null) return this.#lookUp(state.scan)
        if (keys.length > 0) return this.#fetch(entry, keys)
        this.#target.applied(entry, state.apply(entry, []))
        // What was applied may have shown that this replica must not go on.
        if (this.#stopped) return
        if (left === 0) break
      }
    }
    this.#target.caughtUp()
    if (state.appliedIndex < this.#commitIndex) this.#host.turn.at('propose', this.#again)
  }

  readonly #again = (): void => this.#run()

  #fetch(entry: LogEntry, keys: ReturnType<ReplicatedState['prefetch']>): void {
    const { group } = this.#target
    this.#read(this.#host.store.getMany(group, this.#target.generation(), keys), (state, rows) =>
      this.#target.applied(entry, state.apply(entry, rows)),
    )
  }

  /** The entry is looked at again with what the scan brought. */
  #lookUp(scan: NonNullable<ReplicatedState['scan']>): void {
    const { group } = this.#target
    this.#read(this.#host.store.scan(group, this.#target.generation(), scan), (_, rows) =>
      scan.complete(rows),
    )
  }

  #read<Rows>(read: Promise<Rows>, then: (state: ReplicatedState, rows: Rows) => void): void {
    const state = this.#target.state()
    this.#fetching = true
    this.#target.caughtUp()
    read.then(
      (rows) => {
        this.#fetching = false
        for (const idle of this.#onIdle.splice(0)) idle()
        // A pause between the read and here belongs to an install that replaces the state: the entry is looked at again.
        if (this.#stopped || this.#paused || this.#target.state() !== state) return
        try {
          then(state, rows)
        } catch (error) {
          return this.#fail(error)
        }
        this.#run()
      },
      (error: unknown) => {
        this.#fetching = false
        for (const idle of this.#onIdle.splice(0)) idle()
        if (!this.#stopped) this.#fail(error)
      },
    )
  }
}
