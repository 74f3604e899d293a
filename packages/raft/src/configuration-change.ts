// Implements 4.3, membership by joint consensus: which change is allowed, and how the joint configuration is left.
import type { Configuration, ReplicaId } from './configuration.ts'
import type { DropReason } from './effects.ts'
import { isJoint, isVoter, sorted } from './membership.ts'
import { appendConfiguration } from './own-entry.ts'
import { isLive } from './progress.ts'
import { majority } from './quorum.ts'
import { servesReads } from './replica.ts'
import type { Replica } from './replica.ts'
import type { LeaderState } from './role.ts'

/** Appends the configuration that leads to `voters` and `learners`, or says why not. */
export function proposeConfiguration(
  replica: Replica,
  leader: LeaderState,
  voters: readonly ReplicaId[],
  learners: readonly ReplicaId[],
): DropReason | null {
  if (changeIsInFlight(replica, leader)) return 'changeInFlight'
  const target = { voters: sorted(voters), learners: sorted(learners) }
  if (!isSafe(replica, leader, target)) return 'unsafeChange'
  appendConfiguration(replica, leader, enterConfiguration(replica.log.configuration, target))
  return null
}

/**
 * The leader leaves a joint configuration by itself once its entry is committed. Also done by a later leader that finds
 * one, and never twice: from the leaving entry on the newest configuration is not joint (F2).
 */
export function leaveJointWhenCommitted(replica: Replica, leader: LeaderState): void {
  const { configuration, configurationIndex } = replica.log
  if (!isJoint(configuration) || configurationIndex > replica.commitIndex) return
  if (!servesReads(replica, leader)) return
  appendConfiguration(replica, leader, leaveConfiguration(configuration))
}

/** True for a leader whose removal (or demotion) is committed: it has led to the end of the change (4.2.2). */
export function leaderIsRemoved(replica: Replica): boolean {
  const { configuration, configurationIndex } = replica.log
  return configurationIndex <= replica.commitIndex && !isVoter(configuration, replica.self)
}

export interface Target {
  readonly voters: readonly ReplicaId[]
  readonly learners: readonly ReplicaId[]
}

/** Joint as soon as the voters differ at all: there is only one kind of change to get right. */
export function enterConfiguration(current: Configuration, target: Target): Configuration {
  const { voters, learners } = target
  if (sameMembers(voters, current.voters)) return { voters, outgoing: [], learners, learnersNext: [] }
  const outgoing = current.voters
  return {
    voters,
    outgoing,
    learners: learners.filter((learner) => !outgoing.includes(learner)),
    learnersNext: learners.filter((learner) => outgoing.includes(learner)),
  }
}

export function leaveConfiguration(joint: Configuration): Configuration {
  return {
    voters: joint.voters,
    outgoing: [],
    learners: sorted([...joint.learners, ...joint.learnersNext]),
    learnersNext: [],
  }
}

/**
 * One change at a time, and none before an entry of this term is committed: otherwise two leaders could each add a
 * change of their own whose majorities do not overlap (F1, Ongaro 2015).
 */
function changeIsInFlight(replica: Replica, leader: LeaderState): boolean {
  const { configuration, configurationIndex } = replica.log
  return isJoint(configuration) || configurationIndex > replica.commitIndex || !servesReads(replica, leader)
}

function isSafe(replica: Replica, leader: LeaderState, target: Target): boolean {
  const { voters, learners } = target
  const everyone = new Set([...voters, ...learners])
  if (voters.length === 0 || everyone.size !== voters.length + learners.length) return false
  for (const member of everyone) if (!Number.isSafeInteger(member) || member < 1) return false
  const { configuration } = replica.log
  for (const voter of voters) {
    if (!configuration.voters.includes(voter) && !isCaughtUp(replica, leader, voter)) return false
  }
  return voters.filter((voter) => isReachable(replica, leader, voter)).length >= majority(voters.length)
}

/** A learner may be promoted when a single window of appends brings it up to the commit index (4.2.1). */
function isCaughtUp(replica: Replica, leader: LeaderState, learner: ReplicaId): boolean {
  const { log, limits, commitIndex } = replica
  if (!log.configuration.learners.includes(learner)) return false
  const progress = leader.progress.get(learner)
  if (progress === undefined || progress.state.kind !== 'replicate') return false
  if (!isLive(progress, replica.now, limits) || progress.matchIndex < log.compactedIndex) return false
  return log.bytesBetween(progress.matchIndex, commitIndex) <= limits.inflightBytes
}

function isReachable(replica: Replica, leader: LeaderState, voter: ReplicaId): boolean {
  if (voter === replica.self) return true
  const progress = leader.progress.get(voter)
  return progress !== undefined && isLive(progress, replica.now, replica.limits)
}

function sameMembers(left: readonly ReplicaId[], right: readonly ReplicaId[]): boolean {
  return left.length === right.length && left.every((member) => right.includes(member))
}
