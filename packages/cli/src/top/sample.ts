// What happened in a cluster between two looks at it.
import { type ListedNode, summariseShards } from '../cluster-status.ts'

export interface Sample {
  readonly atMs: number
  readonly nodes: readonly ListedNode[]
}

export interface NodeRates {
  readonly id: string
  readonly state: string
  readonly leads: number
  readonly connections: number | null
  /** Per second; null where the node was not seen twice in the same life, or does not tell. */
  readonly readsPerSecond: number | null
  readonly writesPerSecond: number | null
  readonly syncsPerSecond: number | null
  readonly bytesPerSecond: number | null
}

export interface ShardRates {
  readonly group: number
  readonly leader: string | null
  readonly keys: number
  readonly lagMax: number
  /** Entries committed per second. */
  readonly commitsPerSecond: number | null
}

export interface Rates {
  readonly nodes: readonly NodeRates[]
  /** The busiest first. */
  readonly shards: readonly ShardRates[]
}

export function ratesBetween(before: Sample | null, now: Sample): Rates {
  const seconds = before === null ? 0 : (now.atMs - before.atMs) / 1000
  const perSecond = (from: number | undefined, to: number | undefined): number | null =>
    from === undefined || to === undefined || seconds <= 0 || to < from ? null : (to - from) / seconds
  const shardsBefore = new Map(summariseShards(before?.nodes ?? []).map((shard) => [shard.group, shard]))
  return {
    nodes: now.nodes.map((node) =>
      nodeRates(
        before?.nodes.find(({ id }) => id === node.id),
        node,
        perSecond,
      ),
    ),
    shards: summariseShards(now.nodes)
      .map(({ group, leader, keys, lagMax, commitIndex }) => ({
        group,
        leader,
        keys,
        lagMax,
        commitsPerSecond: perSecond(shardsBefore.get(group)?.commitIndex, commitIndex),
      }))
      .toSorted(
        (one, other) =>
          (other.commitsPerSecond ?? 0) - (one.commitsPerSecond ?? 0) || one.group - other.group,
      ),
  }
}

function nodeRates(
  before: ListedNode | undefined,
  node: ListedNode,
  perSecond: (from: number | undefined, to: number | undefined) => number | null,
): NodeRates {
  const { id, state, shards } = node
  const leads = shards.filter(({ role }) => role === 'leader').length
  const now = node.state === 'unreachable' ? null : node
  // A new life counts from 0 again.
  const then =
    before === undefined || before.state === 'unreachable' || before.boot !== now?.boot ? null : before
  return {
    id,
    state,
    leads,
    connections: now?.clients?.connections ?? null,
    readsPerSecond: perSecond(then?.clients?.reads, now?.clients?.reads),
    writesPerSecond: perSecond(then?.clients?.writes, now?.clients?.writes),
    syncsPerSecond: perSecond(then?.log.syncs, now?.log.syncs),
    bytesPerSecond: perSecond(then?.log.bytesWritten, now?.log.bytesWritten),
  }
}
