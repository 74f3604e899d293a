// Implements 3.5 and 10.2.1, log replication: what a leader sends, and when.
import type { ReplicaId } from './configuration.ts'
import type { EntryMeta } from './entry.ts'
import { PROBE_RETRY_MS, SNAPSHOT_RETRY_MS } from './limits.ts'
import {
  becomeProbe,
  becomeSnapshot,
  heard,
  isLive,
  recordInflight,
  setNextIndex,
  windowIsFull,
} from './progress.ts'
import type { Inflight, Progress } from './progress.ts'
import { send } from './replica.ts'
import type { Replica } from './replica.ts'
import type { LeaderState } from './role.ts'

export function sendAppendsToAll(replica: Replica, leader: LeaderState): void {
  for (const [peer, progress] of leader.progress) sendAppends(replica, peer, progress)
}

/** Sends what the peer's state admits now. */
export function sendAppends(replica: Replica, peer: ReplicaId, progress: Progress): void {
  const { state } = progress
  switch (state.kind) {
    case 'snapshot':
      return
    case 'probe':
      if (!state.asked) probe(replica, peer, progress, true)
      return
    case 'replicate':
      fillWindow(replica, peer, progress, state.inflight)
  }
}

/** Called at every tick: what has been lost on the way is noticed by nobody else. */
export function retryAppends(replica: Replica, leader: LeaderState): void {
  for (const [peer, progress] of leader.progress) {
    const { state } = progress
    const lastTraffic = Math.max(progress.appendSentAt, progress.appendAnsweredAt)
    // A peer that does not even answer heartbeats is asked seldom: it may be gone for long.
    const live = isLive(progress, replica.now, replica.limits)
    const patienceMs = live ? PROBE_RETRY_MS : replica.limits.electionTimeoutMsMax
    if (state.kind === 'snapshot' || replica.now - lastTraffic < patienceMs) continue
    if (state.kind === 'probe') {
      // Entries went with the first one. While nobody answers, an empty append asks the same question.
      probe(replica, peer, progress, !state.asked)
    } else if (state.inflight.appends.length === 0) {
      sendAppends(replica, peer, progress)
    } else {
      // The peer's disk may just be slow: asking behind what was sent resends nothing unless something is missing.
      sendAppend(replica, peer, progress, [])
    }
  }
}

/** The bytes were compacted between the core's decision and the host's sending. */
export function appendUnavailable(replica: Replica, leader: LeaderState, peer: ReplicaId): void {
  const progress = leader.progress.get(peer)
  if (progress === undefined || progress.state.kind === 'snapshot') return
  wantSnapshot(replica, peer, progress)
}

export function snapshotSent(replica: Replica, leader: LeaderState, peer: ReplicaId, index: number): void {
  const progress = leader.progress.get(peer)
  if (progress?.state.kind !== 'snapshot') return
  heard(progress, replica.now)
  const nextIndex = Math.max(progress.matchIndex, Math.min(index, replica.log.lastIndex)) + 1
  becomeProbe(progress, nextIndex)
  sendAppends(replica, peer, progress)
}

export function snapshotFailed(replica: Replica, leader: LeaderState, peer: ReplicaId): void {
  const progress = leader.progress.get(peer)
  if (progress?.state.kind !== 'snapshot') return
  progress.snapshotAllowedAt = replica.now + SNAPSHOT_RETRY_MS
  becomeProbe(progress, progress.matchIndex + 1)
  sendAppends(replica, peer, progress)
}

function probe(replica: Replica, peer: ReplicaId, progress: Progress, withEntries: boolean): void {
  if (progress.nextIndex <= replica.log.compactedIndex) {
    wantSnapshot(replica, peer, progress)
    return
  }
  const { limits, log } = replica
  sendAppend(
    replica,
    peer,
    progress,
    withEntries ? log.entriesFrom(progress.nextIndex, limits.appendBytes) : [],
  )
  progress.state = { kind: 'probe', asked: true }
}

function fillWindow(replica: Replica, peer: ReplicaId, progress: Progress, inflight: Inflight): void {
  const { limits, log } = replica
  while (progress.nextIndex <= log.lastIndex && !windowIsFull(inflight, limits)) {
    if (progress.nextIndex <= log.compactedIndex) {
      wantSnapshot(replica, peer, progress)
      return
    }
    // What is left of the window also bounds the append, so that two large ones do not make a larger third.
    const bytesMax = Math.min(limits.appendBytes, limits.inflightBytes - inflight.bytes)
    const entries = log.entriesFrom(progress.nextIndex, bytesMax)
    sendAppend(replica, peer, progress, entries)
    let bytes = 0
    for (const entry of entries) bytes += entry.bytes
    setNextIndex(progress, progress.nextIndex + entries.length)
    recordInflight(inflight, progress.nextIndex - 1, bytes)
  }
}

function sendAppend(
  replica: Replica,
  peer: ReplicaId,
  progress: Progress,
  entries: readonly EntryMeta[],
): void {
  const { log } = replica
  const previousIndex = progress.nextIndex - 1
  const previousTerm = log.termAt(previousIndex)
  if (previousTerm === null) {
    wantSnapshot(replica, peer, progress)
    return
  }
  progress.appendSentAt = replica.now
  progress.sentIndex = Math.max(progress.sentIndex, previousIndex + entries.length)
  send(replica, peer, {
    type: 'appendRequest',
    term: replica.currentTerm,
    previousIndex,
    previousTerm,
    entries,
    commitIndex: replica.commitIndex,
  })
}

/** Once for each time the peer falls behind the log, not while nobody is there to take it, and not in a tight loop. */
function wantSnapshot(replica: Replica, peer: ReplicaId, progress: Progress): void {
  const { log } = replica
  if (replica.now < progress.snapshotAllowedAt || !isLive(progress, replica.now, replica.limits)) return
  becomeSnapshot(progress)
  // It answers with what it knows as committed, and all of that was in this log when this leader was elected.
  progress.sentIndex = log.lastIndex
  replica.out.snapshotWanted.push(peer)
}
