import type { Network, Runtime } from '@quorate/runtime'
import type { Removal } from '@quorate/state-machine'
import type { OpenStateStore } from '@quorate/storage'
import type { NodeMeasures } from './measures.ts'
import type { ReadinessCheck } from './readiness.ts'
import type { NodeStatus } from './status.ts'

export interface NodeOptions {
  /** The operator's name of this node, unique in the cluster: `n1`. */
  readonly name: string
  readonly dataDirectory: string
  /** `host:port`; port 0 picks one (then `node.clientAddress` tells). */
  readonly listen: string
  readonly peerListen: string
  /** Read only while the directory is blank: every first node's name and peer address; the first one forms the cluster. */
  readonly bootstrap?: readonly NamedAddress[]
  /** Peer addresses of members: a blank node asks them to be added. */
  readonly join?: readonly string[]
  /** Number of shards when this node forms a cluster. Default 8. */
  readonly shards?: number
  /**
   * What the entries of all shards together may take when this node forms a cluster, bytes as shards count them (key + value +
   * 64 for each); the shards share it evenly. Beyond, entries that were not used lately are evicted. Default: no limit. An operator's is at least
   * `limits.shardBytesMin` for each shard.
   */
  readonly maxBytes?: number
  readonly runtime: Runtime
  /** Clients may ask for changes of members (`admin` frames). For fault tests only: there is no authorisation. */
  readonly allowTestAdmin?: boolean
  /** Peers are reached over this network if it differs from the runtime's. */
  readonly peerNetwork?: Network
  readonly openStateStore: OpenStateStore
  readonly settings?: Partial<NodeSettings>
  /** One line per event that an operator may want to know: a stable code, then facts. */
  readonly log?: (event: NodeEvent) => void
  /**
   * Told of every entry that this node's replicas remove by themselves, as they apply it: what a checker needs to tell a lost
   * write from one that has expired or was evicted. Every replica of the shard tells the same.
   */
  readonly removed?: (group: number, removals: readonly Removal[]) => void
}

export interface NamedAddress {
  readonly name: string
  readonly address: string
}

export interface NodeEvent {
  readonly code: string
  readonly [fact: string]: unknown
}

/** Numbers that tests make small. Defaults in `settings.ts`. */
export interface NodeSettings {
  readonly segmentBytes: number
  readonly retainBytes: number
  readonly checkpointLogBytes: number
  readonly checkpointMsMin: number
  readonly checkpointMsMax: number
  readonly snapshotChunkBytes: number
  /** Entries between two comparisons of state hashes. */
  readonly stateHashEvery: number
  /** How long one pass of the scrubber over everything in the state store takes, ms. */
  readonly scrubMs: number
  /** Ms between two looks at whether another node should lead some of this one's shards; 0 = leaders stay where they are. */
  readonly balanceLeadersMs: number
}

/** One server of a cluster. A broken promise of the disk or an invariant makes it halt: sockets closed, `halted` resolves. */
export interface QuorateNode {
  readonly clientAddress: string
  readonly peerAddress: string
  /** Opens storage, recovers, listens. Rejects with a typed error (`StorageRefusedError`, `NetworkError`, `QuorateError`) and leaves nothing open. */
  start(): Promise<void>
  /** Hands leaderships over where it can, syncs, closes. Idempotent. */
  stop(): Promise<void>
  /** Resolves with the reason when the node halts by itself; never rejects, pending for ever on an ordinary stop. */
  readonly halted: Promise<Error>
  status(): NodeStatus
  /** The numbers of this moment; null before there are any. Costs nothing between two calls. */
  measures(): NodeMeasures | null
  /** What this node needs to do its part, check by check; ready if all are `ok`. At any time, also before the start. */
  readiness(): readonly ReadinessCheck[]
  /**
   * Begins to hand a group's leadership to the voter that has most of its log. False where this node does not lead the group or
   * nobody else could; true promises nothing, the leader may still be this one afterwards.
   */
  transferLeadership(group: number): boolean
  /**
   * The named nodes shall host the group: 0 is the meta group, others are shards. Resolves with the change's id when the
   * meta group has accepted it; `status().changes` shows how it goes. Rejects with `MembershipRefusedError`, NOT_LEADER
   * at every node but the one that leads the meta group.
   */
  changeMembership(group: number, nodes: readonly string[]): Promise<number>
  /** The group's open change shall be undone, which its own log decides. Resolves and rejects like `changeMembership`. */
  cancelMembershipChange(group: number, change: number): Promise<number>
  /** A node without shards shall leave the cluster for good. Resolves and rejects like `changeMembership`. */
  removeNode(node: string): Promise<number>
  /**
   * Writes a flight recording of the group's replica, or of all replicas here (one at a time), and resolves with the
   * paths. `quorate replay` runs one again. Rejects with a `RangeError` where the group has no replica here.
   */
  record(group?: number): Promise<readonly string[]>
}
