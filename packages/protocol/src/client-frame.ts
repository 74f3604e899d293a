import type { Answer, ReadSection } from './command.ts'
import type { ErrorCode } from './errors.ts'
import type { ClusterId, GroupId } from './identity.ts'
import type { ShardMap } from './shard-map.ts'

/** Client -> node. The first frame of a connection is `hello`; anything else first closes it. */
export type ClientFrame =
  | {
      readonly type: 'hello'
      readonly protocolMin: number
      readonly protocolMax: number
      readonly clusterId: ClusterId | null
      readonly features: number
    }
  /** One frame per turn: requests for any groups this node hosts. */
  | { readonly type: 'requests'; readonly mapEpoch: number; readonly requests: readonly ClientRequest[] }
  | { readonly type: 'status'; readonly requestId: number }
  /** A change of members. Only a node that was started with `--allow-test-admin` does anything about it. */
  | { readonly type: 'admin'; readonly requestId: number; readonly request: AdminRequest }

export type AdminRequest =
  /** The named nodes shall host the group. */
  | { readonly action: 'assign'; readonly group: GroupId; readonly nodes: readonly string[] }
  /** The group's open change with this id shall be undone. */
  | { readonly action: 'cancel'; readonly group: GroupId; readonly change: number }
  /** A node without shards shall leave the cluster. */
  | { readonly action: 'remove'; readonly node: string }

/** `requestId` is unique per connection and answered exactly once. */
export type ClientRequest =
  /** `section` is an encoded commands / openSession / closeSession section: validated, then copied as it is into the log. */
  | {
      readonly type: 'write'
      readonly requestId: number
      readonly group: GroupId
      readonly section: Uint8Array
    }
  /**
   * Without `how` a linearizable read. With it only to a node that told `FEATURE_RELAXED_READS`: any other one takes the frame
   * for a bad one.
   */
  | {
      readonly type: 'read'
      readonly requestId: number
      readonly section: ReadSection
      readonly how?: RelaxedRead
    }

/**
 * `lease`: linearizable as well, by the leader's lease where that holds. `stale`: by any replica, from what it has applied;
 * `maxAge` in ms, 0 to 2^53 - 1, may have a fraction; null: however old that is.
 */
export type RelaxedRead =
  | { readonly consistency: 'lease' }
  | { readonly consistency: 'stale'; readonly maxAge: number | null }

/** Node -> client. */
export type ServerFrame =
  | {
      readonly type: 'welcome'
      readonly protocol: number
      readonly clusterId: ClusterId
      readonly node: string
      readonly boot: number
      readonly features: number
      readonly map: ShardMap
    }
  /** Refuses the connection; the node closes it afterwards. */
  | { readonly type: 'unwelcome'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'replies'; readonly mapEpoch: number; readonly replies: readonly ClientReply[] }
  /** Pushed when the node's map changes. */
  | { readonly type: 'map'; readonly map: ShardMap }
  /** JSON text of the node's status document. */
  | { readonly type: 'status'; readonly requestId: number; readonly json: string }
  /** `change` is the id of what was accepted, null where it was refused for `reason`. */
  | {
      readonly type: 'admin'
      readonly requestId: number
      readonly change: number | null
      readonly reason: string
    }

export type ClientReply =
  /**
   * Answers in the order of the section's commands or keys. `leaderTime` is L at the answer, for `notAfter`. `age` is there
   * in answers to stale reads and only there: what they show was current at most so many ms before the request came; null
   * where that cannot be told. Their `leaderTime` is no L, as the replica need not lead.
   */
  | {
      readonly type: 'answers'
      readonly requestId: number
      readonly leaderTime: number
      readonly answers: readonly Answer[]
      readonly age?: number | null
    }
  /** The whole section never entered a log: nothing of it has or will have effect. `leader` is a hint: a client address or null. */
  | {
      readonly type: 'refused'
      readonly requestId: number
      readonly code: ErrorCode
      readonly leader: string | null
      /** L at the refusal, where the leader refused because of `notAfter`; absent elsewhere. */
      readonly leaderTime?: number
    }
  /** It may still take effect (leadership lost after the append). */
  | {
      readonly type: 'open'
      readonly requestId: number
      readonly code: ErrorCode
      readonly leader: string | null
    }
