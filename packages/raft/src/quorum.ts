// Implements quorums: majorities, and for joint configurations (dissertation 4.3) a majority of each half.
import type { Configuration, ReplicaId } from './configuration.ts'

/** The smallest number of `count` voters of which any two sets overlap. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1
}

/** The largest value that a quorum of `configuration` has reached; -Infinity without voters. */
export function quorumValue(configuration: Configuration, valueOf: (voter: ReplicaId) => number): number {
  const incoming = majorityValue(configuration.voters, valueOf)
  if (configuration.outgoing.length === 0) return incoming
  return Math.min(incoming, majorityValue(configuration.outgoing, valueOf))
}

/** True if those for whom `holds` is true are a quorum. */
export function isQuorum(configuration: Configuration, holds: (voter: ReplicaId) => boolean): boolean {
  return quorumValue(configuration, (voter) => (holds(voter) ? 1 : 0)) === 1
}

export type VoteOutcome = 'won' | 'lost' | 'pending'

/** Votes are kept by voter, so that a duplicated reply counts once; whoever is no voter counts nothing. */
export function voteOutcome(
  configuration: Configuration,
  votes: ReadonlyMap<ReplicaId, boolean>,
): VoteOutcome {
  if (isQuorum(configuration, (voter) => votes.get(voter) === true)) return 'won'
  // Lost as soon as those who may still grant are no quorum any more.
  return isQuorum(configuration, (voter) => votes.get(voter) !== false) ? 'pending' : 'lost'
}

function majorityValue(voters: readonly ReplicaId[], valueOf: (voter: ReplicaId) => number): number {
  // Inserted in falling order: a handful of voters, asked at every acknowledgement, is not worth a general sort.
  const values: number[] = []
  for (const voter of voters) {
    const value = valueOf(voter)
    let place = values.length
    for (let above = values[place - 1]; above !== undefined && above < value; above = values[place - 1]) {
      values[place] = above
      place--
    }
    values[place] = value
  }
  return values[majority(voters.length) - 1] ?? -Infinity
}
