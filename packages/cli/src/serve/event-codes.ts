// Every event that a node logs: how bad it is, and what it means. The codes are stable; docs/operating.md lists them.
import type { LogLevel } from './log-options.ts'

export interface EventCode {
  readonly level: LogLevel
  readonly means: string
}

export const eventCodes: Readonly<Record<string, EventCode>> = {
  listening: { level: 'info', means: 'both ports are open, the log has been read; the addresses as bound' },
  http_listening: { level: 'info', means: 'the port for operators is open' },
  stopping: { level: 'info', means: 'asked to stop: not ready from now on, leaders are handed over' },
  stopped: { level: 'info', means: 'all is closed in order' },
  stop_overdue: { level: 'error', means: 'the stop has not ended in time; the process ends now' },
  start_failed: { level: 'error', means: 'the node cannot start; `reason` and its code' },
  halted: { level: 'error', means: 'a promise cannot be kept any more; the process ends' },
  close_failed: { level: 'error', means: 'something could not be closed in order' },
  cluster_formed: { level: 'info', means: 'this node has formed a cluster' },
  cluster_joined: { level: 'info', means: 'this node belongs to a cluster now' },
  bootstrap_refused: { level: 'warn', means: 'a node named at the start wants nothing to do with this one' },
  disk_watch: {
    level: 'warn',
    means: 'a write or sync does not end (`handOver`, `stepDown`), or does again (`well`)',
  },
  leader_stuck: { level: 'warn', means: 'what this leader proposes does not commit; another one shall lead' },
  stepped_down: { level: 'warn', means: 'leads the shard no more, because of its disk or of no progress' },
  replica_created: { level: 'info', means: 'hosts a shard now' },
  replica_removed: { level: 'info', means: 'hosts the shard no more; its data is gone' },
  replica_stopped: { level: 'error', means: 'a shard here cannot go on until the node starts again' },
  replica_condemned: {
    level: 'error',
    means: 'what the disk holds of a shard cannot be believed; it is replaced or removed, never used',
  },
  snapshot_installed: { level: 'info', means: 'a shard was caught up by a snapshot' },
  snapshot_failed: { level: 'warn', means: 'a snapshot could not be sent; it is tried again' },
  snapshot_given_up: { level: 'warn', means: 'the receiver of a snapshot was silent for too long' },
  snapshot_refused: { level: 'warn', means: 'a snapshot that arrived was not installed' },
  stray_rows_damaged: { level: 'warn', means: 'rows that belong to no replica could not be read' },
  scrubbed: { level: 'debug', means: 'everything in the state store was read once and is sound' },
  flight_recorded: { level: 'warn', means: 'a flight recording of a replica was written; its path' },
  flight_recording_failed: { level: 'warn', means: 'a flight recording could not be written' },
  peer_lost: { level: 'warn', means: 'the connection to a peer has ended; it is dialled again' },
  peer_silent: { level: 'warn', means: 'a peer has said nothing for too long; its connection is cut' },
  peer_refused: { level: 'warn', means: 'a peer does not talk to this node' },
  peer_refused_here: { level: 'warn', means: 'this node does not talk to a peer' },
  peer_fault: { level: 'warn', means: 'a peer said what no correct one says; nothing of it counts' },
  peer_bad_frame: { level: 'warn', means: 'somebody at the peer port speaks something else' },
  peer_bad_report: { level: 'warn', means: 'what a peer reported of its shards cannot be' },
  peer_unexpected_frame: { level: 'warn', means: 'a peer sent a frame that has no place there' },
}

export function levelOf(code: string): LogLevel {
  return Object.hasOwn(eventCodes, code) ? (eventCodes[code]?.level ?? 'info') : 'info'
}
