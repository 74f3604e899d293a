// Whether a node can do its part now, check by check: for a rolling restart, which must not go on before this one serves.
import { META_GROUP, type ShardMap } from '@quorate/protocol'
import type { NodeCore } from './node-core.ts'
import type { Replica } from './replica/replica.ts'

export interface ReadinessCheck {
  /** `running`, `storage`, `cluster`, `map`, `meta group`, `shard 3`. */
  readonly name: string
  readonly ok: boolean
  /** Why it is not, or what was found, in a few words. */
  readonly detail: string
}

export interface ReadinessFacts {
  readonly lowOnSpace: boolean
  readonly mayLead: boolean
  readonly clusterId: string | null
  readonly dirId: string
  readonly map: ShardMap | null
  readonly replicaOf: (group: number) => HostedReplica | undefined
  readonly condemned: readonly { readonly group: number; readonly reason: string | null }[]
}

export type HostedReplica = Pick<Replica, 'group' | 'condition' | 'reason'> & {
  readonly raft: Pick<Replica['raft'], 'role' | 'leader' | 'servesReads'>
}

export const check = (name: string, ok: boolean, detail: string): ReadinessCheck => ({ name, ok, detail })

export function factsOf(core: NodeCore): ReadinessFacts {
  const { dirId, clusterId } = core.identity()
  return {
    lowOnSpace: core.admission() === 'diskFull',
    mayLead: core.mayLead(),
    clusterId,
    dirId,
    map: core.map.map,
    replicaOf: (group) => core.replicas.get(group)?.replica,
    condemned: core.replicas.condemned(),
  }
}

/** Of a node that runs; every group that the map places here has a line. */
export function readinessOf(facts: ReadinessFacts): ReadinessCheck[] {
  const { clusterId, map, dirId, condemned } = facts
  // Its first shards come last.
  const formed = map !== null && map.groups.some(({ group }) => group !== META_GROUP)
  const here = (map?.groups ?? []).filter(({ replicas }) => replicas.some(({ node }) => node === dirId))
  const groups = new Set([...here.map(({ group }) => group), ...condemned.map(({ group }) => group)])
  return [
    storageCheck(facts),
    check('cluster', clusterId !== null, clusterId ?? 'belongs to none yet'),
    check('map', formed, formed ? `epoch ${map.epoch}` : 'has no shards yet'),
    ...(groups.has(META_GROUP) ? [] : [check('meta group', formed, 'not hosted here')]),
    ...[...groups].toSorted((one, other) => one - other).map((group) => groupCheck(facts, group)),
  ]
}

function storageCheck({ lowOnSpace, mayLead }: ReadinessFacts): ReadinessCheck {
  if (lowOnSpace) return check('storage', false, 'low on space: writes are refused')
  return check('storage', mayLead, mayLead ? 'writes' : 'a write or sync does not end')
}

function groupCheck({ replicaOf, condemned }: ReadinessFacts, group: number): ReadinessCheck {
  const name = group === META_GROUP ? 'meta group' : `shard ${group}`
  const replica = replicaOf(group)
  const buried = condemned.find((one) => one.group === group)
  if (replica === undefined && buried !== undefined)
    return check(name, false, `condemned: ${buried.reason ?? 'no reason known'}`)
  if (replica === undefined) return check(name, false, 'not up yet')
  const { condition, reason, raft } = replica
  if (condition !== 'live') return check(name, false, reason === null ? condition : `${condition}: ${reason}`)
  if (raft.role === 'leader')
    return check(name, raft.servesReads, raft.servesReads ? 'leads' : 'elected, does not serve yet')
  return check(name, raft.leader !== null, raft.leader === null ? 'hears no leader' : raft.role)
}
