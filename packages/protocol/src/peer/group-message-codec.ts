// One message of a `messages` frame: what one replica says to another, with the entries' payloads.
import assert from 'node:assert/strict'
import type { AppendRequest, EntryMeta, Message } from '@quorate/raft'
import type { ByteReader } from '../bytes/byte-reader.ts'
import type { ByteWriter } from '../bytes/byte-writer.ts'
import { decodeConfiguration, encodeConfiguration } from '../configuration.ts'
import type { EntryPayload, GroupMessage } from '../peer-frame.ts'
import { unreachable } from '../unreachable.ts'

const VOTE_REQUEST = 1
const VOTE_REPLY = 2
const APPEND_REQUEST = 3
const APPEND_ACCEPTED = 4
const APPEND_REJECTED = 5
const TIMEOUT_NOW = 6
const TERM_NOTICE = 7

const PRE_VOTE = 1
const TRANSFER = 2
const GRANTED = 2

/** `type u8 | group u32 | from f64 | to f64 | term f64`. */
const ENVELOPE_BYTES = 29
/** `previousIndex f64 | previousTerm f64 | commitIndex f64 | count u32`: the longest of the fixed bodies. */
const BODY_BYTES_MAX = 28
/** `term f64 | type u8 | bytes u32 | stamp f64 | length u32`. */
const ENTRY_BYTES = 25

const entryTypes = ['noop', 'commands', 'configuration'] as const

/** An upper bound of the length that a message adds to a `messages` frame. */
export function groupMessageBytesMax({ payloads }: GroupMessage): number {
  return payloads.reduce(
    (length, { payload }) => length + ENTRY_BYTES + payload.length,
    ENVELOPE_BYTES + BODY_BYTES_MAX,
  )
}

export function writeGroupMessage(
  writer: ByteWriter,
  { group, from, to, message, payloads }: GroupMessage,
): void {
  const entries = message.type === 'appendRequest' ? message.entries.length : 0
  assert.equal(payloads.length, entries, 'one payload for each entry')
  writer.u8(typeOf(message), 'message type')
  writer.u32(group, 'group')
  writer.positive(from, 'from')
  writer.positive(to, 'to')
  writer.natural(message.term, 'term')
  writeBody(writer, message, payloads)
}

/** Payloads are copies, one by one: they stay in the log's tail long after the frame. */
export function readGroupMessage(reader: ByteReader): GroupMessage {
  const type = reader.u8()
  const group = reader.u32()
  const from = reader.positive()
  const to = reader.positive()
  const term = reader.natural()
  if (type !== APPEND_REQUEST) return { group, from, to, message: readBody(reader, type, term), payloads: [] }
  const payloads: EntryPayload[] = []
  const message = readAppendRequest(reader, term, payloads)
  return { group, from, to, message, payloads }
}

function typeOf(message: Message): number {
  switch (message.type) {
    case 'voteRequest':
      return VOTE_REQUEST
    case 'voteReply':
      return VOTE_REPLY
    case 'appendRequest':
      return APPEND_REQUEST
    case 'appendAccepted':
      return APPEND_ACCEPTED
    case 'appendRejected':
      return APPEND_REJECTED
    case 'timeoutNow':
      return TIMEOUT_NOW
    case 'termNotice':
      return TERM_NOTICE
    default:
      return unreachable(message)
  }
}

function writeBody(writer: ByteWriter, message: Message, payloads: readonly EntryPayload[]): void {
  switch (message.type) {
    case 'voteRequest':
      writer.u8((message.preVote ? PRE_VOTE : 0) | (message.transfer ? TRANSFER : 0), 'flags')
      writer.natural(message.lastIndex, 'lastIndex')
      writer.natural(message.lastTerm, 'lastTerm')
      return
    case 'voteReply':
      writer.u8((message.preVote ? PRE_VOTE : 0) | (message.granted ? GRANTED : 0), 'flags')
      return
    case 'appendRequest':
      writeAppendRequest(writer, message, payloads)
      return
    case 'appendAccepted':
      writer.natural(message.matchIndex, 'matchIndex')
      return
    case 'appendRejected':
      writer.natural(message.rejectedIndex, 'rejectedIndex')
      writer.natural(message.hintIndex, 'hintIndex')
      writer.natural(message.hintTerm, 'hintTerm')
      return
    case 'timeoutNow':
    case 'termNotice':
  }
}

