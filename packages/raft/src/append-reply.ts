// Implements 3.5, log replication: what a leader learns from the answers to its appends.
import type { ReplicaId } from './configuration.ts'
import { advanceCommitIndex } from './commit.ts'
import { violated } from './invariant.ts'
import { tellTargetWhenCaughtUp } from './leadership-transfer.ts'
import type { AppendAccepted, AppendRejected } from './message.ts'
import { becomeProbe, becomeReplicate, heard, releaseInflight, setNextIndex } from './progress.ts'
import type { Progress } from './progress.ts'
import type { Replica } from './replica.ts'
import { sendAppends } from './replication.ts'
import type { LeaderState } from './role.ts'

export function acceptAppendAccepted(
  replica: Replica,
  leader: LeaderState,
  from: ReplicaId,
  message: AppendAccepted,
): void {
  const progress = leader.progress.get(from)
  if (progress === undefined) return
  const { matchIndex } = message
  if (matchIndex > replica.log.lastIndex) {
    violated('PROGRESS_OUT_OF_RANGE', `${from} has ${matchIndex}, the leader ${replica.log.lastIndex}`)
  }
  heard(progress, replica.now)
  // Nobody can hold in this term what this leader never sent: such an answer proves nothing, and the next probe asks again.
  if (matchIndex > progress.sentIndex) return
  progress.appendAnsweredAt = replica.now
  const advanced = matchIndex > progress.matchIndex
  if (advanced) {
    progress.matchIndex = matchIndex
    if (progress.nextIndex <= matchIndex) setNextIndex(progress, matchIndex + 1)
  }
  noteWhereLogsMeet(replica, progress, matchIndex, advanced)
  if (advanced) advanceCommitIndex(replica, leader)
  // The commit may have ended this leadership, or the membership of the peer.
  if (replica.role !== leader || leader.progress.get(from) !== progress) return
  tellTargetWhenCaughtUp(replica, leader)
  sendAppends(replica, from, progress)
}

export function acceptAppendRejected(
  replica: Replica,
  leader: LeaderState,
  from: ReplicaId,
  message: AppendRejected,
): void {
  const progress = leader.progress.get(from)
  if (progress === undefined) return
  heard(progress, replica.now)
  progress.appendAnsweredAt = replica.now
  if (isLateRejection(progress, message.rejectedIndex)) return
  // Where terms differ up to the hint, the logs cannot meet: one question skips a whole term instead of one entry.
  const meetsAt = replica.log.lastIndexWithTermAtMost(message.hintIndex, message.hintTerm)
  const nextIndex = Math.min(message.rejectedIndex, meetsAt + 1)
  becomeProbe(progress, Math.max(progress.matchIndex + 1, nextIndex))
  sendAppends(replica, from, progress)
}

/** A rejection that an acceptance or a newer question has overtaken says nothing any more (B2, B7). */
function isLateRejection(progress: Progress, rejectedIndex: number): boolean {
  if (progress.state.kind === 'snapshot' || rejectedIndex <= progress.matchIndex) return true
  return progress.state.kind === 'probe'
    ? rejectedIndex !== progress.nextIndex - 1
    : rejectedIndex >= progress.nextIndex
}

function noteWhereLogsMeet(
  replica: Replica,
  progress: Progress,
  matchIndex: number,
  advanced: boolean,
): void {
  const { state } = progress
  switch (state.kind) {
    case 'probe':
      if (advanced || matchIndex === progress.matchIndex) becomeReplicate(progress)
      return
    case 'replicate':
      releaseInflight(state.inflight, matchIndex)
      return
    case 'snapshot':
      // Any answer that reconnects with the log ends the wait, whichever snapshot brought it about (B14).
      if (progress.matchIndex >= replica.log.compactedIndex) becomeReplicate(progress)
  }
}
