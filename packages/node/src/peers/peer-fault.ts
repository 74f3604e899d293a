// What no correct peer sends, whatever was lost, late or repeated: refused before the core sees it (decision 0010).
import { type GroupMessage, limits, type SnapshotFrame } from '@quorate/protocol'
import type { AppendRequest, Message, Raft } from '@quorate/raft'

type SnapshotChunk = Extract<SnapshotFrame, { readonly type: 'snapshotChunk' }>
type KnownRaft = Pick<Raft, 'currentTerm' | 'leader' | 'role' | 'lastIndex'>

/** The connection that brought it is closed; nothing of the frame behind it is believed. */
export class PeerFault extends Error {
  override readonly name = 'PeerFault'
}

/** What is wrong with a message of one replica to another; null if a correct peer may have sent it. */
export function faultOfMessage(raft: KnownRaft, { from, message, payloads }: GroupMessage): string | null {
  const fault = faultOfTerm(raft, message.term) ?? faultOfNumbers(message)
  if (fault !== null) return fault
  if (message.type === 'appendAccepted') return faultOfAcceptance(raft, message)
  if (message.type !== 'appendRequest') return null
  if (payloads.some(({ stamp }) => stamp > limits.logTimeMsMax)) return 'a stamp out of range'
  return faultOfEntries(message) ?? faultOfLeader(raft, from, message.term)
}

/** A heartbeat's word about one group: `term` is what its sender claims to lead in. */
export function faultOfLed(
  raft: KnownRaft,
  leader: number,
  term: number,
  commitIndex: number,
): string | null {
  if (commitIndex > limits.logIndexMax) return 'a commit index out of range'
  return faultOfTerm(raft, term) ?? faultOfLeader(raft, leader, term)
}

/** A chunk's word about the snapshot that it is part of. */
export function faultOfSnapshot(raft: KnownRaft, { term, snapshot }: SnapshotChunk): string | null {
  const { index, configuration, configurationIndex } = snapshot
  if (index === 0 || index > limits.logIndexMax) return 'a snapshot index out of range'
  if (snapshot.term === 0 || snapshot.term > term) return 'a snapshot of a later term than its sender'
  if (configurationIndex > index) return 'a snapshot with a configuration from behind it'
  if (configuration.voters.length === 0) return 'a snapshot of a group without voters'
  return faultOfTerm(raft, term)
}

/**
 * Terms count elections: what is so far ahead of the own never came from any, and would leave no terms for later ones. Whole
 * eras are compared, not a distance: a term that one replica took has to be good enough for others which are a few terms
 * behind it, or they would refuse each other for ever.
 */
function faultOfTerm({ currentTerm }: KnownRaft, term: number): string | null {
  return eraOf(term) > eraOf(currentTerm) + 1 || term > limits.termMax ? `term ${term} is out of range` : null
}

const eraOf = (term: number): number => Math.floor(term / limits.termsPerEra)

/** Election safety: this replica knows who leads in its term, so that whoever else says so has lost a vote or its mind. */
function faultOfLeader({ currentTerm, leader }: KnownRaft, from: number, term: number): string | null {
  if (term !== currentTerm || leader === null || leader === from) return null
  return `${from} claims to lead in term ${term}, which ${leader} leads`
}

function faultOfAcceptance(
  raft: KnownRaft,
  message: Extract<Message, { type: 'appendAccepted' }>,
): string | null {
  if (raft.role !== 'leader' || message.term !== raft.currentTerm || message.matchIndex <= raft.lastIndex)
    return null
  return `${message.matchIndex} is acknowledged, the log ends at ${raft.lastIndex}`
}

function faultOfEntries({ previousTerm, entries, term }: AppendRequest): string | null {
  let before = previousTerm
  if (before > term) return 'an append behind an entry of a later term'
  for (const entry of entries) {
    if (entry.term < before || entry.term > term || entry.term === 0)
      return 'an append with terms out of order'
    if (entry.configuration?.voters.length === 0) return 'a configuration without voters'
    before = entry.term
  }
  return null
}

function faultOfNumbers(message: Message): string | null {
  const indexes = indexesOf(message)
  return indexes.some((index) => index > limits.logIndexMax) ? 'a log index out of range' : null
}

function indexesOf(message: Message): readonly number[] {
  switch (message.type) {
    case 'voteRequest':
      return [message.lastIndex, message.lastTerm]
    case 'appendRequest':
      return [message.previousIndex + message.entries.length, message.commitIndex]
    case 'appendAccepted':
      return [message.matchIndex]
    case 'appendRejected':
      return [message.rejectedIndex, message.hintIndex, message.hintTerm]
    case 'voteReply':
    case 'timeoutNow':
    case 'termNotice':
      return []
  }
}
