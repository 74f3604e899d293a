// A leader whose proposals do not commit although a quorum answers its heartbeats: trouble in one direction only.
import type { Raft } from '@quorate/raft'
import { fixed } from './settings.ts'

export type ProgressVerdict = 'wait' | 'transfer' | 'stepDown'

/** `stuckMs`: for how long the oldest uncommitted entry has been the same. A leader without a quorum does not get that far. */
export function judgeProgress(stuckMs: number, transferred: boolean): ProgressVerdict {
  if (stuckMs >= fixed.progressStepDownMs) return 'stepDown'
  return stuckMs >= fixed.progressTransferMs && !transferred ? 'transfer' : 'wait'
}

interface Stuck {
  readonly term: number
  readonly commitIndex: number
  readonly since: number
  transferred: boolean
}

/** Looked at on every tick for every leader that has something uncommitted. */
export class ProgressWatch {
  readonly #stuck = new Map<number, Stuck>()

  look(group: number, raft: Raft, now: number): ProgressVerdict {
    const { role, commitIndex, lastIndex, currentTerm: term } = raft
    if (role !== 'leader' || commitIndex === lastIndex || !hasOthers(raft)) {
      this.#stuck.delete(group)
      return 'wait'
    }
    const known = this.#stuck.get(group)
    if (known === undefined || known.commitIndex !== commitIndex || known.term !== term) {
      this.#stuck.set(group, { term, commitIndex, since: now, transferred: false })
      return 'wait'
    }
    const verdict = judgeProgress(now - known.since, known.transferred)
    if (verdict === 'transfer') known.transferred = true
    return verdict
  }
}

/** Alone there is nobody who could do better. */
const hasOthers = ({ configuration, self }: Raft): boolean =>
  configuration.voters.some((voter) => voter !== self) ||
  configuration.outgoing.some((voter) => voter !== self)
