/**
 * Keeps a bounded shard within its bytes (time.md, eviction). The leader admits a write only if everything that is on its way
 * fits above what is there, and proposes evictions as soon as there is more than the limit; apply compares nothing with it.
 */
import { encodeSection, type SectionHeader, type Victim } from '@quorate/protocol'
import type { Timer } from '@quorate/runtime'
import { ENTRY_OVERHEAD_BYTES, type ShardState } from '@quorate/state-machine'
import { fixed } from '../settings.ts'
import type { ReplicaHost } from './host.ts'
import type { Requester } from './proposals.ts'
import type { Replica } from './replica.ts'
import { VictimSource } from './victim-source.ts'

/** What is admitted above the limit while evictions are on their way. */
const HEADROOM = 0.25
/**
 * By how much an entry is longer than a command that makes it, at most. `incr` gains most: of its 28 bytes besides the key
 * become a value of 9 and the constant.
 */
const COMMAND_GROWTH = ENTRY_OVERHEAD_BYTES + 9 - 28

/** Evictions begin at the limit and end so far below it, so that not every write causes one. */
const SLACK = 1 / 32
/** Entries of `evict: false`, as a part of the limit: what is left can always be evicted. */
const PINNED_PART = 0.1

export class Evictor {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  readonly #propose: () => void
  readonly #victims: VictimSource
  /** Bytes by which sections that are queued or in the log may make the shard grow, at most. */
  #pending = 0
  #pendingPinned = 0
  /** What refused sections would have needed. */
  #wanted = 0
  /** Up to here the log is of earlier leaders, which admitted what they knew to fit. */
  #termStart = Number.POSITIVE_INFINITY
  #busy = false
  /** Looks in a row that found nothing. */
  #dry = 0
  #timer: Timer | null = null

  constructor(host: ReplicaHost, replica: Replica, propose: () => void) {
    this.#host = host
    this.#replica = replica
    this.#propose = propose
    this.#victims = new VictimSource(host, replica)
  }

  roleChanged(): void {
    const { isLeader, raft } = this.#replica
    if (!isLeader) this.#termStart = Number.POSITIVE_INFINITY
    else if (this.#termStart === Number.POSITIVE_INFINITY) this.#termStart = raft.lastIndex
    this.look()
  }

  /** Who hears what becomes of the section, if there is room for it; else null. */
  admit({ bytes, count, pins }: SectionHeader, requester: Requester): Requester | null {
    const limit = this.#host.shardBytesMax()
    if (limit === 0) return requester
    // What an earlier leader admitted is not in the bytes of this state yet.
    if (!this.#knowsAll) return null
    const growth = bytes + count * COMMAND_GROWTH
    const { bytes: held, pinnedBytes } = this.#state.stats
    if (pins && pinnedBytes + this.#pendingPinned + growth > limit * PINNED_PART) return null
    const ceiling = limit * (1 + HEADROOM)
    if (held + this.#pending + growth > ceiling) {
      // No room is made for what would not fit into an empty shard either.
      if (growth <= ceiling - limit * PINNED_PART) this.#wanted = Math.max(this.#wanted, growth)
      this.look()
      return null
    }
    const pinned = pins ? growth : 0
    this.#pending += growth
    this.#pendingPinned += pinned
    const ended = (): void => {
      this.#pending -= growth
      this.#pendingPinned -= pinned
    }
    return {
      answers: (answers) => (ended(), requester.answers(answers)),
      refused: (code) => (ended(), requester.refused(code)),
      open: (code) => (ended(), requester.open(code)),
    }
  }

  /** Entries were applied, or the role changed, or a write was refused. */
  look(): void {
    if (this.#host.shardBytesMax() === 0) return
    if (!this.#leads) return this.stop()
    if (this.#busy || this.#timer !== null) return
    const excess = this.#excess()
    if (excess === 0) return
    // A removal waits in memory for a checkpoint like any change; where space is short it is welcome.
    if (this.#host.admission() === 'overloaded') return this.#lookIn(fixed.evictIdleMs)
    this.#busy = true
    const averageBytes = this.#state.stats.bytes / Math.max(1, this.#state.stats.keys)
    const count = Math.min(fixed.evictEntries, Math.ceil(excess / averageBytes))
    this.#victims.choose(excess, count, (victims) => this.#chosen(victims))
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  get #state(): ShardState {
    return this.#replica.state as ShardState
  }

  get #knowsAll(): boolean {
    return this.#replica.state.appliedIndex >= this.#termStart
  }

  get #leads(): boolean {
    return this.#replica.isLeader && this.#replica.raft.servesReads && this.#knowsAll
  }

  /** Bytes to evict. */
  #excess(): number {
    const limit = this.#host.shardBytesMax()
    const { bytes, pinnedBytes } = this.#state.stats
    const refused = this.#wanted === 0 ? 0 : bytes + this.#pending + this.#wanted - limit * (1 + HEADROOM)
    if (refused <= 0) this.#wanted = 0
    const above = Math.max(bytes - limit, refused)
    if (above <= 0) return 0
    return Math.min(above + limit * SLACK, bytes - pinnedBytes)
  }

  #chosen(victims: readonly Victim[]): void {
    this.#busy = false
    if (!this.#leads) return
    if (victims.length === 0) {
      this.#dry += 1
      return this.#lookIn(this.#dry < fixed.evictLooks ? fixed.evictLookMs : fixed.evictIdleMs)
    }
    this.#dry = 0
    this.#busy = true
    const { group, proposals } = this.#replica
    const ended = (pauseMs: number): void => {
      this.#busy = false
      if (pauseMs === 0) this.look()
      else this.#lookIn(pauseMs)
    }
    proposals.enqueue({
      bytes: encodeSection({ kind: 'evict', group, victims }),
      requester: {
        answers: () => ended(0),
        refused: () => ended(fixed.evictIdleMs),
        open: () => ended(fixed.evictIdleMs),
      },
    })
    this.#host.turn.at('propose', this.#propose)
  }

  #lookIn(pauseMs: number): void {
    if (!this.#leads) return
    this.#timer?.cancel()
    this.#timer = this.#host.timers.after(pauseMs, () => {
      this.#timer = null
      this.look()
    })
  }
}
