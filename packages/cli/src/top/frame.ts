// One picture of `quorate top`.
import { shardName } from '../cluster-tables.ts'
import { type Cell, formatTable } from '../output.ts'
import type { Rates } from './sample.ts'

/** Headings, the empty line between, and the line of the prompt. */
const linesBesides = 5

/** As many of the shards as fit into `rows` lines, the busiest ones; all of them where `rows` is null. */
export function frame({ nodes, shards }: Rates, rows: number | null, color: boolean): string {
  const room = rows === null ? shards.length : Math.max(1, rows - nodes.length - linesBesides)
  const shown = shards.slice(0, room)
  const left = shards.length - shown.length
  const nodeRows = nodes.map((node): Cell[] => [
    node.id,
    { text: node.state, style: node.state === 'serving' ? 'green' : 'red' },
    String(node.leads),
    node.connections === null ? '-' : String(node.connections),
    rate(node.readsPerSecond),
    rate(node.writesPerSecond),
    rate(node.syncsPerSecond),
    rate(node.bytesPerSecond),
  ])
  const shardRows = shown.map((shard): Cell[] => [
    shardName(shard.group),
    shard.leader === null ? { text: 'NONE', style: 'red' } : shard.leader,
    rate(shard.commitsPerSecond),
    String(shard.keys),
    String(shard.lagMax),
  ])
  return [
    formatTable(
      [['NODE', 'STATE', 'LEADS', 'CLIENTS', 'READS/S', 'WRITES/S', 'SYNCS/S', 'LOG B/S'], ...nodeRows],
      color,
    ),
    '\n',
    formatTable([['SHARD', 'LEADER', 'COMMITS/S', 'KEYS', 'LAG'], ...shardRows], color),
    left === 0 ? '' : `${left} more shards\n`,
  ].join('')
}

/** `950`, `12.3k`, `4.5M`. */
export function rate(perSecond: number | null): string {
  if (perSecond === null) return '-'
  if (perSecond < 10) return perSecond.toFixed(perSecond === 0 ? 0 : 1)
  if (perSecond < 10_000) return perSecond.toFixed(0)
  return perSecond < 10_000_000
    ? `${(perSecond / 1000).toFixed(1)}k`
    : `${(perSecond / 1_000_000).toFixed(1)}M`
}
