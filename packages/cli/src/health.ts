// Whether all is well with a cluster, check by check.
import type { ShardMap } from '@quorate/client'
import type { ListedNode, ShardSummary } from './cluster-status.ts'
import { shardName } from './cluster-tables.ts'
import { nodesOf } from './ring.ts'

export interface HealthCheck {
  /** `node n1`, `shard 3`, `shard meta`. */
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export interface Health {
  /** `degraded`: every shard is served, but something would be missing for the next failure. */
  readonly verdict: 'healthy' | 'degraded' | 'unhealthy'
  readonly checks: readonly HealthCheck[]
}

/** `shards` has a line for every group that a node reports; the map says which there must be, and where. */
export function healthOf(
  map: ShardMap,
  nodes: readonly ListedNode[],
  shards: readonly ShardSummary[],
): Health {
  const summaries = new Map(shards.map((shard) => [shard.group, shard]))
  const groups = new Set([...map.groups.map(({ group }) => group), ...summaries.keys()])
  const served = [...groups].every((group) => typeof summaries.get(group)?.leader === 'string')
  const checks = [
    ...nodes.map(nodeCheck),
    ...[...groups]
      .toSorted((one, other) => one - other)
      .map((group) => shardCheck(group, summaries.get(group), nodesOf(map, group).length)),
  ]
  const forming = map.slots.some((shard) => shard === 0)
  const all = forming
    ? [...checks, { name: 'slots', ok: false, detail: 'some belong to no shard yet' }]
    : checks
  const well = all.every(({ ok }) => ok)
  return { verdict: well ? 'healthy' : served && !forming ? 'degraded' : 'unhealthy', checks: all }
}

function nodeCheck(node: ListedNode): HealthCheck {
  const name = `node ${node.id}`
  if (node.state === 'unreachable') return { name, ok: false, detail: node.error }
  if (node.state !== 'serving') return { name, ok: false, detail: node.state }
  if (node.lowOnSpace) return { name, ok: false, detail: 'low on space: refuses writes' }
  return { name, ok: true, detail: node.clientAddress }
}

/** `hosts`: how many nodes host it by the map; nodes that do not answer are missing in the summary. */
function shardCheck(group: number, shard: ShardSummary | undefined, hosts: number): HealthCheck {
  const name = `shard ${shardName(group)}`
  if (shard === undefined) return { name, ok: false, detail: 'no node that answers hosts it' }
  if (shard.leader === null) return { name, ok: false, detail: 'no leader serves it' }
  const led = `led by ${shard.leader}`
  if (shard.failing.length > 0) return { name, ok: false, detail: `${led}; ${shard.failing.join('; ')}` }
  if (shard.replicas < hosts)
    return { name, ok: false, detail: `${led}; ${shard.replicas} of ${hosts} replicas answer` }
  return { name, ok: true, detail: `${led}, ${shard.replicas} replicas` }
}
