import type { Configuration, Message } from '@quorate/raft'
import type { ClusterId, DirId, GroupId } from './identity.ts'
import type { ShardMap } from './shard-map.ts'

/**
 * Peer links are one-way: each node dials every other and only sends on what it dialled; the accepting side answers
 * `welcome` or `unwelcome` once and then nothing. Every frame of a link belongs to the sender's (dirId, boot) of its hello.
 */
export type PeerFrame =
  | PeerHello
  | {
      readonly type: 'welcome'
      readonly dirId: DirId
      readonly boot: number
      readonly clusterId: ClusterId | null
      readonly protocol: number
      readonly mapEpoch: number
    }
  | { readonly type: 'unwelcome'; readonly code: PeerRefusal; readonly message: string }
  /** One frame per link and turn: messages of every group, in order. */
  | { readonly type: 'messages'; readonly messages: readonly GroupMessage[] }
  | PairHeartbeat
  | PairAnswer
  /** The sender's shard map, when the receiver's epoch is older. */
  | { readonly type: 'map'; readonly map: ShardMap }
  /** A node that is in no map asks a member to be added; answered by `map` once it is. */
  | {
      readonly type: 'join'
      readonly name: string
      readonly dirId: DirId
      readonly peerAddress: string
      readonly clientAddress: string
    }
  | SnapshotFrame
  | {
      readonly type: 'stateHash'
      readonly group: GroupId
      readonly from: number
      readonly index: number
      readonly hash: string
    }

export interface PeerHello {
  readonly type: 'hello'
  readonly protocolMin: number
  readonly protocolMax: number
  readonly features: number
  /** null: blank. */
  readonly clusterId: ClusterId | null
  readonly dirId: DirId
  readonly boot: number
  readonly name: string
  readonly peerAddress: string
  readonly clientAddress: string
  /** Whom the sender means to talk to; null while it does not know yet. */
  readonly to: DirId | null
  readonly mapEpoch: number
  /** How far the sender's log could be read at its start: less than a peer was told in an earlier boot is an old copy. */
  readonly recoveredLog: number
}

/** RESTORED: the receiver has met this dirId with a higher boot number, or with a log synced further: it is an old copy. */
export type PeerRefusal =
  | 'WRONG_CLUSTER'
  | 'WRONG_NODE'
  | 'RESTORED'
  | 'BANNED'
  | 'PROTOCOL_VERSION'
  | 'BAD_FRAME'

export interface GroupMessage {
  readonly group: GroupId
  /** Incarnations of sender and receiver: anything for another one changes nothing. */
  readonly from: number
  readonly to: number
  readonly message: Message
  /** For `appendRequest`: one encoded payload per entry, in order; otherwise empty. */
  readonly payloads: readonly EntryPayload[]
}

/** The host's part of a log entry; the core's part is `EntryMeta`. */
export interface EntryPayload {
  readonly type: 'noop' | 'commands' | 'configuration'
  /** Log clock stamp, ms. */
  readonly stamp: number
  /** Sections (commands), an encoded configuration, or nothing (noop). */
  readonly payload: Uint8Array
}

/** shards.md, pair heartbeat. */
export interface PairHeartbeat {
  readonly type: 'heartbeat'
  readonly setNumber: number
  /** The read position: per pair and boot, never used twice. */
  readonly sequence: number
  /** Newest heartbeat sequence heard from the receiver in its present boot; 0 = none. */
  readonly answers: number
  readonly answersBoot: number
  /** How far the sender's log is synced: monotone over all its boots; for RESTORED. */
  readonly syncedLog: number
  /** Ms since the oldest group led here was confirmed by a quorum. */
  readonly confirmedAge: number
  readonly wallMs: number
  /** The whole led set, present when `setNumber` is new to the receiver. */
  readonly ledSet: readonly LedGroup[] | null
  /** Commit indexes (capped by the receiver's matchIndex) that changed since the last; all after a reconnect. */
  readonly commits: readonly {
    readonly group: GroupId
    readonly commitIndex: number
    readonly capped: boolean
  }[]
}

export interface LedGroup {
  readonly group: GroupId
  readonly term: number
  /** The leader's incarnation and the receiver's in this group. */
  readonly leader: number
  readonly receiver: number
}

export interface PairAnswer {
  readonly type: 'heartbeatAnswer'
  /** Boot of the heartbeat's sender, as in its hello. */
  readonly boot: number
  readonly setNumber: number
  readonly sequence: number
  readonly wallMs: number
  /** The answering node's disk is short of space, or stuck: no leadership is handed to it. */
  readonly lowOnSpace: boolean
  /** Groups of the set that this answer does not confirm. */
  readonly exceptions: readonly GroupId[]
}

/** One connection in first light; the sender waits for each chunk's acknowledgement (window of chunks is the sender's). */
export type SnapshotFrame =
  | {
      readonly type: 'snapshotChunk'
      readonly group: GroupId
      readonly from: number
      readonly to: number
      readonly term: number
      readonly snapshot: SnapshotIdentity
      readonly chunk: number
      readonly last: boolean
      readonly rows: readonly SnapshotRow[]
    }
  | {
      readonly type: 'snapshotAnswer'
      readonly group: GroupId
      readonly from: number
      readonly to: number
      readonly snapshot: string
      readonly chunk: number
      readonly outcome: 'more' | 'installed' | 'refused'
    }

export interface SnapshotIdentity {
  /** Unique per sender and boot. */
  readonly id: string
  readonly index: number
  readonly term: number
  readonly configuration: Configuration
  readonly configurationIndex: number
  /** The state machine's head (clock, lastVersion, hash, ...), opaque here. */
  readonly machine: Uint8Array
  readonly rowCount: number
}

export interface SnapshotRow {
  readonly kind: number
  readonly slot: number
  readonly key: Uint8Array
  readonly value: Uint8Array
  /** crc32 over kind, slot, key, value: checked before staging. */
  readonly checksum: number
}
