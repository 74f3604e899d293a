// What a replica asks of the node that hosts it. The node implements it once for all its replicas.
import type { GroupId, PeerFrame } from '@quorate/protocol'
import type { Removal } from '@quorate/state-machine'
import type { LogEntry, LogPosition, LogRecord, StateStore } from '@quorate/storage'
import type { Timers } from '@quorate/runtime'
import type { FlightRecorder } from '../flight/flight-recorder.ts'
import type { NodeEvent, NodeSettings } from '../node.ts'
import type { Missed } from '../peers/quiet-replica.ts'
import type { Turn } from '../turn.ts'
import type { Replica } from './replica.ts'
import type { SnapshotTraffic } from './snapshot-traffic.ts'

export interface ReplicaHost {
  readonly turn: Turn
  readonly timers: Timers
  readonly store: StateStore
  readonly settings: NodeSettings
  readonly snapshotTraffic: SnapshotTraffic
  readonly flight: FlightRecorder
  /** Monotonic ms. */
  now(): number
  /** Uniform in [0, 1). */
  draw(): number
  /** Queues a log record and flushes at the end of the turn; returns its ticket. */
  append(record: LogRecord): number
  /** Resolves when the log is synced up to `ticket`; never if the node halts before. */
  whenSynced(ticket: number): Promise<void>
  /** End of the newest synced batch of the log. */
  syncedPosition(): LogPosition
  entries(group: GroupId, from: number, to: number, maxBytes: number): LogEntry[] | null
  /** Bytes written to the log in this boot. */
  logBytes(): number
  /** Sends to the node that hosts `replica` of `group`; lost if it cannot be reached. */
  sendTo(group: GroupId, replica: number, frame: PeerFrame): void
  /** Lower median of the wall clocks of the nodes that host these replicas (log-clock.ts). */
  agreedWallMs(group: GroupId, voters: readonly number[]): number | null
  /** Client address of the node that hosts `replica`, for hints. */
  clientAddressOf(group: GroupId, replica: number): string | null
  /** Which read round begins next; a read may not count on an earlier one. */
  nextReadRound(): number
  /** Reads wait for `round`: a heartbeat round has to begin as soon as none is in flight. */
  readsWait(round: number, count: number): void
  readsEnded(round: number, count: number): void
  /** No lease rests on heartbeats that left up to this moment, monotonic ms: a stall, or clocks that disagree. */
  leaseVoidedAt(): number
  /** Upper bound in ms of the age of what a stale read of the group would see here; null where it cannot be told. */
  staleAge(group: GroupId): number | null
  /** Since the process started the group's replica has applied all that a leader then called committed. */
  hasCaughtUp(group: GroupId): boolean
  /** What the replica was not stepped with when it came, oldest first; the host counts it as stepped from here on. */
  missed(group: GroupId): readonly Missed[]
  /** The replica was stepped, or may have to wait for a tick: it is looked at in the next one. */
  stepped(replica: Replica): void
  /** Role, term, leader, membership, condition or existence changed: answers to heartbeats may confirm it no more. */
  leadershipChanged(group: GroupId): void
  /** False while the disk is stuck: what is led here could not be recorded here. */
  mayLead(): boolean
  /** New writes are refused: space or memory is short. */
  admission(): 'open' | 'diskFull' | 'overloaded'
  /** What the entries of one shard may take, bytes; 0 = no limit. */
  shardBytesMax(): number
  /** The bytes of changed entries that the group keeps in memory are others. */
  overlayChanged(group: GroupId): void
  /** Changed entries in memory have reached their limit: apply waits for `overlayReleased`. */
  overlayFull(): boolean
  /** Calls `again` once after a checkpoint released some of the overlay. */
  overlayReleased(again: () => void): void
  /** Makes a checkpoint of the group now; resolves when it is durable, with its number. */
  checkpointNow(group: GroupId): Promise<number>
  /** Runs `work` while no checkpoint is under way. */
  exclusively<T>(work: () => Promise<T>): Promise<T>
  event(event: NodeEvent): void
  /** Apply removed entries by itself. */
  removed(group: GroupId, removals: readonly Removal[]): void
  /** A promise cannot be kept: the node stops at once. */
  halt(error: Error): void
}
