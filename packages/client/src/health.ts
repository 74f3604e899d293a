// Whether the cluster serves, in one word and in detail, out of what its nodes say.
import { type ErrorCode, type GroupId, META_GROUP } from '@quorate/protocol'
import type { NodeReport } from './cache.ts'
import type { Topology } from './route/topology.ts'

export interface ShardHealth {
  readonly shard: GroupId
  /** Name of the node that leads it and serves its reads; null if no node that answered does. */
  readonly leader: string | null
  readonly replicas: number
  /** Replicas that are live, at nodes that answered. */
  readonly live: number
}

export interface Health {
  /** `ok`: everything is up. `degraded`: every shard is served, but something is down. `unavailable`: a shard has no leader. */
  readonly status: 'ok' | 'degraded' | 'unavailable'
  readonly nodes: readonly {
    readonly name: string
    readonly clientAddress: string
    /** Null: it answered. */
    readonly error: ErrorCode | null
  }[]
  /** In the map's order, with the meta group, 0. */
  readonly shards: readonly ShardHealth[]
}

interface ReplicaReport {
  readonly node: string
  readonly group: GroupId
  readonly leads: boolean
  readonly isLive: boolean
  readonly term: number
}

export function healthOf(reports: readonly NodeReport[], topology: Topology): Health {
  const replicas = reports.flatMap((report) => replicasIn(report))
  const shards = (topology.map?.groups ?? []).map(({ group, replicas: members }): ShardHealth => {
    const told = replicas.filter((replica) => replica.group === group)
    // Of two that both believe to lead, the one with the higher term is right.
    const leading = told.filter(({ leads }) => leads).toSorted((one, other) => other.term - one.term)[0]
    const live = told.filter(({ isLive }) => isLive).length
    return { shard: group, leader: leading?.node ?? null, replicas: members.length, live }
  })
  const nodes = reports.map(({ name, clientAddress, error }) => ({
    name,
    clientAddress,
    error: error?.code ?? null,
  }))
  return { status: statusOf(nodes, shards), nodes, shards }
}

function statusOf(nodes: Health['nodes'], shards: readonly ShardHealth[]): Health['status'] {
  const served = shards.filter(({ shard, leader }) => shard === META_GROUP || leader !== null)
  if (shards.length === 0 || served.length < shards.length) return 'unavailable'
  const whole = shards.every(({ leader, live, replicas }) => leader !== null && live >= replicas)
  return whole && nodes.every(({ error }) => error === null) ? 'ok' : 'degraded'
}

/** What another process says is believed as far as it has the form. */
function replicasIn({ name, status }: NodeReport): ReplicaReport[] {
  const shards: unknown = status?.['shards']
  if (!Array.isArray(shards)) return []
  return shards.flatMap((shard: unknown): ReplicaReport[] => {
    if (typeof shard !== 'object' || shard === null) return []
    const { group, role, servesReads, state, term } = shard as Record<string, unknown>
    if (typeof group !== 'number' || typeof term !== 'number') return []
    const isLive = state === 'live'
    return [{ node: name, group, leads: isLive && role === 'leader' && servesReads === true, isLive, term }]
  })
}
