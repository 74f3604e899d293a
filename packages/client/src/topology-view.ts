// The cluster as this client knows it: for people and tools; a map only routes.
import type { GroupId } from '@quorate/protocol'
import type { Topology } from './route/topology.ts'

export interface TopologyView {
  readonly clusterId: string
  /** Of the shard map; grows with every change of it. */
  readonly epoch: number
  readonly nodes: readonly { readonly name: string; readonly clientAddress: string }[]
  readonly shards: readonly {
    readonly shard: GroupId
    /** Client address of the node that led it when this client last heard of it; null if it has not. */
    readonly leader: string | null
    /** Client addresses. */
    readonly replicas: readonly string[]
    readonly slots: number
  }[]
}

/** A copy: it changes no more. Without the meta group, which holds no keys. */
export function topologyView(topology: Topology): TopologyView {
  const { map } = topology
  if (map === null) return { clusterId: '', epoch: 0, nodes: [], shards: [] }
  const slots = new Map<GroupId, number>()
  for (const group of map.slots) slots.set(group, (slots.get(group) ?? 0) + 1)
  return {
    clusterId: map.clusterId,
    epoch: map.epoch,
    nodes: map.nodes.map(({ name, clientAddress }) => ({ name, clientAddress })),
    shards: map.groups
      .filter(({ group }) => group !== 0)
      .map(({ group }) => ({
        shard: group,
        leader: topology.leaderOf(group),
        replicas: [...topology.replicasOf(group)],
        slots: slots.get(group) ?? 0,
      })),
  }
}
