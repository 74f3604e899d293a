// Numbers of one node. Tests make them small; the relations between them are asserted where a node is created.
import { limits } from '@quorate/protocol'
import type { NodeSettings } from './node.ts'

const MIB = 1_048_576
const TIMER_MS_MAX = 2_147_483_647

export const defaultSettings: NodeSettings = {
  segmentBytes: 64 * MIB,
  retainBytes: 128 * MIB,
  checkpointLogBytes: 64 * MIB,
  checkpointMsMin: 1_000,
  checkpointMsMax: 10_000,
  snapshotChunkBytes: 256 * 1024,
  stateHashEvery: 1_024,
  /** A day. */
  scrubMs: 86_400_000,
  balanceLeadersMs: 500,
}

/** Values that stay the same in tests. */
export const fixed = {
  /** Snapshots that a node sends at the same time; others wait. Bounds what their windows hold in memory. */
  snapshotsAtOnce: 4,
  /** 1 MiB: unanswered chunks of one snapshot; the first is sent whatever its size. */
  snapshotWindowBytes: 1_048_576,
  /** 64 MiB/s: what a node sends of snapshots, so that they leave room for appends. */
  snapshotBytesPerMs: 67_109,
  /** Chunks that nobody answers are sent again after this long. */
  snapshotResendMs: 500,
  /** After so long without any answer the snapshot has failed. */
  snapshotSilentMs: 10_000,
  /** The log behind a snapshot is kept for its receiver for at most this long, and this much of it (storage.md). */
  snapshotHoldMs: 600_000,
  /** 1 GiB. */
  snapshotHoldBytes: 1_073_741_824,
  /** Between two attempts to reach a peer, doubling from min to max. */
  redialMsMin: 20,
  redialMsMax: 500,
  /** From the dial to the third welcome. */
  greetingMs: 1_000,
  /** How often each connection to a peer is looked at, and asked whether it is alive while an answer is due. */
  probeMs: 100,
  /** An idle connection is asked every so many times. */
  idleProbeTicks: 2,
  /** 4 MiB/s: what a connection may need for a large frame before its silence counts. */
  slowestPeerBytesPerMs: 4_194,
  /** A caller is told how much of it has arrived, even if it does not ask, but not more often than this. */
  progressMs: 200,
  /** It is also told when so many bytes of its appends are synced. */
  /** 4 MiB. */
  progressDoneBytes: 4_194_304,
  /** A caller that says nothing on one of its connections for so many ticks is gone: 5 s. */
  callerTickMs: 1_000,
  callerSilentTicks: 5,
  /** Inbound peer connections that have not said hello; the oldest makes room for the next. */
  greetingsMax: 1_024,
  /** Directories that called and are in no map of which something is remembered. */
  strangersMax: 1_024,
  /** Bytes that may wait in the control connection to one peer before what is for it is dropped: all of it is repeated. */
  /** 16 MiB. */
  controlBufferBytes: 16_777_216,
  /** Appends to one peer that wait for its credit; beyond, some are dropped: Raft repeats them. */
  /** 16 MiB. */
  appendQueueBytes: 16_777_216,
  /** Bytes that may wait in the bulk connection to one peer before chunks are dropped: their sender repeats them. */
  /** 8 MiB. */
  bulkBufferBytes: 8_388_608,
  /** 64 MiB: answers that may wait for one client to read them before its connection is closed. */
  clientBufferBytes: 67_108_864,
  /** Connections of clients at one time; one more hears OVERLOADED. */
  clientConnections: 10_000,
  /** A connection that has not said hello by then is closed, on either port. */
  helloMs: 5_000,
  /** A client's connection without requests for so long is closed, at most `clientSweepMs` later; its session ends as well. */
  clientIdleMs: 600_000,
  clientSweepMs: 60_000,
  /** Unanswered requests of one connection, with 64 MiB of sections and keys; more are refused as OVERLOADED. */
  connectionRequests: { requests: 65_536, bytes: 67_108_864 },
  /** Of all connections together, with 256 MiB. */
  nodeRequests: { requests: 262_144, bytes: 268_435_456 },
  /** Committed entries applied in one go before other work gets its turn. */
  applyEntriesPerTurn: 64,
  /** Encoded bytes of commands that wait in memory of one group for the next entry. */
  /** 16 MiB. */
  queuedBytesPerGroup: 16_777_216,
  /** 256 MiB of changed entries in memory over all groups: then apply pauses and new writes are refused as OVERLOADED. */
  overlayBytes: 268_435_456,
  /** How often a leader without disk space, or with a stuck disk, tries to hand over. */
  spaceHandOverMs: 1_000,
  /** A write or sync in flight for so long: leadership goes to healthy peers. */
  diskHandOverMs: 1_000,
  /** A write or sync in flight for so long: nothing is led here. */
  diskStepDownMs: 3_000,
  /** The oldest uncommitted entry is the same for so long, three election timeouts: another voter is asked to lead. */
  progressTransferMs: 1_800,
  /** And one election timeout later, if that did not help. */
  progressStepDownMs: 2_400,
  /** A node at another address than the map says asks this often to be entered anew. */
  announceMs: 1_000,
  /** Expired entries that one sweep removes: about a millisecond of apply. */
  sweepEntries: 256,
  /** Between two sweeps of a shard at least: with `sweepEntries`, 51,200 entries a second. */
  sweepPauseMs: 5,
  /** After a sweep that was refused. */
  sweepRetryMs: 100,
  /** A leader looks at the log clock again at least this often before a deadline: a majority may pull that clock ahead. */
  sweepLookMs: 10_000,
  /** Entries that one eviction takes: about a millisecond of apply. */
  evictEntries: 256,
  /** Behind a look that found nothing to evict, as often as the mark of every entry may have to be taken first; and later on. */
  evictLookMs: 1,
  evictIdleMs: 100,
  /** Looks that follow each other so fast. */
  evictLooks: 256,
  /** Scans of the store for one eviction. */
  evictScans: 16,
  /** A report to the meta group is repeated after this long until the map shows that it was heard. */
  reportMs: 250,
  /** Wall and monotonic clock may drift apart by so much since a heartbeat left; beyond, its confirmation gives neither a lease nor an age. */
  clocksDisagreeMs: 50,
  /** Reads of one group that may wait for confirmation. */
  readsWaitingPerGroup: 4_096,
} as const

/** Throws on settings that contradict each other: a programming mistake, not an operator's. */
export function completeSettings(partial: Partial<NodeSettings> | undefined): NodeSettings {
  const settings = { ...defaultSettings, ...partial }
  if (settings.checkpointMsMin > settings.checkpointMsMax)
    throw new RangeError('checkpointMsMin > checkpointMsMax')
  if (fixed.diskHandOverMs >= fixed.diskStepDownMs) throw new RangeError('disk watchdog out of order')
  if (fixed.progressTransferMs !== 3 * limits.electionTimeoutMsMax)
    throw new RangeError('progress watchdog: not three election timeouts')
  if (settings.segmentBytes < 64 * 1024) throw new RangeError('segmentBytes < 64 KiB')
  if (settings.stateHashEvery < 1) throw new RangeError('stateHashEvery < 1')
  // A longer delay than a timer can hold would be none at all.
  if (settings.scrubMs < 1 || settings.scrubMs > TIMER_MS_MAX) throw new RangeError('scrubMs out of range')
  if (settings.balanceLeadersMs < 0 || settings.balanceLeadersMs > TIMER_MS_MAX)
    throw new RangeError('balanceLeadersMs out of range')
  return settings
}
