// The sending side of pair heartbeats: led sets, commit indexes, and what an answer confirms (shards.md, pair heartbeat).
import {
  type DirId,
  type GroupId,
  type LedGroup,
  limits,
  type PairAnswer,
  type PairHeartbeat,
} from '@quorate/protocol'
import type { Missed } from './quiet-replica.ts'

/** A group led here, as one peer has to know it. */
export interface Led extends LedGroup {
  readonly peer: DirId
  /** Capped by the receiver's matchIndex: never more than it is known to hold. */
  readonly commitIndex: number
  /** The receiver does not learn all that is committed, or the leader does not know it yet. */
  readonly capped: boolean
}

/** One group in one peer's led set. */
export interface LedRecord {
  readonly led: LedGroup
  readonly pair: Pair
  /** The first heartbeat that says it: answers to earlier ones are about something else. */
  readonly since: number
  commitIndex: number
  capped: boolean
  /** Counts the changes of the two above; the receiver is told until it has answered the newest. */
  version: number
  /** The newest answer confirms the group: as long as this holds, nobody is stepped for it. */
  vouched: boolean
  /** Newest sequence whose confirmation the leader was stepped with, and when that heartbeat left. */
  steppedSequence: number
  steppedSentAt: number
}

interface Sent {
  readonly round: number
  readonly sentAt: number
  readonly setNumber: number
  readonly commits: readonly { readonly record: LedRecord; readonly version: number }[]
}

interface Answered {
  readonly sequence: number
  readonly round: number
  readonly sentAt: number
  /** Monotonic ms at which the answer came. */
  readonly at: number
}

interface Pair {
  sequence: number
  setNumber: number
  /** By receiver: incarnations are never used twice. */
  readonly records: Map<number, LedRecord>
  readonly byGroup: Map<GroupId, LedRecord[]>
  setChanged: boolean
  /** The receiver is known to hold this set number. */
  confirmedSet: number
  /** Records whose commit index it is not known to hold. */
  readonly untold: Set<LedRecord>
  /** Records that its newest answer does not confirm. */
  readonly loud: Set<LedRecord>
  readonly sent: Map<number, Sent>
  /** Send times by sequence: what the peer's own heartbeats answer (stale reads). */
  readonly sentAt: Map<number, number>
  answered: Answered
}

/** Heartbeats kept for their answers; older ones are forgotten and confirm nothing. */
const SENT_MAX = 256

export interface HeartbeatParts {
  /** Monotonic ms. */
  readonly now: () => number
  /** The group's replica is stepped with what it missed, because that would be lost or is awaited. */
  readonly catchUp: (group: GroupId) => void
  /** The group's replica looks at its own timers again. */
  readonly attend: (group: GroupId) => void
}

/**
 * One per node. Sequences are per peer and per boot of this node, and never used twice.
 *
 * A record is *vouched* for while the newest answer of its peer confirms it. The leader of such a group is not stepped
 * for the answers; before anything else is stepped in it, it hears the newest one of each peer, at the moment it came
 * (`missed`). Only what is new is stepped at once: the first confirmation, and the last one before an exception or a
 * silence.
 */
export class PairHeartbeats {
  readonly #pairs = new Map<DirId, Pair>()
  readonly #records = new Map<GroupId, LedRecord[]>()
  readonly #parts: HeartbeatParts

  constructor(parts: HeartbeatParts) {
    this.#parts = parts
  }

  /** The peer may have forgotten everything: its connection is new. Sequences go on. */
  reconnected(peer: DirId): void {
    const pair = this.#pair(peer)
    pair.confirmedSet = 0
    for (const record of pair.records.values()) pair.untold.add(untold(record))
  }

