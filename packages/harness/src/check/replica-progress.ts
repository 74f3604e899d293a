// What never goes back on a replica, from what its node says of it time and again.
import type { NodeStatus, ShardStatus } from '@quorate/node'
import type { Violation } from './violation.ts'

/** Highest commit index that anybody knew of, and the highest term in which somebody who knew it was. */
interface Committed {
  readonly index: number
  readonly term: number
}

/** Of one life: what memory holds may be behind after a restart. */
const ofLife = ['firstIndex', 'commitIndex', 'appliedIndex'] as const
/** Of a directory: what is durable. Term and checkpoint. */
const ofDirectory = ['term', 'checkpointIndex'] as const

export class ReplicaProgress {
  readonly violations: Violation[] = []
  readonly #known = new Map<string, number>()
  /** Lives of each node: an old copy of a directory counts its boots a second time. */
  readonly #lives = new Map<string, number>()
  readonly #committed = new Map<number, Committed>()

  /** The node of this name has begun another life. */
  started(id: string): void {
    this.#lives.set(id, (this.#lives.get(id) ?? 0) + 1)
  }

  /** `sound`: nobody damaged the directory of this node. */
  observe(status: NodeStatus, sound: boolean): void {
    for (const shard of status.shards) {
      if (shard.state === 'stopped' && sound)
        this.#violate(status, shard, `an invariant stopped it: ${shard.reason ?? 'no reason given'}`)
      if (shard.state !== 'live') continue
      const directory = `${status.dirId}/${shard.group}/${shard.incarnation}`
      for (const name of ofLife)
        this.#notBack(`${directory}/life ${this.#lives.get(status.id) ?? 0}/${name}`, status, shard, name)
      if (sound) for (const name of ofDirectory) this.#notBack(`${directory}/${name}`, status, shard, name)
      this.#observeOrder(status, shard)
      if (sound) this.#observeLeader(status, shard)
    }
  }

  #notBack(
    place: string,
    status: NodeStatus,
    shard: ShardStatus,
    name: (typeof ofLife | typeof ofDirectory)[number],
  ): void {
    const before = this.#known.get(place) ?? 0
    const now = shard[name]
    if (now < before) this.#violate(status, shard, `${name} went back from ${before} to ${now}`)
    this.#known.set(place, Math.max(before, now))
  }

  /** checkpoint <= applied <= commit <= last, and durable <= last. */
  #observeOrder(status: NodeStatus, shard: ShardStatus): void {
    const { checkpointIndex, appliedIndex, commitIndex, durableIndex, lastIndex } = shard
    if (
      checkpointIndex > appliedIndex ||
      appliedIndex > commitIndex ||
      commitIndex > lastIndex ||
      durableIndex > lastIndex
    )
      this.#violate(
        status,
        shard,
        `out of order: checkpoint ${checkpointIndex}, applied ${appliedIndex}, commit ${commitIndex}, durable ${durableIndex}, last ${lastIndex}`,
      )
  }

  /** Leader completeness: whoever leads in a later term holds all that was committed before. */
  #observeLeader(status: NodeStatus, shard: ShardStatus): void {
    const { group, role, term, commitIndex, lastIndex } = shard
    const known = this.#committed.get(group) ?? { index: 0, term: 0 }
    if (role === 'leader' && term >= known.term && lastIndex < known.index)
      this.#violate(
        status,
        shard,
        `leads in term ${term} up to ${lastIndex}, but ${known.index} was committed`,
      )
    if (commitIndex > known.index)
      this.#committed.set(group, { index: commitIndex, term: Math.max(term, known.term) })
  }

  #violate({ id, boot }: NodeStatus, { group }: ShardStatus, text: string): void {
    const message = `${id} in boot ${boot}, group ${group}: ${text}`
    this.violations.push({ checker: 'progress', message, operations: [] })
  }
}
