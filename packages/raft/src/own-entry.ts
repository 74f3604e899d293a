// Implements the leader's appends to its own log (dissertation 3.5; append-only, Figure 3.2).
import type { Configuration } from './configuration.ts'
import type { EntryMeta } from './entry.ts'
import { CONFIGURATION_ENTRY_BYTES } from './limits.ts'
import { membersOf } from './membership.ts'
import { newProgress } from './progress.ts'
import { writeEntries } from './replica.ts'
import type { Replica } from './replica.ts'
import { sendAppendsToAll } from './replication.ts'
import type { LeaderState } from './role.ts'

/** Appends and replicates at once: the peers need not wait for the leader's disk (10.2.1). */
export function appendOwnEntry(replica: Replica, leader: LeaderState, bytes: number): void {
  append(replica, leader, { index: replica.log.lastIndex + 1, term: replica.currentTerm, bytes })
  sendAppendsToAll(replica, leader)
}

/** The configuration is in force from here on, so also for whom the entry itself is sent to. */
export function appendConfiguration(
  replica: Replica,
  leader: LeaderState,
  configuration: Configuration,
): void {
  append(replica, leader, {
    index: replica.log.lastIndex + 1,
    term: replica.currentTerm,
    bytes: CONFIGURATION_ENTRY_BYTES,
    configuration,
  })
  watchMembers(replica, leader.progress)
  sendAppendsToAll(replica, leader)
}

/** One `Progress` for each member but the leader itself, in the order of their ids. */
export function watchMembers(replica: Replica, progress: LeaderState['progress']): void {
  const members = membersOf(replica.log.configuration)
  for (const peer of progress.keys()) {
    if (!members.includes(peer)) progress.delete(peer)
  }
  for (const peer of members) {
    if (peer !== replica.self && !progress.has(peer)) {
      progress.set(peer, newProgress(replica.log.lastIndex + 1, replica.now))
    }
  }
}

function append(replica: Replica, leader: LeaderState, entry: EntryMeta): void {
  writeEntries(replica, [entry])
  leader.uncommittedBytes += entry.bytes
  replica.out.appended.push(entry)
}
