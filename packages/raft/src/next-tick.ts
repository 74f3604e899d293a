// When a replica next has something to do that no message brings: so that a host need not tick those that have nothing.
import { PROBE_RETRY_MS } from './limits.ts'
import { isLive } from './progress.ts'
import type { Progress } from './progress.ts'
import { quorumValue } from './quorum.ts'
import type { Replica } from './replica.ts'

/** Earliest moment of a tick that can have an effect, whatever is heard until then; Infinity if none can. */
export function nextTickAt(replica: Replica): number {
  const { role } = replica
  if (role.name === 'follower') return role.leader === null ? replica.electionDeadline : Infinity
  if (role.name !== 'leader') return replica.electionDeadline
  let at = role.transfer?.endsAt ?? Infinity
  for (const progress of role.progress.values()) at = Math.min(at, retryAt(replica, progress))
  return at
}

/** Moment of the tick at which this replica gives up a leadership, another's or its own, if it hears nothing more. */
export function silentAt(replica: Replica): number {
  const { role, self, limits } = replica
  if (role.name === 'follower') return role.leader === null ? Infinity : replica.electionDeadline
  if (role.name !== 'leader') return Infinity
  const heardAt = quorumValue(replica.log.configuration, (voter) =>
    voter === self ? Infinity : (role.progress.get(voter)?.heardAt ?? -Infinity),
  )
  return heardAt + limits.checkQuorumMs
}

/** As `retryAppends` decides: early where the peer may fall silent until then, never late. */
function retryAt(replica: Replica, progress: Progress): number {
  const { state, nextIndex } = progress
  const { log, limits } = replica
  if (state.kind === 'snapshot') return Infinity
  const live = isLive(progress, replica.now, limits)
  // Its snapshot is not wanted before it is heard again.
  if (state.kind === 'probe' && nextIndex <= log.compactedIndex && !live) return Infinity
  if (state.kind === 'replicate' && state.inflight.appends.length === 0 && nextIndex > log.lastIndex) {
    return Infinity
  }
  const lastTraffic = Math.max(progress.appendSentAt, progress.appendAnsweredAt)
  return lastTraffic + (live ? PROBE_RETRY_MS : limits.electionTimeoutMsMax)
}
