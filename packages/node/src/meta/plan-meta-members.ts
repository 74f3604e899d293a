// Which nodes the meta group should be on: min(5, nodes), one change at a time, growing only while all is well. Pure.
import { type DirId, META_GROUP, type ShardMap } from '@quorate/protocol'
import { META_REPLICAS_MAX, sameMembers } from './change-members.ts'

/**
 * The nodes to assign the meta group to now; null if it is where it should be or has to wait. Nodes that leave go at
 * once, as long as a quorum of the others is heard; a new member only comes while every member is heard, because one
 * more member that nobody hears would bring the group nearer to standing still.
 */
export function planMetaMembers(map: ShardMap, isHeard: (node: DirId) => boolean): DirId[] | null {
  const group = map.groups.find((one) => one.group === META_GROUP)
  if (group === undefined || group.change !== null) return null
  const members = group.replicas.map(({ node }) => node)
  const stays = (dirId: DirId): boolean => !map.leaving.includes(dirId)
  const target = members.filter(stays)
  const staying = target.filter(isHeard).length
  const leaving = target.length < members.length
  if (leaving ? staying * 2 <= target.length : staying < target.length) return null
  for (const { dirId } of map.nodes)
    if (target.length < META_REPLICAS_MAX && stays(dirId) && isHeard(dirId) && !target.includes(dirId))
      target.push(dirId)
  return target.length === 0 || sameMembers(target, members) ? null : target
}
