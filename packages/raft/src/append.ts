// Implements 3.5, log replication: the follower's side.
import type { ReplicaId } from './configuration.ts'
import { violated } from './invariant.ts'
import type { AppendRequest } from './message.ts'
import { send, sendAfterPersist, setCommitIndex, writeEntries } from './replica.ts'
import type { Replica } from './replica.ts'

/** An append of the current term's leader. */
export function acceptAppend(replica: Replica, from: ReplicaId, message: AppendRequest): void {
  if (!isConsistent(message)) return
  if (!meetsLog(replica, message)) {
    reject(replica, from, message)
    return
  }
  const { previousIndex, entries } = message
  const firstNew = firstNewPosition(replica, message)
  if (firstNew < entries.length) {
    writeEntries(replica, firstNew === 0 ? entries : entries.slice(firstNew))
  }
  // Only this far does the message itself prove anything about this log (rule 3, B3).
  const proven = previousIndex + entries.length
  const commitIndex = Math.min(message.commitIndex, proven)
  if (commitIndex > replica.commitIndex) setCommitIndex(replica, commitIndex)
  // It leaves when everything written up to here is durable, also if an earlier append brought these entries.
  sendAfterPersist(replica, from, {
    type: 'appendAccepted',
    term: replica.currentTerm,
    matchIndex: proven,
  })
}

/** "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm" (Figure 3.1). */
function meetsLog(replica: Replica, message: AppendRequest): boolean {
  const { previousIndex, previousTerm } = message
  // Compacted entries are committed, so that every later leader has them.
  if (previousIndex < replica.log.compactedIndex) return true
  const term = replica.log.termAt(previousIndex)
  if (term === previousTerm) return true
  if (previousIndex <= replica.commitIndex) {
    violated(
      'COMMITTED_CONFLICT',
      `entry ${previousIndex} is committed with term ${term}, not ${previousTerm}`,
    )
  }
  return false
}

/** Position of the first entry that the log lacks or contradicts: nothing before a proven conflict is touched (B2, B4). */
function firstNewPosition(replica: Replica, message: AppendRequest): number {
  const { log, commitIndex } = replica
  const { entries } = message
  for (const [position, { index, term }] of entries.entries()) {
    if (index < log.compactedIndex) continue
    if (log.termAt(index) === term) continue
    if (index <= commitIndex) {
      violated(
        'COMMITTED_CONFLICT',
        `entry ${index} is committed with term ${log.termAt(index)}, not ${term}`,
      )
    }
    return position
  }
  return entries.length
}

function reject(replica: Replica, to: ReplicaId, message: AppendRequest): void {
  const hintIndex = replica.log.lastIndexWithTermAtMost(message.previousIndex, message.previousTerm)
  send(replica, to, {
    type: 'appendRejected',
    term: replica.currentTerm,
    rejectedIndex: message.previousIndex,
    hintIndex,
    hintTerm: replica.log.termAt(hintIndex) ?? 0,
  })
}

/** A message that no leader can have sent changes nothing. */
function isConsistent(message: AppendRequest): boolean {
  let { previousIndex: index, previousTerm: term } = message
  for (const entry of message.entries) {
    if (entry.index !== index + 1 || entry.term < term || entry.term > message.term) return false
    index = entry.index
    term = entry.term
  }
  return true
}
