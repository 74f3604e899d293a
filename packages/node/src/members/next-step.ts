// The next step of a change of a group's members, from what its log and the map say: pure (shards.md, moving a replica).
import type { MapChange } from '@quorate/protocol'
import type { Configuration } from '@quorate/raft'
import { ascending, sameMembers } from '../meta/change-members.ts'

/** What the leader of the group knows. */
export interface ChangeView {
  readonly self: number
  readonly change: MapChange
  /** The newest in the log, and whether another change may follow: it is committed and so is an entry of this term. */
  readonly configuration: Configuration
  readonly mayChange: boolean
  /** Rule 9: holds what was committed a short while ago, and answers. */
  readonly isCaughtUp: (learner: number) => boolean
  /** A voter that could lead now: caught up, healthy, with space. */
  readonly mayLead: (voter: number) => boolean
}

export type Step =
  | { readonly type: 'wait'; readonly why: 'configuration' | 'learners' }
  | { readonly type: 'configure'; readonly voters: readonly number[]; readonly learners: readonly number[] }
  /** Leadership goes to a voter that stays, so that nobody waits for an election when this one leaves. */
  | { readonly type: 'transfer'; readonly to: number }
  /** The log has decided. */
  | { readonly type: 'settle'; readonly voters: readonly number[] }

/**
 * Learners first, then one joint change when all are caught up, then meta is told. A cancelled change goes back only as
 * long as the joint change is not in the log: from there on it goes forward.
 */
export function nextStep(view: ChangeView): Step {
  const { self, change, configuration, mayChange, isCaughtUp, mayLead } = view
  const { voters, outgoing, learners } = configuration
  if (!mayChange || outgoing.length > 0) return { type: 'wait', why: 'configuration' }
  if (sameMembers(voters, change.target) || change.cancelled)
    return learners.length > 0
      ? { type: 'configure', voters, learners: [] }
      : { type: 'settle', voters: ascending(voters) }
  const joiners = change.target.filter((incarnation) => !voters.includes(incarnation))
  if (!sameMembers(learners, joiners)) return { type: 'configure', voters, learners: ascending(joiners) }
  // Asked of each of them: every one has rounds of its own.
  if (joiners.filter(isCaughtUp).length < joiners.length) return { type: 'wait', why: 'learners' }
  if (voters.includes(self) && !change.target.includes(self)) {
    const heir = change.target.find((incarnation) => voters.includes(incarnation) && mayLead(incarnation))
    if (heir !== undefined) return { type: 'transfer', to: heir }
  }
  return { type: 'configure', voters: change.target, learners: [] }
}
