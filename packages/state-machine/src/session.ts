// A client's session: what makes a retry the same operation (sessions.md); as a row of kind 3.
import type { SessionId } from '@quorate/protocol'
import { limits } from '@quorate/protocol'
import { BadStateError } from './bad-state-error.ts'
import { AnswerWindow } from './answer-window.ts'
import { type Hash, hashOf } from './hash.ts'
import { rowReader } from './row-reader.ts'
import { rowWriter } from './row-writer.ts'
import { type Applied, decodeStoredAnswer, encodeStoredAnswer, type StoredAnswer } from './stored-answer.ts'

export interface Session {
  readonly id: SessionId
  /** Every sequence up to it is answered or given up. Never goes back. */
  ackedUpTo: number
  /** Log clock of the newest section for it, ms. */
  lastUse: number
  readonly answers: AnswerWindow
}

const SESSION_FORMAT = 1
const SESSION_HEAD_BYTES = 21
const SESSION_KEY_BYTES = 12

export function sessionName(id: SessionId): string {
  return `${id.group}.${id.version}`
}

export function cloneSession(session: Session): Session {
  return { ...session, answers: session.answers.clone() }
}

/** Not stored so far. */
export function storeAnswer({ answers }: Session, sequence: number, stored: StoredAnswer): void {
  const { position, result } = stored.answer
  if (result.type === 'written' && result.version === position.version)
    answers.setWritten(sequence, position.epoch, position.version, position.t)
  else answers.setOther(sequence, stored)
}

export function hashSession({ id, ackedUpTo, lastUse, answers }: Session): Hash {
  const { low, high } = answers.hash()
  return hashOf([id.group, id.version, ackedUpTo, lastUse, answers.size, low, high], [])
}

/** Group and version, big endian: rows lie in the order in which sessions were opened. */
export function sessionRowKey(id: SessionId): Uint8Array {
  const key = new Uint8Array(SESSION_KEY_BYTES)
  const view = new DataView(key.buffer)
  view.setUint32(0, id.group)
  view.setBigUint64(4, BigInt(id.version))
  return key
}

export function encodeSessionRow(session: Session): Uint8Array {
  const row = rowWriter(SESSION_HEAD_BYTES + session.answers.bytes)
  row.u8(SESSION_FORMAT)
  row.number(session.ackedUpTo)
  row.number(session.lastUse)
  row.u32(session.answers.size)
  for (const sequence of session.answers.sequences()) {
    const answer: Applied | undefined = session.answers.get(sequence)
    if (answer !== undefined) encodeStoredAnswer(row, sequence, answer)
  }
  return row.finish()
}

export function decodeSessionRow(key: Uint8Array, bytes: Uint8Array): Session {
  const id = decodeSessionKey(key)
  const name = `session row ${sessionName(id)}`
  const row = rowReader(bytes, name)
  const format = row.u8()
  if (format !== SESSION_FORMAT) throw new BadStateError(`${name}: format ${format}`)
  const session: Session = { id, ackedUpTo: row.number(), lastUse: row.number(), answers: new AnswerWindow() }
  const count = row.u32()
  if (count > limits.sessionWindow) throw new BadStateError(`${name}: ${count} answers`)
  for (let answer = 0; answer < count; answer++) {
    const [sequence, stored] = decodeStoredAnswer(row)
    const inWindow = sequence > session.ackedUpTo && sequence <= session.ackedUpTo + limits.sessionWindow
    if (!inWindow || session.answers.get(sequence) !== undefined)
      throw new BadStateError(`${name}: sequence ${sequence}`)
    storeAnswer(session, sequence, stored)
  }
  row.end()
  return session
}

function decodeSessionKey(key: Uint8Array): SessionId {
  if (key.length !== SESSION_KEY_BYTES) throw new BadStateError(`session row: key of ${key.length} bytes`)
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  const version = view.getBigUint64(4)
  if (version === 0n || version > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new BadStateError(`session row: version ${version}`)
  }
  return { group: view.getUint32(0), version: Number(version) }
}
