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

/** An open change of a group's members (shards.md, moving a replica): at most one per group. */
export interface MapChange {
  /** Meta log index at which it was accepted. */
  readonly id: number
  /** Incarnations that shall be the group's voters, ascending; the group's other replicas go. */
  readonly target: readonly number[]
  /** It shall be undone; the group's own log decides whether that is still possible. */
  readonly cancelled: boolean
  /** Term of the group's leader that carries it out, as it told the meta group; 0 before the first. */
  readonly term: number
}

export interface MapGroup {
  readonly group: GroupId
  /** During a change both those that come and those that go. */
  readonly replicas: readonly MapReplica[]
  /** Incarnations that the group began with, ascending: their first configuration. All others are added through its log. */
  readonly founders: readonly number[]
  readonly change: MapChange | null
  /** Meta log index at which the group's slots were founded: their first epoch. 0 for the meta group. */
  readonly foundedAt: number
}

/** The shard map. It routes; ownership is decided by each shard's own log (shards.md). */
export interface ShardMap {
  readonly clusterId: ClusterId
  /** Meta log index of the last change; 0 before the cluster is formed. */
  readonly epoch: number
  readonly nodes: readonly MapNode[]
  /** Every incarnation below it has been minted: one that is minted and in no group is over for good. */
  readonly nextIncarnation: number
  /** Nodes that get no replica any more and are removed as soon as they have none. */
  readonly leaving: readonly DirId[]
  /** Directories that were removed, oldest first: they never come back. The oldest are forgotten at the limit. */
  readonly removed: readonly DirId[]
  /** Ascending by group; the meta group first. */
  readonly groups: readonly MapGroup[]
  /** What the entries of all shards together may take, bytes as shards count them, evenly split; 0 = no limit. */
  readonly bytesMax: number
  /** 16,384 group ids, one per slot; 0 = unassigned. */
  readonly slots: Uint32Array
}
