// What the nodes of a cluster say of themselves, and whether every shard is served.
import type { NodeReport } from '@quorate/client'
import type { NodeStatus, ShardStatus } from '@quorate/node'
import { META_GROUP } from '@quorate/protocol'

/** Stands in the list for a node that did not answer. */
export interface UnreachableNode {
  readonly id: string
  readonly clientAddress: string
  readonly state: 'unreachable'
  /** Code and message of the failure. */
  readonly error: string
  readonly pid: null
  readonly shards: readonly []
}

export type ListedNode = NodeStatus | UnreachableNode

/** In the order of their names, `n2` before `n10`. */
export function listNodes(reports: readonly NodeReport[]): ListedNode[] {
  return reports.map(listNode).toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }))
}

function listNode({ name, clientAddress, status, error }: NodeReport): ListedNode {
  if (status !== null && isNodeStatus(status)) return status
  const reason =
    error === null ? 'its status is not of a form that is known here' : `${error.code}: ${error.message}`
  return { id: name, clientAddress, state: 'unreachable', error: reason, pid: null, shards: [] }
}

/** The client passes on what a node said; what is used below is what must be there. */
function isNodeStatus(status: object): status is NodeStatus {
  return (
    'id' in status &&
    typeof status.id === 'string' &&
    'shards' in status &&
    Array.isArray(status.shards) &&
    status.shards.every((shard: unknown) => typeof shard === 'object' && shard !== null && 'group' in shard)
  )
}

export interface ShardSummary {
  readonly group: number
  /** The leader that serves reads, else null. */
  readonly leader: string | null
  readonly term: number
  readonly commitIndex: number
  /** How far the replica furthest behind is from the highest commit index known. */
  readonly lagMax: number
  readonly keys: number
  /** As the leader counts them (see `ShardStatus`); of the first replica where there is none. */
  readonly bytes: number
  readonly hits: number
  readonly misses: number
  readonly evictions: number
  readonly expiries: number
  readonly replicas: number
  /** Replicas that are stopped or condemned, with their reasons. */
  readonly failing: readonly string[]
}

/** One line per group that any node hosts, the meta group first. */
export function summariseShards(nodes: readonly ListedNode[]): ShardSummary[] {
  const groups = new Set(nodes.flatMap((node) => node.shards.map(({ group }) => group)))
  return [...groups]
    .toSorted((a, b) => a - b)
    .map((group) => {
      const replicas = nodes.flatMap((node) =>
        node.shards.filter((shard) => shard.group === group).map((shard) => ({ ...shard, node: node.id })),
      )
      // Of two nodes that both believe to lead, the one with the higher term is right.
      const leading = replicas
        .filter(({ role, servesReads, state }) => role === 'leader' && servesReads && state === 'live')
        .toSorted((a, b) => b.term - a.term)[0]
      const commitIndex = Math.max(...replicas.map((replica) => replica.commitIndex))
      return {
        group,
        leader: leading?.node ?? null,
        term: Math.max(...replicas.map(({ term }) => term)),
        commitIndex,
        lagMax: commitIndex - Math.min(...replicas.map(({ appliedIndex }) => appliedIndex)),
        ...contentOf(leading ?? replicas[0]),
        replicas: replicas.length,
        failing: replicas
          .filter(({ state }) => state !== 'live')
          .map(({ node, state, reason }) => `${node} ${state}${reason === null ? '' : `: ${reason}`}`),
      }
    })
}

/** A node of an older version says less. */
function contentOf(
  shard: Partial<ShardStatus> | undefined,
): Pick<ShardSummary, 'keys' | 'bytes' | 'hits' | 'misses' | 'evictions' | 'expiries'> {
  const { keys = 0, bytes = 0, hits = 0, misses = 0, evictions = 0, expiries = 0 } = shard ?? {}
  return { keys, bytes, hits, misses, evictions, expiries }
}

/**
 * The groups that nobody serves: none if all is well. `shards`, where it is known, is how many there must be; a cluster
 * that is still forming has fewer.
 */
export function unservedGroups(summaries: readonly ShardSummary[], shards: number = 0): number[] {
  const expected = Array.from({ length: shards + 1 }, (_, group) => META_GROUP + group)
  const served = new Set(summaries.filter(({ leader }) => leader !== null).map(({ group }) => group))
  const known = new Set([...expected, ...summaries.map(({ group }) => group)])
  return [...known].filter((group) => !served.has(group)).toSorted((a, b) => a - b)
}
