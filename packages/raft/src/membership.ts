// What a configuration says about a replica, and what makes a configuration well formed (dissertation 4.3).
import type { Configuration, ReplicaId } from './configuration.ts'
import { violated } from './invariant.ts'

export const emptyConfiguration: Configuration = { voters: [], outgoing: [], learners: [], learnersNext: [] }

/** True if the replica counts in either majority. */
export function isVoter(configuration: Configuration, replica: ReplicaId): boolean {
  return configuration.voters.includes(replica) || configuration.outgoing.includes(replica)
}

export function isSoleVoter(configuration: Configuration, replica: ReplicaId): boolean {
  const { voters, outgoing } = configuration
  return voters.length === 1 && voters[0] === replica && outgoing.length === 0
}

export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0
}

/** Voters of both halves, sorted. */
export function votersOf(configuration: Configuration): readonly ReplicaId[] {
  return isJoint(configuration)
    ? sorted(new Set([...configuration.voters, ...configuration.outgoing]))
    : configuration.voters
}

/** Everyone who receives the log, sorted. */
export function membersOf(configuration: Configuration): readonly ReplicaId[] {
  return sorted(new Set([...configuration.voters, ...configuration.outgoing, ...configuration.learners]))
}

export function sorted(replicas: Iterable<ReplicaId>): ReplicaId[] {
  return [...replicas].toSorted((left, right) => left - right)
}

/** Lists sorted and without repetition; learners are no voters; learnersNext are outgoing and nothing else. */
export function assertWellFormed(configuration: Configuration): void {
  const { voters, outgoing, learners, learnersNext } = configuration
  for (const list of [voters, outgoing, learners, learnersNext]) {
    for (const [position, replica] of list.entries()) {
      if (!Number.isSafeInteger(replica) || replica <= (list[position - 1] ?? 0)) bad(configuration)
    }
  }
  if (learners.some((learner) => isVoter(configuration, learner))) bad(configuration)
  if (learnersNext.some((next) => !outgoing.includes(next) || voters.includes(next))) bad(configuration)
  if (voters.length === 0 && outgoing.length > 0) bad(configuration)
}

function bad(configuration: Configuration): never {
  return violated('CONFIGURATION', `not well formed: ${JSON.stringify(configuration)}`)
}
