// Replicas of a shard compare their state at the same index; the odd one out of a majority is condemned (rule 21).
import type { ReplicaHost } from './host.ts'
import type { Replica } from './replica.ts'

/** Hashes of each replica that are kept for comparison: a follower may lag this many comparisons behind. */
const HASHES_MAX = 8

export class StateHashes {
  readonly #host: ReplicaHost
  readonly #replica: Replica
  /** replica -> index -> hash, oldest first: absurd indexes of one replica cost nobody else its voice. */
  readonly #hashes = new Map<number, Map<number, string>>()

  constructor(host: ReplicaHost, replica: Replica) {
    this.#host = host
    this.#replica = replica
  }

  /** This replica applied `index` and its state hashes to `hash`: told to all, compared with what they told. */
  reached(index: number, hash: string): void {
    const { group, incarnation, raft } = this.#replica
    const { voters, outgoing, learners } = raft.configuration
    for (const peer of new Set([...voters, ...outgoing, ...learners]))
      if (peer !== incarnation)
        this.#host.sendTo(group, peer, { type: 'stateHash', group, from: incarnation, index, hash })
    this.#note(incarnation, index, hash)
  }

  heard(from: number, index: number, hash: string): void {
    this.#note(from, index, hash)
  }

  #note(replica: number, index: number, hash: string): void {
    let hashes = this.#hashes.get(replica)
    if (hashes === undefined) {
      hashes = new Map()
      this.#hashes.set(replica, hashes)
    }
    hashes.set(index, hash)
    for (const oldest of hashes.keys()) if (hashes.size > HASHES_MAX) hashes.delete(oldest)
    this.#judge(index)
  }

  #judge(index: number): void {
    const own = this.#hashes.get(this.#replica.incarnation)?.get(index)
    if (own === undefined || this.#replica.condition !== 'live') return
    const { voters } = this.#replica.raft.configuration
    const votes = new Map<string, number>()
    for (const voter of voters) {
      const hash = this.#hashes.get(voter)?.get(index)
      if (hash !== undefined) votes.set(hash, (votes.get(hash) ?? 0) + 1)
    }
    for (const [hash, count] of votes)
      if (hash !== own && count * 2 > voters.length) {
        const reason = `state at index ${index} is ${own}, a majority has ${hash}`
        this.#host.flight.machineBroke(this.#replica, reason)
        return this.#replica.condemn(reason)
      }
    // Everybody spoke and no majority agrees: nobody knows which state is right, so nobody goes on.
    const spoke = [...votes.values()].reduce((sum, count) => sum + count, 0)
    if (
      votes.size > 1 &&
      spoke === voters.length &&
      ![...votes.values()].some((count) => count * 2 > voters.length)
    )
      this.#replica.stopApplying(new Error(`states at index ${index} differ and no majority agrees`))
  }
}
