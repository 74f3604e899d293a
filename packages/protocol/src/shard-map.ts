import type { ClusterId, DirId, GroupId } from './identity.ts'

/** A node as the meta group knows it. */
export interface MapNode {
  readonly dirId: DirId
  /** The operator's name (`n1`); unique in the cluster. */
  readonly name: string
  /** `host:port` for peers. */
  readonly peerAddress: string
  /** `host:port` for clients. */
  readonly clientAddress: string
}

export interface MapReplica {
  readonly incarnation: number
  readonly node: DirId
}

export interface MapGroup {
  readonly group: GroupId
  readonly replicas: readonly MapReplica[]
  /** Meta log index at which the group's slots were founded: their first epoch. 0 for the meta group. */
  readonly foundedAt: number
}

/** The shard map. It routes; ownership is decided by each shard's own log (shards.md). */
export interface ShardMap {
  readonly clusterId: ClusterId
  /** Meta log index of the last change; 0 before the cluster is formed. */
  readonly epoch: number
  readonly nodes: readonly MapNode[]
  /** Ascending by group; the meta group first. */
  readonly groups: readonly MapGroup[]
  /** 16,384 group ids, one per slot; 0 = unassigned. */
  readonly slots: Uint32Array
}
