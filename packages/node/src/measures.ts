// The numbers of a node at one moment, for a host that shows them. Everything was counted anyway or is read here.
import type { Durations, Storage } from '@quorate/storage'
import type { ClientAcceptor } from './clients/client-acceptor.ts'
import type { RequestCount, RequestKind } from './clients/request-counts.ts'
import type { NodeCore } from './node-core.ts'
import type { Hosted } from './replica/replicas.ts'
import type { ShardStatus } from './status.ts'

export interface NodeMeasures {
  readonly mapEpoch: number
  readonly lowOnSpace: boolean
  readonly log: {
    readonly batches: number
    readonly syncs: number
    readonly bytesWritten: number
    readonly segments: number
    /** Since when the write or sync in flight is under way, as ms ago; 0 when idle. */
    readonly busyMs: number
    /** Of the writes with their syncs, by `durationBoundsMs` of `@quorate/storage`. */
    readonly durations: Durations
  }
  readonly clients: {
    readonly connections: number
    readonly requests: readonly RequestCount[]
    /** Keys read and commands carried out. */
    readonly operations: Readonly<Record<RequestKind, number>>
  }
  /** Bytes of changes that no checkpoint has yet, of all shards. */
  readonly overlayBytes: number
  /** Nodes of the map but this one; null = not heard in this process's life. */
  readonly peers: readonly { readonly name: string; readonly heardMsAgo: number | null }[]
  readonly shards: readonly ShardMeasures[]
}

export interface ShardMeasures {
  /** 0 is the meta group. */
  readonly group: number
  readonly state: ShardStatus['state']
  readonly role: string
  /** Somebody leads it, as far as this replica knows. */
  readonly leaderKnown: boolean
  readonly servesReads: boolean
  readonly term: number
  readonly lastIndex: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly checkpointIndex: number
  readonly slots: number
  readonly keys: number
  /** Of the entries: keys, values and what each costs besides. */
  readonly bytes: number
  readonly sessions: number
  /** Of commands that wait to be proposed. */
  readonly queuedBytes: number
  readonly snapshotsInstalled: number
}

export function nodeMeasures(core: NodeCore, storage: Storage, clients: ClientAcceptor | null): NodeMeasures {
  const { batches, syncs, bytesWritten, segments, busySince } = storage.log.stats
  const { dirId } = storage.identity
  const now = core.now()
  const hosted = [...core.replicas.all()].map((one) =>
    shardMeasures(one, core.checkpointer.durableIndex(one.replica.group)),
  )
  const condemned = core.replicas.condemned().map(({ group }) => ({ ...nothing, group }))
  return {
    mapEpoch: core.map.epoch,
    lowOnSpace: storage.lowOnSpace,
    log: {
      batches,
      syncs,
      bytesWritten,
      segments,
      busyMs: busySince === null ? 0 : now - busySince,
      durations: storage.log.durations,
    },
    clients: {
      connections: clients?.connections ?? 0,
      requests: clients?.counts.requests ?? [],
      operations: clients?.counts.operations ?? { read: 0, write: 0 },
    },
    overlayBytes: core.overlayBytes,
    peers: (core.map.map?.nodes ?? [])
      .filter((node) => node.dirId !== dirId)
      .map((node) => {
        const heardAt = core.pairs.clockOf(node.dirId)?.heardAt
        return { name: node.name, heardMsAgo: heardAt === undefined ? null : now - heardAt }
      }),
    shards: [...hosted, ...condemned].toSorted((one, other) => one.group - other.group),
  }
}

function shardMeasures({ replica, shard }: Hosted, checkpointIndex: number): ShardMeasures {
  const { raft, state } = replica
  const { slots = 0, keys = 0, bytes = 0, sessions = 0 } = shard?.state.stats ?? {}
  return {
    group: replica.group,
    state: replica.condition,
    role: raft.role,
    leaderKnown: raft.leader !== null,
    servesReads: raft.servesReads,
    term: raft.currentTerm,
    lastIndex: raft.lastIndex,
    commitIndex: raft.commitIndex,
    appliedIndex: state.appliedIndex,
    checkpointIndex,
    slots,
    keys,
    bytes,
    sessions,
    queuedBytes: replica.proposals.queuedBytes,
    snapshotsInstalled: replica.snapshotsInstalled,
  }
}

/** A replica that recovery found condemned has no core any more. */
const nothing: ShardMeasures = {
  group: 0,
  state: 'condemned',
  role: 'follower',
  leaderKnown: false,
  servesReads: false,
  term: 0,
  lastIndex: 0,
  commitIndex: 0,
  appliedIndex: 0,
  checkpointIndex: 0,
  slots: 0,
  keys: 0,
  bytes: 0,
  sessions: 0,
  queuedBytes: 0,
  snapshotsInstalled: 0,
}
