// The sending side of pair heartbeats: led sets, commit indexes, and what an answer confirms (shards.md, pair heartbeat).
import type { DirId, LedGroup, PairAnswer, PairHeartbeat } from '@quorate/protocol'

/** A group led here, as one peer has to know it. */
export interface Led extends LedGroup {
  /** Capped by the receiver's matchIndex: never more than it is known to hold. */
  readonly commitIndex: number
  readonly capped: boolean
}

interface Sent {
  readonly round: number
  readonly sentAt: number
  readonly setNumber: number
  readonly set: readonly LedGroup[]
  readonly commits: readonly { readonly group: number; readonly commitIndex: number }[]
}

interface Pair {
  sequence: number
  setNumber: number
  set: readonly LedGroup[]
  /** The receiver is known to hold this set number. */
  confirmedSet: number
  readonly confirmedCommits: Map<number, number>
  readonly sent: Map<number, Sent>
}

/** What one answer proves. */
export interface Confirmation {
  readonly round: number
  readonly sentAt: number
  /** Groups confirmed: led in this term by this node when the heartbeat left, no exception at the receiver. */
  readonly groups: readonly LedGroup[]
}

/** Heartbeats kept for their answers; older ones are forgotten and confirm nothing. */
const SENT_MAX = 256

/** One per node. Sequences are per peer and per boot of this node, and never used twice. */
export class PairHeartbeats {
  readonly #pairs = new Map<DirId, Pair>()

  /** The peer may have forgotten everything: its connection is new. Sequences go on. */
  reconnected(peer: DirId): void {
    const pair = this.#pair(peer)
    pair.confirmedSet = 0
    pair.confirmedCommits.clear()
  }

  /** The heartbeat that leaves now for `peer`. */
  make(
    peer: DirId,
    led: readonly Led[],
    round: number,
    now: number,
    about: Pick<PairHeartbeat, 'answers' | 'answersBoot' | 'syncedLog' | 'wallMs'>,
  ): PairHeartbeat {
    const pair = this.#pair(peer)
    if (!sameSet(pair.set, led)) {
      pair.setNumber += 1
      pair.set = led.map(({ group, term, leader, receiver }) => ({ group, term, leader, receiver }))
      pair.confirmedCommits.clear()
    }
    pair.sequence += 1
    const commits = led
      .filter((one) => pair.confirmedCommits.get(one.group) !== one.commitIndex)
      .map(({ group, commitIndex, capped }) => ({ group, commitIndex, capped }))
    pair.sent.set(pair.sequence, { round, sentAt: now, setNumber: pair.setNumber, set: pair.set, commits })
    if (pair.sent.size > SENT_MAX)
      for (const oldest of pair.sent.keys()) if (pair.sent.size > SENT_MAX) pair.sent.delete(oldest)
    return {
      type: 'heartbeat',
      ...about,
      setNumber: pair.setNumber,
      sequence: pair.sequence,
      confirmedAge: AGE_UNKNOWN,
      ledSet: pair.confirmedSet === pair.setNumber ? null : pair.set,
      commits,
    }
  }

  /** Null for an answer that proves nothing: unknown, repeated, or about another set. */
  answered(peer: DirId, answer: PairAnswer): Confirmation | null {
    const pair = this.#pairs.get(peer)
    const sent = pair?.sent.get(answer.sequence)
    if (pair === undefined || sent === undefined) return null
    for (const sequence of pair.sent.keys()) if (sequence <= answer.sequence) pair.sent.delete(sequence)
    if (sent.setNumber !== answer.setNumber) return null
    if (sent.setNumber === pair.setNumber) {
      pair.confirmedSet = pair.setNumber
      for (const { group, commitIndex } of sent.commits) pair.confirmedCommits.set(group, commitIndex)
    }
    const exceptions = new Set(answer.exceptions)
    return {
      round: sent.round,
      sentAt: sent.sentAt,
      groups: sent.set.filter((one) => !exceptions.has(one.group)),
    }
  }

  #pair(peer: DirId): Pair {
    let pair = this.#pairs.get(peer)
    if (pair === undefined) {
      pair = {
        sequence: 0,
        setNumber: 0,
        set: [],
        confirmedSet: -1,
        confirmedCommits: new Map(),
        sent: new Map(),
      }
      this.#pairs.set(peer, pair)
    }
    return pair
  }
}

/** Stale reads, which need the age of the confirmation, are not there yet: receivers must take it as unknown. */
const AGE_UNKNOWN = Number.MAX_SAFE_INTEGER

function sameSet(left: readonly LedGroup[], right: readonly LedGroup[]): boolean {
  return (
    left.length === right.length &&
    left.every((one, at) => {
      const other = right[at]
      return (
        other !== undefined &&
        one.group === other.group &&
        one.term === other.term &&
        one.leader === other.leader &&
        one.receiver === other.receiver
      )
    })
  )
}
