// Implements 3.10, leadership transfer.
import type { ReplicaId } from './configuration.ts'
import { isVoter } from './membership.ts'
import { send } from './replica.ts'
import type { Replica } from './replica.ts'
import { sendAppends } from './replication.ts'
import type { LeaderState } from './role.ts'

/** Proposals wait until the target has taken over or an election timeout has passed. A new request replaces the old. */
export function beginTransfer(replica: Replica, leader: LeaderState, to: ReplicaId): void {
  const progress = leader.progress.get(to)
  if (progress === undefined || !isVoter(replica.log.configuration, to)) return
  leader.transfer = { to, endsAt: replica.now + replica.limits.electionTimeoutMsMax, told: false }
  leader.transferBegan = true
  sendAppends(replica, to, progress)
  tellTargetWhenCaughtUp(replica, leader)
}

/** With a shorter log the target could not win, and would only disturb. */
export function tellTargetWhenCaughtUp(replica: Replica, leader: LeaderState): void {
  const { transfer } = leader
  if (transfer === null || transfer.told) return
  if (leader.progress.get(transfer.to)?.matchIndex !== replica.log.lastIndex) return
  transfer.told = true
  send(replica, transfer.to, { type: 'timeoutNow', term: replica.currentTerm })
}

export function endTransferWhenLate(replica: Replica, leader: LeaderState): void {
  if (leader.transfer !== null && replica.now >= leader.transfer.endsAt) leader.transfer = null
}
