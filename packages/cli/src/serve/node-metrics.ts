// The metrics of a node by name: what each is, and where it stands in the node's measures. docs/metrics.md lists them.
import type { NodeMeasures, ShardMeasures } from '@quorate/node'
import { META_GROUP } from '@quorate/protocol'

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricDefinition {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly labels: readonly string[]
  readonly read: (measures: NodeMeasures) => readonly Sample[]
}

const of = (
  type: MetricDefinition['type'],
  name: string,
  help: string,
  value: (measures: NodeMeasures) => number,
): MetricDefinition => ({
  name,
  type,
  help,
  labels: [],
  read: (measures) => [{ labels: {}, value: value(measures) }],
})

/** One sample per replica that the node hosts. */
const perShard = (
  type: MetricDefinition['type'],
  name: string,
  help: string,
  value: (shard: ShardMeasures) => number,
): MetricDefinition => ({
  name,
  type,
  help,
  labels: ['shard'],
  read: ({ shards }) =>
    shards.map((shard) => ({ labels: { shard: shardLabel(shard.group) }, value: value(shard) })),
})

const shardLabel = (group: number): string => (group === META_GROUP ? 'meta' : String(group))
const flag = (value: boolean): number => (value ? 1 : 0)
const seconds = (milliseconds: number): number => milliseconds / 1000

const nodeDefinitions: readonly MetricDefinition[] = [
  of('gauge', 'quorate_map_epoch', 'Version of the shard map this node knows', ({ mapEpoch }) => mapEpoch),
  of('gauge', 'quorate_low_on_space', '1 while the disk is so full that writes are refused', (measures) =>
    flag(measures.lowOnSpace),
  ),
  of('counter', 'quorate_log_batches_total', 'Batches written to the log', ({ log }) => log.batches),
  of('counter', 'quorate_log_syncs_total', 'Syncs of the log', ({ log }) => log.syncs),
  of('counter', 'quorate_log_written_bytes_total', 'Bytes written to the log', ({ log }) => log.bytesWritten),
  of('gauge', 'quorate_log_segments', 'Segments of the log on disk', ({ log }) => log.segments),
  of('gauge', 'quorate_log_busy_seconds', 'For how long the write or sync in flight has been', ({ log }) =>
    seconds(log.busyMs),
  ),
  of(
    'gauge',
    'quorate_overlay_bytes',
    'Changes in memory that no checkpoint has yet',
    (measures) => measures.overlayBytes,
  ),
  of(
    'gauge',
    'quorate_client_connections',
    'Clients that are connected',
    ({ clients }) => clients.connections,
  ),
  {
    name: 'quorate_client_requests_total',
    type: 'counter',
    help: 'Requests by kind and outcome: answered, unknown, or the code of the refusal',
    labels: ['kind', 'outcome'],
    read: ({ clients }) =>
      clients.requests.map(({ kind, outcome, count }) => ({ labels: { kind, outcome }, value: count })),
  },
  {
    name: 'quorate_client_operations_total',
    type: 'counter',
    help: 'Keys read and commands carried out, in requests that were answered',
    labels: ['kind'],
    read: ({ clients }) =>
      Object.entries(clients.operations).map(([kind, value]) => ({ labels: { kind }, value })),
  },
  {
    name: 'quorate_peer_silence_seconds',
    type: 'gauge',
    help: 'For how long nothing was heard of a peer; absent for one that was never heard',
    labels: ['peer'],
    read: ({ peers }) =>
      peers.flatMap(({ name, heardMsAgo }) =>
        heardMsAgo === null ? [] : [{ labels: { peer: name }, value: seconds(heardMsAgo) }],
      ),
  },
]

const shardDefinitions: readonly MetricDefinition[] = [
  {
    name: 'quorate_shard_role',
    type: 'gauge',
    help: '1 for the role of the replica: leader, follower, learner, candidate and the like',
    labels: ['shard', 'role'],
    read: ({ shards }) =>
      shards.map(({ group, role }) => ({ labels: { shard: shardLabel(group), role }, value: 1 })),
  },
  perShard('gauge', 'quorate_shard_live', '0 for a replica that is stopped or condemned', ({ state }) =>
    flag(state === 'live'),
  ),
  perShard('gauge', 'quorate_shard_leader_known', '1 while the replica knows a leader', ({ leaderKnown }) =>
    flag(leaderKnown),
  ),
  perShard(
    'gauge',
    'quorate_shard_serves_reads',
    '1 where this node leads the shard and serves it',
    (shard) => flag(shard.servesReads && shard.role === 'leader'),
  ),
  perShard('gauge', 'quorate_shard_term', 'Term of the replica; each election raises it', ({ term }) => term),
  perShard('gauge', 'quorate_shard_last_index', 'Newest entry of the log', ({ lastIndex }) => lastIndex),
  perShard(
    'gauge',
    'quorate_shard_commit_index',
    'Newest entry known to be committed',
    (shard) => shard.commitIndex,
  ),
  perShard(
    'gauge',
    'quorate_shard_applied_index',
    'Newest entry applied',
    ({ appliedIndex }) => appliedIndex,
  ),
  perShard('gauge', 'quorate_shard_lag', 'Entries known to be committed and not applied', (shard) =>
    Math.max(0, shard.commitIndex - shard.appliedIndex),
  ),
  perShard(
    'gauge',
    'quorate_shard_checkpoint_index',
    'Newest entry in a durable checkpoint',
    (shard) => shard.checkpointIndex,
  ),
  perShard('gauge', 'quorate_shard_slots', 'Slots that the shard owns', ({ slots }) => slots),
  perShard('gauge', 'quorate_shard_keys', 'Keys in the shard', ({ keys }) => keys),
  perShard(
    'gauge',
    'quorate_shard_bytes',
    'Bytes of its entries, with what each costs besides',
    (shard) => shard.bytes,
  ),
  perShard('gauge', 'quorate_shard_sessions', 'Sessions of clients', ({ sessions }) => sessions),
  perShard(
    'gauge',
    'quorate_shard_queued_bytes',
    'Commands that wait to be proposed',
    (shard) => shard.queuedBytes,
  ),
  perShard(
    'counter',
    'quorate_shard_snapshots_installed_total',
    'Snapshots installed here',
    (shard) => shard.snapshotsInstalled,
  ),
]

export const metricDefinitions: readonly MetricDefinition[] = [...nodeDefinitions, ...shardDefinitions]
