// Implements 5, log compaction, as far as the core sees it: compacted logs and installed snapshots.
import type { Configuration, ReplicaId } from './configuration.ts'
import { committed } from './commit.ts'
import { violated } from './invariant.ts'
import { becomeFollower, sendAfterPersist, setCommitIndex } from './replica.ts'
import type { Replica } from './replica.ts'

export interface InstalledSnapshot {
  readonly from: ReplicaId | null
  readonly index: number
  readonly term: number
  readonly configuration: Configuration
  /** Index of the entry that made the configuration; `index` where the host does not say. */
  readonly configurationIndex?: number
}

/** The host dropped what its checkpoint covers. */
export function compact(replica: Replica, index: number): void {
  const { log, appliedIndex, durability } = replica
  if (index <= log.compactedIndex) return
  if (index > appliedIndex || index > durability.durableIndex) {
    violated(
      'COMPACTED_TOO_FAR',
      `compaction at ${index}, applied ${appliedIndex}, durable ${durability.durableIndex}`,
    )
  }
  log.compact(index)
}

/**
 * A snapshot holds only what is committed. Above the commit index it replaces a log that does not hold its last entry;
 * a log that holds it agrees up to there (log matching) and keeps what follows: that may have been acknowledged.
 */
export function snapshotInstalled(replica: Replica, snapshot: InstalledSnapshot): void {
  const { from, index } = snapshot
  if (index > replica.commitIndex) install(replica, snapshot)
  if (from === null) return
  // Committed entries are in the log of every later leader, so that this much needs no further proof.
  sendAfterPersist(replica, from, {
    type: 'appendAccepted',
    term: replica.currentTerm,
    matchIndex: replica.commitIndex,
  })
}

function install(replica: Replica, snapshot: InstalledSnapshot): void {
  const { log, durability } = replica
  const { index, term, configuration, configurationIndex = index } = snapshot
  // An entry of a term is also news of that term (C17): the log never ends in a term above the current one.
  if (term > replica.currentTerm) becomeFollower(replica, term, null)
  const { role } = replica
  if (configurationIndex > index) {
    violated('CONFIGURATION', `entry ${configurationIndex} in a snapshot at ${index}`)
  }
  const agrees = log.termAt(index) === term
  if (!agrees && role.name === 'leader') {
    violated('COMMITTED_CONFLICT', `a snapshot at ${index}/${term} is missing in the leader's log`)
  }
  if (!agrees) log.reset(index, term, configuration, configurationIndex)
  durability.covered(index, !agrees)
  // A leader may have begun to receive it before it was elected.
  if (role.name === 'leader') committed(replica, role, index)
  else setCommitIndex(replica, index)
  replica.appliedIndex = Math.max(replica.appliedIndex, index)
  if (agrees) log.compact(index)
}
