// Which slots belong to which shard, as runs of slots.
import type { ShardMap } from '@quorate/client'

export interface SlotRange {
  readonly first: number
  readonly last: number
  /** 0 = nobody's: the cluster is still forming. */
  readonly shard: number
  /** Names of the nodes that host the shard, in the map's order. */
  readonly nodes: readonly string[]
}

export function slotRanges(map: ShardMap): SlotRange[] {
  const ranges: { first: number; last: number; shard: number }[] = []
  for (const [slot, shard] of map.slots.entries()) {
    const open = ranges.at(-1)
    if (open !== undefined && open.shard === shard) open.last = slot
    else ranges.push({ first: slot, last: slot, shard })
  }
  return ranges.map((range) => ({ ...range, nodes: nodesOf(map, range.shard) }))
}

/** Names of the nodes that host a group; a node that the map does not name by its directory. */
export function nodesOf(map: ShardMap, group: number): string[] {
  const names = new Map(map.nodes.map(({ dirId, name }) => [dirId, name]))
  const replicas = map.groups.find((one) => one.group === group)?.replicas ?? []
  return replicas.map(({ node }) => names.get(node) ?? node)
}