  /** What is led in the group from now on, for all peers; nothing for a group that is not led here. */
  lead(group: GroupId, led: readonly Led[]): void {
    const before = this.#records.get(group) ?? []
    if (before.length === 0 && led.length === 0) return
    const records = led.map((one) => this.#record(one, before))
    for (const old of before) if (!records.includes(old)) this.#remove(old)
    if (records.length === 0) this.#records.delete(group)
    else this.#records.set(group, records)
  }

  /** The heartbeat that leaves now for `peer`. */
  make(
    peer: DirId,
    round: number,
    about: Pick<PairHeartbeat, 'answers' | 'answersBoot' | 'syncedLog' | 'wallMs' | 'confirmedAge'>,
  ): PairHeartbeat {
    const pair = this.#pair(peer)
    const now = this.#parts.now()
    if (pair.setChanged) {
      pair.setChanged = false
      pair.setNumber += 1
      for (const record of pair.records.values()) pair.untold.add(untold(record))
    }
    pair.sequence += 1
    const records = [...pair.untold]
    const commits = records.map((record) => ({ record, version: record.version }))
    pair.sent.set(pair.sequence, { round, sentAt: now, setNumber: pair.setNumber, commits })
    pair.sentAt.set(pair.sequence, now)
    forget(pair.sent, pair.sequence - SENT_MAX)
    forget(pair.sentAt, pair.sequence - SENT_MAX)
    return {
      type: 'heartbeat',
      ...about,
      setNumber: pair.setNumber,
      sequence: pair.sequence,
      ledSet: pair.confirmedSet === pair.setNumber ? null : setOf(pair),
      commits: records.map(({ led, commitIndex, capped }) => ({ group: led.group, commitIndex, capped })),
    }
  }

  /** False for an answer that proves nothing: unknown, repeated, or about another set. */
  answered(peer: DirId, answer: PairAnswer): boolean {
    const pair = this.#pairs.get(peer)
    const sent = pair?.sent.get(answer.sequence)
    if (pair === undefined || sent === undefined) return false
    forget(pair.sent, answer.sequence)
    if (sent.setNumber !== answer.setNumber) {
      // It does not know the set: perhaps it has forgotten it since it confirmed it. Nothing else would ever tell it again.
      if (sent.setNumber === pair.setNumber) this.reconnected(peer)
      return false
    }
    if (sent.setNumber === pair.setNumber) {
      pair.confirmedSet = pair.setNumber
      for (const { record, version } of sent.commits)
        if (record.version === version) pair.untold.delete(record)
    }
    const { sequence } = answer
    for (const group of answer.exceptions)
      for (const record of pair.byGroup.get(group) ?? []) if (record.since <= sequence) this.#unvouch(record)
    const excepted = new Set(answer.exceptions)
    pair.answered = { sequence, round: sent.round, sentAt: sent.sentAt, at: this.#parts.now() }
    for (const record of pair.loud) {
      if (record.since > sequence || excepted.has(record.led.group)) continue
      pair.loud.delete(record)
      record.vouched = true
      this.#parts.catchUp(record.led.group)
    }
    return true
  }

  /** Newest confirmations that the group's leader was not stepped with, in the order in which they came. */
  missed(group: GroupId): readonly Missed[] {
    const records = this.#records.get(group)
    if (records === undefined) return none
    let missed: Missed[] | null = null
    for (const record of records) {
      const { round, sentAt, at, sequence } = record.pair.answered
      if (!record.vouched || sequence <= record.steppedSequence) continue
      record.steppedSequence = sequence
      record.steppedSentAt = sentAt
      const { receiver: from, term } = record.led
      missed ??= []
      missed.push({ input: { type: 'confirmed', from, term, round, sentAt }, at })
    }
    return missed === null ? none : missed.toSorted((left, right) => left.at - right.at)
  }

  /** All `peers` of the group confirm it, and have been heard within the time that CheckQuorum allows. */
  hushed(group: GroupId, peers: number): boolean {
    const records = this.#records.get(group)
    return records !== undefined && records.length >= peers && records.every((record) => record.vouched)
  }

  /** Called at every tick: what a peer that has fallen silent had confirmed is known to its leaders before they judge. */
  noticeSilence(): void {
    const now = this.#parts.now()
    for (const pair of this.#pairs.values()) {
      if (now - pair.answered.at < limits.checkQuorumMs || pair.loud.size === pair.records.size) continue
      for (const record of pair.records.values()) this.#unvouch(record)
    }
  }

  /** When the heartbeat left, null if that is forgotten. */
  sentAt(peer: DirId, sequence: number): number | null {
    const pair = this.#pairs.get(peer)
    if (pair === undefined) return null
    const sentAt = pair.sentAt.get(sequence)
    if (sentAt !== undefined) forget(pair.sentAt, sequence - 1)
    return sentAt ?? null
  }

  /** Send time of the newest heartbeat that the peer has answered; -Infinity without one. */
  answeredSentAt(peer: DirId): number {
    return this.#pairs.get(peer)?.answered.sentAt ?? -Infinity
  }

  /** Groups that not every peer's newest answer confirms. */
  *unconfirmed(): Iterable<GroupId> {
    for (const { loud } of this.#pairs.values()) for (const { led } of loud) yield led.group
  }

  /** Send time of the newest heartbeat that `receiver` has confirmed for the group; -Infinity without one. */
  confirmedSentAt(group: GroupId, receiver: number): number {
    const record = this.#records.get(group)?.find(({ led }) => led.receiver === receiver)
    if (record === undefined) return -Infinity
    return record.vouched ? record.pair.answered.sentAt : record.steppedSentAt
  }

  #record(led: Led, before: readonly LedRecord[]): LedRecord {
    const { peer, group, term, leader, receiver, commitIndex, capped } = led
    const pair = this.#pair(peer)
    const known = before.find(
      (old) =>
        old.pair === pair &&
        old.led.receiver === receiver &&
        old.led.term === term &&
        old.led.leader === leader,
    )
    if (known !== undefined) {
      if (known.commitIndex === commitIndex && known.capped === capped) return known
      known.commitIndex = commitIndex
      known.capped = capped
      pair.untold.add(untold(known))
      return known
    }
    const record: LedRecord = {
      led: { group, term, leader, receiver },
      pair,
      since: pair.sequence + 1,
      commitIndex,
      capped,
      version: 1,
      vouched: false,
      steppedSequence: 0,
      steppedSentAt: -Infinity,
    }
    const replaced = pair.records.get(receiver)
    if (replaced !== undefined) this.#remove(replaced)
    pair.records.set(receiver, record)
    pair.byGroup.set(group, [...(pair.byGroup.get(group) ?? []), record])
    pair.loud.add(record)
    pair.setChanged = true
    return record
  }

  #remove(record: LedRecord): void {
    const { pair, led } = record
    pair.loud.delete(record)
    pair.untold.delete(record)
    const left = (pair.byGroup.get(led.group) ?? []).filter((one) => one !== record)
    if (left.length === 0) pair.byGroup.delete(led.group)
    else pair.byGroup.set(led.group, left)
    if (pair.records.get(led.receiver) !== record) return
    pair.records.delete(led.receiver)
    pair.setChanged = true
  }

  #unvouch(record: LedRecord): void {
    if (!record.vouched) return
    const { group } = record.led
    this.#parts.catchUp(group)
    record.vouched = false
    record.pair.loud.add(record)
    this.#parts.attend(group)
  }

  #pair(peer: DirId): Pair {
    let pair = this.#pairs.get(peer)
    if (pair === undefined) {
      pair = newPair()
      this.#pairs.set(peer, pair)
    }
    return pair
  }
}

const none: readonly Missed[] = []

const newPair = (): Pair => ({
  sequence: 0,
  setNumber: 0,
  records: new Map(),
  byGroup: new Map(),
  setChanged: false,
  confirmedSet: -1,
  untold: new Set(),
  loud: new Set(),
  sent: new Map(),
  sentAt: new Map(),
  answered: { sequence: 0, round: 0, sentAt: -Infinity, at: -Infinity },
})

/** A number of its own for what is to be told: also for a value that was told before another one. */
function untold(record: LedRecord): LedRecord {
  record.version += 1
  return record
}

/** Ascending by group. */
function setOf(pair: Pair): LedGroup[] {
  return [...pair.records.values()]
    .map(({ led }) => led)
    .toSorted((left, right) => left.group - right.group || left.receiver - right.receiver)
}

/** Sequences are inserted in ascending order. */
function forget(bySequence: Map<number, unknown>, upTo: number): void {
  for (const sequence of bySequence.keys()) {
    if (sequence > upTo) return
    bySequence.delete(sequence)
  }
}
