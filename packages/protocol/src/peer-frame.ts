import type { Configuration, Message } from '@quorate/raft'
import type { ClusterId, DirId, GroupId } from './identity.ts'
import type { ShardMap } from './shard-map.ts'

/**
 * The three connections of a link (peer/channel.ts says what travels on which): small and urgent; log entries; snapshots.
 */
export type Channel = 'control' | 'append' | 'bulk'

/**
 * Peer links are one-way: each node dials every other, three times, and what it has to say goes over what it dialled. The
 * accepting side answers `welcome` or `unwelcome` once for each connection, and then only `progress`, about that
 * connection. Every frame of a link belongs to the sender's (dirId, boot, link) of its hellos.
 */
export type PeerFrame =
  | PeerHello
  /** How many bytes of frames the dialling side has sent on this connection before this one; answered by `progress`. */
  | { readonly type: 'probe'; readonly sent: number }
  /**
   * Of those bytes, how many have arrived, and how many are done with: on the append connection what they caused is synced
   * in the receiver's log. The sender keeps at most `limits.appendCreditBytes` sent and not done.
   */
  | { readonly type: 'progress'; readonly received: number; readonly done: number }
  | {
      readonly type: 'welcome'
      readonly dirId: DirId
      readonly boot: number
      readonly clusterId: ClusterId | null
      readonly protocol: number
      readonly mapEpoch: number
    }
  | { readonly type: 'unwelcome'; readonly code: PeerRefusal; readonly message: string }
  /** One frame per connection and turn: messages of every group, in order. */
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
  /**
   * To the node of a replica `to` that spoke to a peer whose committed configuration, at `configurationIndex`, has it no
   * more: if that is above the index at which it was added, it is over (shards.md).
   */
  | {
      readonly type: 'excluded'
      readonly group: GroupId
      readonly to: number
      readonly configurationIndex: number
    }
  /** What a group's leader has to tell the meta group: an encoded meta command, for whoever leads it. */
  | { readonly type: 'metaReport'; readonly command: Uint8Array }
  /** How many shards the sender leads, whenever that changed. */
  | { readonly type: 'load'; readonly leads: number }

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
  readonly channel: Channel
  /** Counts up over all links of a boot: the three connections of one link name the same, a later link a higher one. */
  readonly link: number
}

/**
 * RESTORED: the receiver has met this dirId with a higher boot number, or with a log synced further: it is an old copy.
 * REMOVED: this directory was removed from the cluster.
 */
export type PeerRefusal =
  | 'WRONG_CLUSTER'
  | 'WRONG_NODE'
  | 'RESTORED'
  | 'BANNED'
  | 'REMOVED'
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

/** Several chunks may be on their way; how many is the sender's choice within what the receiver keeps (`limits`). */
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
      /** The first chunk that the receiver has not stored: it has all before it. 0: it knows nothing of this snapshot. */
      readonly nextChunk: number
      /** `more`: at work, also while the last chunk is being installed. */
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
