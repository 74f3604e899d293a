// What commands about members make of the shard map: pure, every one legal in exactly one state (shards.md, moving a replica).
import { limits, type MapChange, type MapGroup, META_GROUP, type ShardMap } from '@quorate/protocol'
import type { MembershipCommand, MembershipReport } from './meta-command.ts'

/** The meta group itself has at most this many members (architecture.md, section 5). */
export const META_REPLICAS_MAX = 5

/** Why a change was refused; stable. */
export type Refusal =
  | 'NOT_OPEN'
  | 'UNKNOWN_GROUP'
  | 'UNKNOWN_NODE'
  | 'UNKNOWN_CHANGE'
  | 'DUPLICATE_NODE'
  | 'NO_NODES'
  | 'TOO_MANY_NODES'
  | 'NODE_LEAVES'
  | 'CHANGE_OPEN'
  | 'NOTHING_TO_DO'
  | 'HOSTS_SHARDS'
  | 'LAST_NODE'
  /** Fewer of the new voters than a quorum were heard of (rule 9). */
  | 'NO_LIVE_QUORUM'

/** The map afterwards, its epoch not yet raised; or why nothing changes. */
export type Verdict = { readonly map: ShardMap } | { readonly refused: Refusal }

/** `index` is that of the command's entry: it becomes the id of what it opens. */
export function changeMembers(
  map: ShardMap,
  command: MembershipCommand | MembershipReport,
  index: number,
): Verdict {
  switch (command.type) {
    case 'assign':
      return assign(map, command, index)
    case 'cancel':
      return onChange(map, command, (group, change) =>
        replaceChange(map, group, { ...change, cancelled: true }),
      )
    case 'claim':
      return onChange(map, command, (group, change) =>
        command.term > change.term
          ? replaceChange(map, group, { ...change, term: command.term })
          : { refused: 'NOTHING_TO_DO' },
      )
    case 'settle':
      return onChange(map, command, (group, change) => settle(map, group, change, command))
    case 'removeNode':
      return removeNode(map, command.dirId)
  }
}

/** Incarnations are minted for the nodes that come; those of nodes that stay go on. */
function assign(
  map: ShardMap,
  { group: id, nodes }: Extract<MembershipCommand, { type: 'assign' }>,
  index: number,
): Verdict {
  const group = map.groups.find((one) => one.group === id)
  const refused = group === undefined ? 'UNKNOWN_GROUP' : refusalOf(map, group, nodes)
  if (group === undefined || refused !== null) return { refused: refused ?? 'UNKNOWN_GROUP' }
  let { nextIncarnation } = map
  const target: number[] = []
  const coming: { incarnation: number; node: string }[] = []
  for (const node of nodes) {
    const staying = group.replicas.find((one) => one.node === node)
    if (staying === undefined) coming.push({ incarnation: nextIncarnation, node })
    target.push(staying?.incarnation ?? nextIncarnation++)
  }
  if (coming.length === 0 && target.length === group.replicas.length) return { refused: 'NOTHING_TO_DO' }
  const change = { id: index, target: ascending(target), cancelled: false, term: 0 }
  const changed = { ...group, replicas: [...group.replicas, ...coming], change }
  return { map: withGroup({ ...map, nextIncarnation }, changed) }
}

function refusalOf(map: ShardMap, group: MapGroup, nodes: readonly string[]): Refusal | null {
  if (group.change !== null) return 'CHANGE_OPEN'
  if (nodes.length === 0) return 'NO_NODES'
  // While a change is open a group has the replicas of before and after it.
  if (nodes.length > (group.group === META_GROUP ? META_REPLICAS_MAX : limits.configurationReplicas / 2))
    return 'TOO_MANY_NODES'
  if (new Set(nodes).size < nodes.length) return 'DUPLICATE_NODE'
  if (nodes.some((dirId) => map.nodes.every((node) => node.dirId !== dirId))) return 'UNKNOWN_NODE'
  return nodes.some((dirId) => map.leaving.includes(dirId)) ? 'NODE_LEAVES' : null
}

/** The change with that id is open, or nothing happens: late and repeated commands are harmless. */
function onChange(
  map: ShardMap,
  { group: id, change }: { readonly group: number; readonly change: number },
  then: (group: MapGroup, change: MapChange) => Verdict,
): Verdict {
  const group = map.groups.find((one) => one.group === id)
  if (group === undefined) return { refused: 'UNKNOWN_GROUP' }
  return group.change?.id === change ? then(group, group.change) : { refused: 'UNKNOWN_CHANGE' }
}

function replaceChange(map: ShardMap, group: MapGroup, change: MapChange): Verdict {
  if (group.change?.cancelled === change.cancelled && group.change.term === change.term)
    return { refused: 'NOTHING_TO_DO' }
  return { map: withGroup(map, { ...group, change }) }
}

/** The group's log decided: forward, or back where that was asked for. Whoever is not in it is over. */
function settle(
  map: ShardMap,
  group: MapGroup,
  change: MapChange,
  { term, voters }: Extract<MembershipReport, { type: 'settle' }>,
): Verdict {
  if (term !== change.term) return { refused: 'UNKNOWN_CHANGE' }
  const known = new Set(group.replicas.map(({ incarnation }) => incarnation))
  const forward = sameMembers(voters, change.target)
  const possible = voters.length > 0 && voters.every((voter) => known.has(voter))
  if (!possible || (!forward && !change.cancelled)) return { refused: 'UNKNOWN_CHANGE' }
  const replicas = group.replicas.filter(({ incarnation }) => voters.includes(incarnation))
  return { map: withoutLeft(withGroup(map, { ...group, replicas, change: null })) }
}

function removeNode(map: ShardMap, dirId: string): Verdict {
  if (map.nodes.every((node) => node.dirId !== dirId)) return { refused: 'UNKNOWN_NODE' }
  if (map.leaving.includes(dirId)) return { refused: 'NOTHING_TO_DO' }
  const hosts = (group: MapGroup): boolean => group.replicas.some(({ node }) => node === dirId)
  if (map.groups.some((group) => group.group !== META_GROUP && hosts(group)))
    return { refused: 'HOSTS_SHARDS' }
  if (map.nodes.length - map.leaving.length <= 1) return { refused: 'LAST_NODE' }
  return { map: withoutLeft({ ...map, leaving: [...map.leaving, dirId] }) }
}

/** Nodes that leave and are in no group any more are gone for good. */
function withoutLeft(map: ShardMap): ShardMap {
  const hosting = new Set(map.groups.flatMap(({ replicas }) => replicas.map(({ node }) => node)))
  const left = new Set(map.leaving.filter((dirId) => !hosting.has(dirId)))
  if (left.size === 0) return map
  return {
    ...map,
    nodes: map.nodes.filter((node) => !left.has(node.dirId)),
    leaving: map.leaving.filter((dirId) => !left.has(dirId)),
    removed: [...map.removed, ...left].slice(-limits.mapRemoved),
  }
}

function withGroup(map: ShardMap, changed: MapGroup): ShardMap {
  return { ...map, groups: map.groups.map((group) => (group.group === changed.group ? changed : group)) }
}

export const ascending = (incarnations: Iterable<number>): number[] =>
  [...incarnations].toSorted((left, right) => left - right)

export const sameMembers = <Member>(left: readonly Member[], right: readonly Member[]): boolean =>
  left.length === right.length && left.every((one) => right.includes(one))
