// Implements 6.4, linearizable reads without a log entry: ReadIndex by positions (shards.md calls a position a round).
import type { ReplicaId } from './configuration.ts'
import { heard } from './progress.ts'
import { quorumValue } from './quorum.ts'
import { servesReads } from './replica.ts'
import type { Replica } from './replica.ts'
import type { LeaderState } from './role.ts'

/** A read needs an index that covers every write acknowledged before it, and proof of leadership after its arrival. */
export function acceptRead(replica: Replica, leader: LeaderState, tag: number, round: number): void {
  const index = servesReads(replica, leader) ? replica.commitIndex : null
  leader.reads.push({ tag, round, index })
  releaseReads(replica, leader)
}

/** A confirmation of another term proves nothing about this one (rule 6). */
export function acceptConfirmation(
  replica: Replica,
  leader: LeaderState,
  from: ReplicaId,
  round: number,
  sentAt: number,
): void {
  const progress = leader.progress.get(from)
  if (progress === undefined) return
  heard(progress, replica.now)
  progress.confirmedRound = Math.max(progress.confirmedRound, round)
  // Answers overtake one another: the newest heartbeat counts (D12). None was sent in the future.
  progress.confirmedSentAt = Math.max(progress.confirmedSentAt, Math.min(sentAt, replica.now))
  releaseReads(replica, leader)
}

/** Called when the commit index or the configuration changed: both may be what a read waits for. */
export function releaseReads(replica: Replica, leader: LeaderState): void {
  const { reads } = leader
  // Before an entry of this term is committed, the commit index may lie below what a predecessor acknowledged.
  if (reads.length === 0 || !servesReads(replica, leader)) return
  for (const read of reads) read.index ??= replica.commitIndex
  const confirmed = confirmedRound(replica, leader)
  const waiting = reads.findIndex(({ round }) => round > confirmed)
  for (const { tag, index } of reads.splice(0, waiting === -1 ? reads.length : waiting)) {
    replica.out.reads.push({ tag, index: index ?? replica.commitIndex })
  }
}

/** The newest round that a quorum has confirmed. The leader confirms every round itself, if it is a voter. */
function confirmedRound(replica: Replica, leader: LeaderState): number {
  return quorumValue(replica.log.configuration, (voter) =>
    voter === replica.self ? Infinity : (leader.progress.get(voter)?.confirmedRound ?? 0),
  )
}
