// Carries out the open changes of the groups that this node leads, one step at a time, from committed state alone (shards.md).
import { type DirId, limits, type MapChange } from '@quorate/protocol'
import { transferTo } from '../hand-over.ts'
import type { MapHolder } from '../map-holder.ts'
import type { MembershipReport } from '../meta/meta-command.ts'
import type { Replica } from '../replica/replica.ts'
import { fixed } from '../settings.ts'
import { CatchUp } from './catch-up.ts'
import { nextStep, type Step } from './next-step.ts'

export interface DriverParts {
  readonly map: MapHolder
  readonly replica: (group: number) => Replica | undefined
  readonly now: () => number
  /** The node answers and has disk space. */
  readonly isHealthy: (node: DirId) => boolean
  /** Tells whoever leads the meta group; may be lost. */
  readonly report: (report: MembershipReport) => void
}

interface Driven {
  readonly change: number
  readonly term: number
  readonly learners: Map<number, CatchUp>
  /** What it does now, and when it last did so. */
  step: string
  actedAt: number
  handOvers: number
}

/**
 * A leader first claims the change for its term through meta's log. So the map that it acts on is not older than its
 * term, and nothing that an earlier leader still does can settle the change: what was cancelled stays cancelled.
 */
export class MembershipDriver {
  readonly #parts: DriverParts
  readonly #driven = new Map<number, Driven>()

  constructor(parts: DriverParts) {
    this.#parts = parts
  }

  tick(): void {
    const { changes } = this.#parts.map
    for (const group of this.#driven.keys()) if (!changes.has(group)) this.#driven.delete(group)
    for (const [group, change] of changes) this.#drive(group, change)
  }

  /** What this node does about the group's change; null if it does not lead it. */
  stepOf(group: number): string | null {
    return this.#driven.get(group)?.step ?? null
  }

  #drive(group: number, change: MapChange): void {
    const replica = this.#parts.replica(group)
    if (replica?.isLeader !== true || !replica.raft.servesReads) {
      this.#driven.delete(group)
      return
    }
    const term = replica.raft.currentTerm
    let driven = this.#driven.get(group)
    if (driven === undefined || driven.change !== change.id || driven.term !== term) {
      driven = { change: change.id, term, learners: new Map(), step: '', actedAt: 0, handOvers: 0 }
      this.#driven.set(group, driven)
    }
    if (change.term !== term) {
      if (this.#isDue(driven, 'claiming', fixed.reportMs))
        this.#parts.report({ type: 'claim', group, change: change.id, term })
      return
    }
    this.#carryOut(replica, driven, nextStep(this.#view(replica, change, driven)))
  }

  #view(replica: Replica, change: MapChange, driven: Driven): Parameters<typeof nextStep>[0] {
    const { raft, group, incarnation } = replica
    return {
      self: incarnation,
      change,
      configuration: raft.configuration,
      mayChange: raft.configurationIndex <= raft.commitIndex,
      isCaughtUp: (learner) => {
        const known = driven.learners.get(learner) ?? new CatchUp()
        driven.learners.set(learner, known)
        return known.observe(raft.matchIndexOf(learner) ?? 0, raft.commitIndex, this.#parts.now())
      },
      mayLead: (voter) => {
        const node = this.#parts.map.nodeOf(group, voter)
        const holds = (raft.matchIndexOf(voter) ?? 0) >= raft.commitIndex
        return holds && node !== null && driven.handOvers < HAND_OVERS_MAX && this.#parts.isHealthy(node)
      },
    }
  }

  #carryOut(replica: Replica, driven: Driven, step: Step): void {
    const { group } = replica
    switch (step.type) {
      case 'wait':
        driven.step = step.why === 'learners' ? 'catching up' : 'committing'
        return
      case 'configure':
        driven.step = 'configuring'
        // Dropped by the core while it is not safe: it is looked at again at the next tick.
        return replica.step({ type: 'proposeConfiguration', voters: step.voters, learners: step.learners })
      case 'transfer':
        if (!this.#isDue(driven, 'handing over', HAND_OVER_AGAIN_MS)) return
        driven.handOvers += 1
        return transferTo(replica, step.to)
      case 'settle': {
        const { change, term } = driven
        if (this.#isDue(driven, 'settling', fixed.reportMs))
          this.#parts.report({ type: 'settle', group, change, term, voters: step.voters })
      }
    }
  }

  /** At once when it is a new step, then now and then. */
  #isDue(driven: Driven, step: string, againMs: number): boolean {
    const now = this.#parts.now()
    if (driven.step === step && now - driven.actedAt < againMs) return false
    driven.step = step
    driven.actedAt = now
    return true
  }
}

/** A leader that cannot hand over leaves without: its successor is elected. */
const HAND_OVERS_MAX = 2
/** Longer than the core holds proposals back for a transfer. */
const HAND_OVER_AGAIN_MS = 2 * limits.electionTimeoutMsMax
