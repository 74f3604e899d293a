// What makes a shard map believable, checked alike before it leaves and after it came.
import { U16_MAX, U32_MAX, isNatural } from '../bytes/numbers.ts'
import { isIdentity } from '../bytes/text.ts'
import { limits } from '../limits.ts'
import type { MapGroup, MapNode, ShardMap } from '../shard-map.ts'

/** What is wrong with a map; null if nothing is. */
export function faultOfShardMap(map: ShardMap): string | null {
  if (!isIdentity(map.clusterId)) return 'a cluster id that is not 32 lower-case hex digits'
  if (!isNatural(map.epoch)) return 'an epoch that is not a safe integer from 0'
  return faultOfNodes(map.nodes) ?? faultOfGroups(map) ?? faultOfSlots(map)
}

function faultOfNodes(nodes: readonly MapNode[]): string | null {
  if (nodes.length > limits.mapNodes) return 'too many nodes'
  if (nodes.some((node) => !isIdentity(node.dirId))) return 'a dirId that is not 32 lower-case hex digits'
  if (new Set(nodes.map((node) => node.dirId)).size !== nodes.length) return 'a node named twice'
  if (new Set(nodes.map((node) => node.name)).size !== nodes.length) return 'two nodes of one name'
  if (nodes.some((node) => node.name === '' || node.peerAddress === '' || node.clientAddress === '')) {
    return 'a node without name or address'
  }
  return null
}

function faultOfGroups(map: ShardMap): string | null {
  const { groups } = map
  if (groups.length > U16_MAX) return 'too many groups'
  const nodes = new Set(map.nodes.map((node) => node.dirId))
  for (const [at, group] of groups.entries()) {
    if (!isNatural(group.group) || group.group > U32_MAX) return 'a group id out of range'
    if (at > 0 && group.group <= (groups[at - 1]?.group ?? 0)) return 'groups that are not strictly ascending'
    if (!isNatural(group.foundedAt)) return 'a founding index that is not a safe integer from 0'
    const fault = faultOfReplicas(group, nodes)
    if (fault !== null) return fault
  }
  return null
}

function faultOfReplicas(group: MapGroup, nodes: ReadonlySet<string>): string | null {
  const { replicas } = group
  if (replicas.length > limits.configurationReplicas) return 'too many replicas'
  if (replicas.some(({ incarnation }) => !isNatural(incarnation) || incarnation === 0)) {
    return 'an incarnation that is not a safe integer from 1'
  }
  if (new Set(replicas.map(({ incarnation }) => incarnation)).size !== replicas.length)
    return 'an incarnation used twice'
  if (replicas.some(({ node }) => !nodes.has(node))) return 'a replica on an unknown node'
  return null
}

function faultOfSlots(map: ShardMap): string | null {
  const { slots } = map
  if (slots.length !== limits.slots) return 'not one group for each slot'
  const groups = new Set(map.groups.map(({ group }) => group))
  const unassigned = 0
  let last = unassigned
  for (let slot = 0; slot < slots.length; slot += 1) {
    const group = slots[slot] ?? unassigned
    if (group === unassigned || group === last) continue
    if (!groups.has(group)) return 'a slot of an unknown group'
    last = group
  }
  return null
}
