// Puts a replica together from what its disk held, and gives it the shape that hosts see.
import type { ReplicaId } from './configuration.ts'
import { Durability } from './durability.ts'
import type { Effects, Status } from './effects.ts'
import { imageOf, type RaftImage, replicaOf } from './image.ts'
import type { Input } from './input.ts'
import { violated } from './invariant.ts'
import { confirmedSentAt, leaseUntil } from './lease.ts'
import { completeLimits } from './limits.ts'
import { LogIndex } from './log-index.ts'
import { isSoleVoter } from './membership.ts'
import { nextTickAt, silentAt } from './next-tick.ts'
import { newOutbox } from './outbox.ts'
import type { Raft, RaftOptions } from './raft.ts'
import { leaderOf, resetElectionTimer, servesReads } from './replica.ts'
import type { Replica } from './replica.ts'
import { handleInput } from './step.ts'

/** A replica as recovered. It says nothing before its first step. Throws `InvariantViolation` where `recovered` cannot be. */
export function createRaft(options: RaftOptions): Raft {
  return raftOf(recoverReplica(options))
}

/** The replica that `Raft.image` saw, ready for the input that came next. Throws `InvariantViolation` where it cannot be one. */
export function raftFromImage(image: RaftImage): Raft {
  return raftOf(replicaOf(image))
}

function raftOf(replica: Replica): Raft {
  const { log, durability } = replica
  return {
    self: replica.self,
    get role() {
      return replica.role.name
    },
    get currentTerm() {
      return replica.currentTerm
    },
    get leader() {
      return leaderOf(replica)
    },
    get commitIndex() {
      return replica.commitIndex
    },
    get lastIndex() {
      return log.lastIndex
    },
    get configuration() {
      return log.configuration
    },
    get configurationIndex() {
      return log.configurationIndex
    },
    get durableIndex() {
      return durability.durableIndex
    },
    get durableTerm() {
      return durability.durableTerm
    },
    get servesReads() {
      return replica.role.name === 'leader' && servesReads(replica, replica.role)
    },
    get readsWaiting() {
      return replica.role.name === 'leader' ? replica.role.reads.length : 0
    },
    get nextTickAt() {
      return nextTickAt(replica)
    },
    get silentAt() {
      return silentAt(replica)
    },
    configurationAt: (index) => log.configurationAt(index),
    termAt: (index) => log.termAt(index),
    matchIndexOf: (peer) => matchIndexOf(replica, peer),
    confirmedSentAt: (now) =>
      replica.role.name === 'leader' ? confirmedSentAt(replica, replica.role, now) : null,
    leaseUntil: (now) => (replica.role.name === 'leader' ? leaseUntil(replica, replica.role, now) : 0),
    image: () => imageOf(replica),
    step: (input) => step(replica, input),
  }
}

function recoverReplica(options: RaftOptions): Replica {
  const { self, recovered, startedAt, draw } = options
  const { hardState, compacted, lastIndex } = recovered
  const limits = completeLimits(options.limits)
  const log = new LogIndex(recovered)
  const commitIndex = Math.max(recovered.commitIndex, recovered.appliedIndex, compacted.index)
  if (commitIndex > lastIndex) {
    violated('LOST_ACKNOWLEDGED', `committed up to ${commitIndex}, the log ends at ${lastIndex}`)
  }
  if (lastIndex > compacted.index && log.lastTerm > hardState.currentTerm) {
    violated('LOST_ACKNOWLEDGED', `an entry of term ${log.lastTerm}, recorded term ${hardState.currentTerm}`)
  }
  // A snapshot may have been installed just before its term was recorded; nothing was said in that term.
  const { currentTerm, votedFor } =
    compacted.term > hardState.currentTerm ? { currentTerm: compacted.term, votedFor: null } : hardState
  // A replica without a past has answered no heartbeat that it could have forgotten.
  const isNew = hardState.currentTerm === 0 && lastIndex === 0
  const replica: Replica = {
    self,
    limits,
    log,
    durability: new Durability(lastIndex, currentTerm),
    silentUntil: isNew ? -Infinity : startedAt + limits.electionTimeoutMsMax,
    currentTerm,
    votedFor,
    role: { name: 'follower', leader: null },
    commitIndex,
    appliedIndex: Math.max(recovered.appliedIndex, compacted.index),
    electionDeadline: startedAt,
    leaderHeardAt: -Infinity,
    now: startedAt,
    draw,
    out: newOutbox(),
  }
  // Alone there is nobody to wait for: it campaigns at its first tick.
  if (!isSoleVoter(log.configuration, self)) resetElectionTimer(replica)
  return replica
}

function matchIndexOf(replica: Replica, peer: ReplicaId): number | null {
  if (replica.role.name !== 'leader') return null
  return replica.role.progress.get(peer)?.matchIndex ?? null
}

function step(replica: Replica, input: Input): Effects {
  const before: Status = statusOf(replica)
  const committedBefore = replica.commitIndex
  const out = newOutbox()
  replica.out = out
  // Monotonic over one boot; a host that reads its clock twice must not turn a timer back.
  replica.now = Math.max(replica.now, input.now)
  replica.draw = input.draw
  handleInput(replica, input)
  const hardState = out.hardStateChanged
    ? { currentTerm: replica.currentTerm, votedFor: replica.votedFor }
    : null
  const mustPersist = hardState !== null || out.entries.length > 0
  return {
    send: out.send,
    persist: mustPersist ? replica.durability.begin(hardState, out.entries) : null,
    sendAfterPersist: out.sendAfterPersist,
    appended: out.appended,
    dropped: out.dropped,
    commitIndex: replica.commitIndex === committedBefore ? null : replica.commitIndex,
    reads: out.reads,
    readsDropped: out.readsDropped,
    snapshotWanted: out.snapshotWanted,
    status: changedStatus(before, replica),
  }
}

function statusOf(replica: Replica): Status {
  return { role: replica.role.name, currentTerm: replica.currentTerm, leader: leaderOf(replica) }
}

function changedStatus(before: Status, replica: Replica): Status | null {
  const after = statusOf(replica)
  const same =
    before.role === after.role && before.currentTerm === after.currentTerm && before.leader === after.leader
  return same ? null : after
}