function readBody(reader: ByteReader, type: number, term: number): Message {
  switch (type) {
    case VOTE_REQUEST: {
      const flags = reader.flags(PRE_VOTE | TRANSFER)
      const lastIndex = reader.natural()
      const lastTerm = reader.natural()
      const preVote = (flags & PRE_VOTE) !== 0
      return { type: 'voteRequest', term, preVote, lastIndex, lastTerm, transfer: (flags & TRANSFER) !== 0 }
    }
    case VOTE_REPLY: {
      const flags = reader.flags(PRE_VOTE | GRANTED)
      return { type: 'voteReply', term, preVote: (flags & PRE_VOTE) !== 0, granted: (flags & GRANTED) !== 0 }
    }
    case APPEND_ACCEPTED:
      return { type: 'appendAccepted', term, matchIndex: reader.natural() }
    case APPEND_REJECTED: {
      const rejectedIndex = reader.natural()
      const hintIndex = reader.natural()
      return { type: 'appendRejected', term, rejectedIndex, hintIndex, hintTerm: reader.natural() }
    }
    case TIMEOUT_NOW:
      return { type: 'timeoutNow', term }
    case TERM_NOTICE:
      return { type: 'termNotice', term }
    default:
      return reader.fail('an unknown type of message')
  }
}

function writeAppendRequest(
  writer: ByteWriter,
  message: AppendRequest,
  payloads: readonly EntryPayload[],
): void {
  writer.natural(message.previousIndex, 'previousIndex')
  writer.natural(message.previousTerm, 'previousTerm')
  writer.natural(message.commitIndex, 'commitIndex')
  writer.u32(payloads.length, 'entries')
  for (const [at, payload] of payloads.entries()) {
    const meta = message.entries[at]
    assert.equal(
      meta?.index,
      message.previousIndex + 1 + at,
      'entries of an append follow its previous index',
    )
    writeEntry(writer, meta, payload)
  }
}

function writeEntry(writer: ByteWriter, meta: EntryMeta, { type, stamp, payload }: EntryPayload): void {
  assert.equal(
    meta.configuration !== undefined,
    type === 'configuration',
    'core and host agree on the type of an entry',
  )
  if (meta.configuration !== undefined) {
    const encoded = encodeConfiguration(meta.configuration)
    assert.ok(Buffer.compare(encoded, payload) === 0, 'a configuration entry holds its encoded configuration')
  }
  assert.ok(type !== 'noop' || payload.length === 0, 'a no-op has no payload')
  writer.natural(meta.term, 'entry term')
  writer.u8(entryTypes.indexOf(type), 'entry type')
  writer.u32(meta.bytes, 'entry bytes')
  writer.natural(stamp, 'stamp')
  writer.u32(payload.length, 'payload length')
  writer.raw(payload)
}

function readAppendRequest(reader: ByteReader, term: number, payloads: EntryPayload[]): AppendRequest {
  const previousIndex = reader.natural()
  const previousTerm = reader.natural()
  const commitIndex = reader.natural()
  const count = reader.u32()
  if (!Number.isSafeInteger(previousIndex + count)) reader.fail('an entry index that is no safe integer')
  const entries: EntryMeta[] = []
  for (let at = 1; at <= count; at += 1) entries.push(readEntry(reader, previousIndex + at, payloads))
  return { type: 'appendRequest', term, previousIndex, previousTerm, entries, commitIndex }
}

function readEntry(reader: ByteReader, index: number, payloads: EntryPayload[]): EntryMeta {
  const term = reader.natural()
  const type = entryTypes[reader.u8()]
  if (type === undefined) reader.fail('an unknown type of entry')
  const bytes = reader.u32()
  const stamp = reader.natural()
  const payload = reader.copy(reader.u32())
  if (type === 'noop' && payload.length > 0) reader.fail('a no-op with a payload')
  payloads.push({ type, stamp, payload })
  if (type !== 'configuration') return { index, term, bytes }
  return { index, term, bytes, configuration: decodeConfiguration(payload) }
}
