// Nodes and shards as tables for people: what is wrong stands out.
import type { ListedNode, ShardSummary } from './cluster-status.ts'
import { type Cell, formatTable } from './output.ts'

export function shardName(group: number): string {
  return group === 0 ? 'meta' : String(group)
}

export function nodeTable(nodes: readonly ListedNode[], color: boolean): string {
  const rows = nodes.map((node): Cell[] => [
    node.id,
    { text: node.state, style: node.state === 'serving' ? 'green' : 'red' },
    node.clientAddress,
    node.pid === null ? '-' : String(node.pid),
    String(node.shards.filter(({ role }) => role === 'leader').length),
    { text: node.state === 'unreachable' ? node.error : node.lowOnSpace ? 'low on space' : '', style: 'red' },
  ])
  return formatTable([['NODE', 'STATE', 'ADDRESS', 'PID', 'LEADS', ''], ...rows], color)
}

export function shardTable(shards: readonly ShardSummary[], color: boolean): string {
  const rows = shards.map((shard): Cell[] => [
    shardName(shard.group),
    shard.leader === null ? { text: 'NONE', style: 'red' } : shard.leader,
    ...[shard.term, shard.commitIndex, shard.lagMax, shard.keys, shard.bytes].map(String),
    ...[shard.hits, shard.misses, shard.evictions, shard.expiries, shard.replicas].map(String),
    { text: shard.failing.join('; '), style: 'red' },
  ])
  return formatTable([shardHead, ...rows], color)
}

const shardHead =
  'SHARD LEADER TERM COMMIT LAG KEYS BYTES HITS MISSES EVICTED EXPIRED REPLICAS FAILING'.split(' ')
