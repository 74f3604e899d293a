// Implements a leader's view of one peer (dissertation 10.2.1; states probe, replicate, snapshot as etcd-io/raft has them).
import { violated } from './invariant.ts'
import type { RaftLimits } from './raft.ts'

export interface Progress {
  /** The highest index known durable there. Only grows within a term; at most the leader's lastIndex. */
  matchIndex: number
  /** The highest index that any append of this leadership named to the peer: an acknowledgement of more counts for nothing (B3). */
  sentIndex: number
  /** The next entry to send. Always above matchIndex (B5). */
  nextIndex: number
  state: ProgressState
  /** When anything of this term last came from the peer; at first when the leader began to watch it. */
  heardAt: number
  /** False until something came: the benefit of the doubt is for CheckQuorum, not for promotions. */
  heard: boolean
  /** The newest read round that the peer confirmed in this term. Rounds are never reused (D2). */
  confirmedRound: number
  /** When the newest confirmed heartbeat left here: what a lease counts from (time.md). */
  confirmedSentAt: number
  /** When the last append left, and the last answer to one came; for retries. */
  appendSentAt: number
  appendAnsweredAt: number
  /** Before this no snapshot is wanted for the peer. */
  snapshotAllowedAt: number
}

export type ProgressState =
  /** Where the logs meet is not known: one append at a time. `asked`: one is out. */
  | { readonly kind: 'probe'; asked: boolean }
  /** They meet: `nextIndex` runs ahead of the answers, up to the window. */
  | { readonly kind: 'replicate'; readonly inflight: Inflight }
  /** The log in front of the peer is compacted; the host sends a snapshot. */
  | { readonly kind: 'snapshot' }

/** Appends on their way, oldest first. */
export interface Inflight {
  bytes: number
  readonly appends: { readonly lastIndex: number; readonly bytes: number }[]
}

export function newProgress(nextIndex: number, now: number): Progress {
  return {
    matchIndex: 0,
    sentIndex: 0,
    nextIndex,
    state: { kind: 'probe', asked: false },
    heardAt: now,
    heard: false,
    confirmedRound: 0,
    confirmedSentAt: -Infinity,
    appendSentAt: -Infinity,
    appendAnsweredAt: now,
    snapshotAllowedAt: -Infinity,
  }
}

export function becomeProbe(progress: Progress, nextIndex: number): void {
  progress.state = { kind: 'probe', asked: false }
  setNextIndex(progress, nextIndex)
}

export function becomeReplicate(progress: Progress): void {
  progress.state = { kind: 'replicate', inflight: { bytes: 0, appends: [] } }
  setNextIndex(progress, progress.matchIndex + 1)
}

export function becomeSnapshot(progress: Progress): void {
  progress.state = { kind: 'snapshot' }
}

export function setNextIndex(progress: Progress, nextIndex: number): void {
  progress.nextIndex = nextIndex
  if (nextIndex <= progress.matchIndex) {
    violated('PROGRESS_OUT_OF_RANGE', `nextIndex ${nextIndex}, matchIndex ${progress.matchIndex}`)
  }
}

/** A window admits its first append whatever its size: otherwise one large entry would block a peer for ever. */
export function windowIsFull(inflight: Inflight, limits: RaftLimits): boolean {
  return inflight.appends.length >= limits.inflightAppends || inflight.bytes >= limits.inflightBytes
}

export function recordInflight(inflight: Inflight, lastIndex: number, bytes: number): void {
  inflight.appends.push({ lastIndex, bytes })
  inflight.bytes += bytes
}

export function releaseInflight(inflight: Inflight, matchIndex: number): void {
  for (let first = inflight.appends[0]; first !== undefined; first = inflight.appends[0]) {
    if (first.lastIndex > matchIndex) return
    inflight.appends.shift()
    inflight.bytes -= first.bytes
  }
}

export function heard(progress: Progress, now: number): void {
  progress.heard = true
  progress.heardAt = now
}

export function isLive(progress: Progress, now: number, limits: RaftLimits): boolean {
  return progress.heard && now - progress.heardAt < limits.checkQuorumMs
}
