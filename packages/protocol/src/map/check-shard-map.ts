// What makes a shard map believable, checked alike before it leaves and after it came.
import { U16_MAX, U32_MAX, isNatural } from '../bytes/numbers.ts'
import { isIdentity } from '../bytes/text.ts'
import { limits } from '../limits.ts'
import type { MapGroup, MapNode, ShardMap } from '../shard-map.ts'

/** Version, cluster, epoch, counts, and as many runs of slots as there can be. */
const FIXED_BYTES = 64 + 6 * limits.slots
/** Upper bounds of what `shard-map-codec.ts` writes: a node without its texts, a group with a change but without its lists. */
const NODE_BYTES = 22
const GROUP_BYTES = 64
const REPLICA_BYTES = 24
const INCARNATION_BYTES = 8
const DIR_ID_BYTES = 16

/** What is wrong with a map; null if nothing is. */
export function faultOfShardMap(map: ShardMap): string | null {
  if (!isIdentity(map.clusterId)) return 'a cluster id that is not 32 lower-case hex digits'
  if (!isNatural(map.epoch)) return 'an epoch that is not a safe integer from 0'
  if (!isNatural(map.nextIncarnation) || map.nextIncarnation === 0)
    return 'a next incarnation that is not a safe integer from 1'
  return (
    faultOfNodes(map.nodes) ??
    faultOfFormer(map) ??
    faultOfGroups(map) ??
    faultOfSlots(map) ??
    faultOfLength(map)
  )
}

/** A map travels whole in a welcome. Names and addresses count for three bytes a letter: nobody encodes it to find out. */
function faultOfLength({ nodes, leaving, removed, groups }: ShardMap): string | null {
  let bytes = FIXED_BYTES + DIR_ID_BYTES * (leaving.length + removed.length)
  for (const { name, peerAddress, clientAddress } of nodes)
    bytes += NODE_BYTES + 3 * (name.length + peerAddress.length + clientAddress.length)
  for (const { replicas, founders, change } of groups)
    bytes +=
      GROUP_BYTES +
      REPLICA_BYTES * replicas.length +
      INCARNATION_BYTES * (founders.length + (change?.target.length ?? 0))
  return bytes > limits.mapBytes ? 'more than fits one frame' : null
}

/** Who leaves is there still, and who was removed is not. */
function faultOfFormer({ nodes, leaving, removed }: ShardMap): string | null {
  const known = new Set(nodes.map((node) => node.dirId))
  if (removed.length > limits.mapRemoved) return 'too many removed nodes'
  if (removed.some((dirId) => !isIdentity(dirId) || known.has(dirId))) return 'a removed node that is there'
  if (new Set(removed).size !== removed.length) return 'a node removed twice'
  if (leaving.some((dirId) => !known.has(dirId))) return 'an unknown node that leaves'
  if (new Set(leaving).size !== leaving.length) return 'a node that leaves twice'
  return null
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
    const fault = faultOfReplicas(group, nodes) ?? faultOfChange(group)
    if (fault !== null) return fault
    if (group.replicas.some(({ incarnation }) => incarnation >= map.nextIncarnation))
      return 'an incarnation that was never minted'
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

function faultOfChange({ replicas, founders, change }: MapGroup): string | null {
  if (founders.length > limits.configurationReplicas || !areIncarnations(founders))
    return 'founders that are not ascending incarnations'
  if (change === null) return null
  if (!isNatural(change.id) || change.id === 0) return 'a change without an id'
  if (!isNatural(change.term)) return 'a change with a term that is not a safe integer from 0'
  if (change.target.length === 0 || !areIncarnations(change.target))
    return 'a change whose target is not ascending incarnations'
  const known = new Set(replicas.map(({ incarnation }) => incarnation))
  return change.target.some((incarnation) => !known.has(incarnation))
    ? 'a change to an unknown replica'
    : null
}

function areIncarnations(list: readonly number[]): boolean {
  return list.every((incarnation, at) => isNatural(incarnation) && incarnation > (list[at - 1] ?? 0))
}

function faultOfSlots(map: ShardMap): string | null {
  const { slots } = map
  if (slots.length !== limits.slots) return 'not one group for each slot'
  const isKnown = membership(map.groups.map(({ group }) => group))
  const unassigned = 0
  let last = unassigned
  for (let slot = 0; slot < slots.length; slot += 1) {
    const group = slots[slot] ?? unassigned
    if (group === unassigned || group === last) continue
    if (!isKnown(group)) return 'a slot of an unknown group'
    last = group
  }
  return null
}

/** Scattered slots ask this thousands of times for each map: a table, unless the ids (ascending) are too large for one. */
function membership(groups: readonly number[]): (group: number) => boolean {
  const greatest = groups.at(-1) ?? 0
  if (greatest > U16_MAX) {
    const known = new Set(groups)
    return (group) => known.has(group)
  }
  const known = new Uint8Array(greatest + 1)
  for (const group of groups) known[group] = 1
  return (group) => known[group] === 1
}
