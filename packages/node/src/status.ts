/** The document of `quorate status -o json`, one per node. Stable; fields are only added. */
export interface NodeStatus {
  readonly id: string
  readonly dirId: string
  readonly boot: number
  readonly clusterId: string | null
  readonly pid: number
  readonly clientAddress: string
  readonly peerAddress: string
  /** `blank` until the node belongs to a cluster, `recovering`, `serving`, `halted`. */
  readonly state: 'blank' | 'recovering' | 'serving' | 'halted'
  readonly mapEpoch: number
  readonly lowOnSpace: boolean
  /** The write-ahead log since the start of the process. */
  readonly log: {
    /** Batches written; several may share a sync. */
    readonly batches: number
    readonly syncs: number
    readonly bytesWritten: number
  }
  /** Clients and what they asked, since the start of the process; absent from nodes of older versions. */
  readonly clients?: {
    readonly connections: number
    /** Keys read and commands carried out. */
    readonly reads: number
    readonly writes: number
  }
  readonly nodes: readonly {
    readonly name: string
    readonly dirId: string
    readonly clientAddress: string
    readonly peerAddress: string
    readonly heardMsAgo: number | null
  }[]
  readonly shards: readonly ShardStatus[]
  /** Nodes and shards left out because the whole document would not fit one frame; absent if nothing is. */
  readonly omitted?: { readonly nodes: number; readonly shards: number }
  /** Changes of members that are open, as this node's map knows them. */
  readonly changes: readonly ChangeStatus[]
}

export interface ChangeStatus {
  readonly group: number
  readonly id: number
  /** Names of the nodes that shall host the group. */
  readonly target: readonly string[]
  /** It is being undone. */
  readonly cancelled: boolean
  /** What the group's leader does about it, where that is this node: `claiming`, `configuring`, `committing`, `catching up`, `handing over`, `settling`; else null. */
  readonly step: string | null
}

export interface ShardStatus {
  readonly group: number
  readonly incarnation: number
  readonly state: 'live' | 'stopped' | 'condemned' | 'removed'
  readonly reason: string | null
  readonly role: string
  readonly term: number
  /** Names of the nodes that vote, of both halves while the members change, and of those that only learn. */
  readonly voters: readonly string[]
  readonly learners: readonly string[]
  /** Name of the node that leads, as far as this replica knows. */
  readonly leader: string | null
  readonly firstIndex: number
  readonly lastIndex: number
  readonly durableIndex: number
  readonly commitIndex: number
  readonly appliedIndex: number
  /** Applied index of the newest durable checkpoint. */
  readonly checkpointIndex: number
  /** commitIndex - appliedIndex. */
  readonly lag: number
  readonly slots: number
  readonly keys: number
  /** Key + value + 64 for each entry, of which `pinnedBytes` were written with `evict: false`. */
  readonly bytes: number
  readonly pinnedBytes: number
  /** What `bytes` may be, short of a quarter while evictions are on their way; 0 = no limit. */
  readonly bytesMax: number
  /** Keys that reads found, and did not find, at this replica since its state was loaded or installed. */
  readonly hits: number
  readonly misses: number
  /** Entries that this replica removed since then, as every replica does. */
  readonly evictions: number
  readonly expiries: number
  /** Snapshots installed here since the start. */
  readonly snapshotsInstalled: number
  /** Hex digest of the state at `appliedIndex`. */
  readonly stateHash: string
  readonly servesReads: boolean
}
