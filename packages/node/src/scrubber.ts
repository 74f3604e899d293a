// Reads everything that the state store holds about once per `scrubMs`, slowly, and believes none of it (storage.md).
import { META_GROUP } from '@quorate/protocol'
import type { Timer, Timers } from '@quorate/runtime'
import { createScrub, type Scrub } from '@quorate/state-machine'
import { DamagedRowError, type ReplicaHead, type StateSnapshot, type StateStore } from '@quorate/storage'
import { createMetaScrub } from './meta/scrub-meta.ts'
import type { NodeEvent } from './node.ts'
import type { Replica } from './replica/replica.ts'

/** What the scrubber needs of a replica. */
export type ScrubbedReplica = Pick<Replica, 'group' | 'generation' | 'condition' | 'condemn'>

export interface ScrubberParts {
  readonly store: Pick<StateStore, 'openSnapshot' | 'verifyFiles'>
  readonly timers: Timers
  /** How long a pass over everything takes, its rest at the end included, ms. */
  readonly scrubMs: number
  /** Monotonic ms. */
  readonly now: () => number
  /** Uniform in [0, 1). */
  readonly draw: () => number
  /** All replicas of the node, whatever their condition. */
  readonly replicas: () => Iterable<ScrubbedReplica>
  /** About how many bytes the store holds for them. */
  readonly storedBytes: () => number
  /** The head of the newest durable checkpoint; null without one. */
  readonly durableHead: (group: number) => ReplicaHead | null
  /** Runs `work` while no checkpoint or install is under way. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>
  readonly event: (event: NodeEvent) => void
  readonly halt: (error: Error) => void
}

/** What one step reads and checks at once: well under a millisecond of the event loop. */
const PAGE_BYTES = 65_536
/** Between two pages at least, however much there is: then a pass takes longer than `scrubMs` (6 MiB/s). */
const PAGE_MS_MIN = 10
/**
 * Between two pages at most, however little there is (64 KiB/s): a frozen view keeps LevelDB from dropping what is
 * overwritten meanwhile, so that a walk is not stretched over the day; the pass rests behind its walks instead.
 */
const PAGE_MS_MAX = 1_000

interface Walk {
  readonly replica: ScrubbedReplica
  readonly head: ReplicaHead
  readonly view: StateSnapshot
  readonly scrub: Scrub
}

/**
 * One pass: the live replicas one after another, each as one frozen view of its newest checkpoint, then the store's files
 * by LevelDB's own checksums, then rest until `scrubMs` are over. What differs condemns its replica, a bad file all of
 * the node's. A walk whose replica ended or installed a snapshot meanwhile gives no verdict.
 */
export class Scrubber {
  readonly #parts: ScrubberParts
  #stopped = false
  #timer: Timer | null = null
  /** Ends the wait under way; there is never more than one. */
  #abandonWait: () => void = () => {}
  #running: Promise<void> | null = null
  #rows = 0

  constructor(parts: ScrubberParts) {
    this.#parts = parts
  }

  /** Idempotent; nothing after `stop`. */
  start(): void {
    if (this.#stopped) return
    this.#running ??= this.#run().catch((error: unknown) => {
      // A store that is being closed refuses reads; whoever stopped this knows.
      if (!this.#stopped) this.#parts.halt(error instanceof Error ? error : new Error(String(error)))
    })
  }

  /** Resolves when no view is open any more: the page under way is waited for, nothing else. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#abandonWait()
    await this.#running
  }

  async #run(): Promise<void> {
    const { now, scrubMs } = this.#parts
    while (!this.#stopped) {
      const startedAt = now()
      await this.#pass()
      await this.#pause(Math.max(startedAt + scrubMs - now(), PAGE_MS_MIN))
    }
  }

  async #pass(): Promise<void> {
    const { replicas, draw, event } = this.#parts
    this.#rows = 0
    const all = [...replicas()]
    // A node that never runs for a whole pass must not always begin, and end, with the same replicas.
    const first = Math.floor(draw() * all.length)
    let walked = 0
    for (const replica of [...all.slice(first), ...all.slice(0, first)])
      if (await this.#walk(replica)) walked += 1
    await this.#verifyFiles()
    if (!this.#stopped) event({ code: 'scrubbed', replicas: walked, rows: this.#rows })
  }

  /** True where the replica was read to its end and is sound. */
  async #walk(replica: ScrubbedReplica): Promise<boolean> {
    if (this.#stopped) return false
    const walk = await this.#unlessStopped(this.#parts.exclusively(async () => this.#open(replica)))
    if (walk === null) return false
    try {
      return await this.#read(walk)
    } catch (error) {
      if (!(error instanceof DamagedRowError)) throw error
      if (this.#isCurrent(walk)) replica.condemn(`scrubber: ${error.message}`)
      return false
    } finally {
      await walk.view.close()
    }
  }

  /** While nothing is written: the view shows exactly the checkpoint of this head. */
  #open(replica: ScrubbedReplica): Walk | null {
    const { group, generation, condition } = replica
    const head = this.#parts.durableHead(group)
    // Exclusive work may have waited until after the stop, when nobody would close the view.
    if (this.#stopped || condition !== 'live' || head === null || head.generation !== generation) return null
    const scrub = group === META_GROUP ? createMetaScrub(head) : createScrub(group, head.machine)
    return { replica, head, scrub, view: this.#parts.store.openSnapshot(group, generation) }
  }

  async #read(walk: Walk): Promise<boolean> {
    const { replica, view, scrub } = walk
    for (;;) {
      await this.#pause(this.#pageMs())
      if (!this.#isCurrent(walk)) return false
      const page = await view.next(PAGE_BYTES)
      if (!this.#isCurrent(walk)) return false
      const difference = page.length === 0 ? scrub.finish() : scrub.rows(page)
      if (difference !== null) {
        replica.condemn(`scrubber: ${difference}`)
        return false
      }
      if (page.length === 0) return true
      this.#rows += page.length
    }
  }

  #isCurrent({ replica, head }: Walk): boolean {
    if (this.#stopped || replica.condition !== 'live' || replica.generation !== head.generation) return false
    for (const hosted of this.#parts.replicas()) if (hosted === replica) return true
    return false
  }

  #pageMs(): number {
    const pages = this.#parts.storedBytes() / PAGE_BYTES + 1
    return Math.min(Math.max(this.#parts.scrubMs / pages, PAGE_MS_MIN), PAGE_MS_MAX)
  }

  /** A bad table can hide a row or bring an older one back, of whichever replica. */
  async #verifyFiles(): Promise<void> {
    if (this.#stopped) return
    const damage = await this.#unlessStopped(this.#parts.store.verifyFiles())
    if (damage === null || this.#stopped) return
    for (const replica of this.#parts.replicas()) replica.condemn(`scrubber: the state store: ${damage}`)
  }

  async #pause(delayMs: number): Promise<void> {
    if (this.#stopped) return
    await this.#unlessStopped(
      new Promise<void>((resolve) => {
        this.#timer = this.#parts.timers.after(delayMs, resolve)
      }),
    )
  }

  /** What may take long, or never ends on a node that halts, is left alone by a stop: null then. */
  #unlessStopped<T>(work: Promise<T>): Promise<T | null> {
    // Not a race against one promise of the stop: its list of waiters would grow with every page for as long as the node runs.
    return new Promise((resolve, reject) => {
      this.#abandonWait = () => resolve(null)
      work.then(resolve, reject)
    })
  }
}
