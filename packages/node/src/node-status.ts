// The node's status document, read from its parts at the moment it is asked for.
import type { ShardState } from '@quorate/state-machine'
import type { LogStats, RecoveredReplica, Storage } from '@quorate/storage'
import type { MapHolder } from './map-holder.ts'
import type { Hosted } from './replica/replicas.ts'
import type { NodeCore } from './node-core.ts'
import type { NodeStatus, ShardStatus } from './status.ts'

export function shardStatus(hosted: Hosted, map: MapHolder, durableIndex: number): ShardStatus {
  const { replica, shard } = hosted
  const { raft, state } = replica
  const { voters, outgoing, learners } = raft.configuration
  const names = (incarnations: Iterable<number>): string[] =>
    [...incarnations].map((one) => map.node(map.nodeOf(replica.group, one) ?? '')?.name ?? `?${one}`)
  const leader = raft.leader === null ? null : map.nodeOf(replica.group, raft.leader)
  return {
    group: replica.group,
    incarnation: replica.incarnation,
    state: replica.condition,
    reason: replica.reason,
    role: raft.role,
    term: raft.currentTerm,
    voters: names(new Set([...voters, ...outgoing])),
    learners: names(learners),
    leader: leader === null ? null : (map.node(leader)?.name ?? null),
    firstIndex: replica.firstIndex,
    lastIndex: raft.lastIndex,
    durableIndex: raft.durableIndex,
    commitIndex: raft.commitIndex,
    appliedIndex: state.appliedIndex,
    checkpointIndex: durableIndex,
    lag: raft.commitIndex - state.appliedIndex,
    slots: shard?.state.stats.slots ?? 0,
    keys: shard?.state.stats.keys ?? 0,
    ...(shard === null ? noContent : contentStatus(shard.state, map.shardBytesMax)),
    snapshotsInstalled: replica.snapshotsInstalled,
    stateHash: state.stateHash(),
    servesReads: raft.servesReads,
  }
}

const noContent = { bytes: 0, pinnedBytes: 0, bytesMax: 0, hits: 0, misses: 0, evictions: 0, expiries: 0 }

function contentStatus({ stats, counts }: ShardState, bytesMax: number): typeof noContent {
  const { hits, misses, evictions, expiries } = counts
  const { bytes, pinnedBytes } = stats
  return { bytes, pinnedBytes, bytesMax, hits, misses, evictions, expiries }
}

/** A replica that recovery found condemned: it has no core any more. */
export function condemnedStatus(found: RecoveredReplica): ShardStatus {
  return {
    group: found.group,
    incarnation: found.incarnation,
    state: 'condemned',
    reason: found.reason,
    role: 'follower',
    term: found.hardState.currentTerm,
    voters: [],
    learners: [],
    leader: null,
    firstIndex: (found.compacted?.index ?? 0) + 1,
    lastIndex: found.lastIndex,
    durableIndex: found.lastIndex,
    commitIndex: 0,
    appliedIndex: 0,
    checkpointIndex: 0,
    lag: 0,
    slots: 0,
    keys: 0,
    ...noContent,
    snapshotsInstalled: 0,
    stateHash: '',
    servesReads: false,
  }
}

interface NodeFacts {
  readonly state: NodeStatus['state']
  readonly name: string
  readonly clientAddress: string
  readonly peerAddress: string
  readonly clients: NonNullable<NodeStatus['clients']>
}

function logStatus({ batches, syncs, bytesWritten }: LogStats): NodeStatus['log'] {
  return { batches, syncs, bytesWritten }
}

export function nodeStatus(core: NodeCore, storage: Storage, facts: NodeFacts): NodeStatus {
  const { dirId, boot, clusterId } = storage.identity
  const now = core.now()
  const shards = [...core.replicas.all()].map((hosted) =>
    shardStatus(hosted, core.map, core.checkpointer.durableIndex(hosted.replica.group)),
  )
  return {
    id: facts.name,
    dirId,
    boot,
    clusterId,
    pid: process.pid,
    clientAddress: facts.clientAddress,
    peerAddress: facts.peerAddress,
    state: facts.state,
    mapEpoch: core.map.epoch,
    lowOnSpace: storage.lowOnSpace,
    log: logStatus(storage.log.stats),
    clients: facts.clients,
    nodes: (core.map.map?.nodes ?? []).map((node) => {
      const heardAt = core.pairs.clockOf(node.dirId)?.heardAt
      return { ...node, heardMsAgo: heardAt === undefined ? null : Math.round(now - heardAt) }
    }),
    shards: [...shards, ...core.replicas.condemned().map(condemnedStatus)].toSorted(
      (left, right) => left.group - right.group,
    ),
    changes: [...core.map.changes].map(([group, { id, target, cancelled }]) => ({
      group,
      id,
      target: target.map((one) => core.map.node(core.map.nodeOf(group, one) ?? '')?.name ?? `?${one}`),
      cancelled,
      step: core.membership.stepOf(group),
    })),
  }
}
