// The sessions of a shard: opened and closed by its log, ended by its log clock, never by a bound (sessions.md).
import type { SessionId } from '@quorate/protocol'
import { limits } from '@quorate/protocol'
import { AnswerWindow } from './answer-window.ts'
import { assert } from './assert.ts'
import { BadStateError } from './bad-state-error.ts'
import type { Hash } from './hash.ts'
import type { RowChange } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'
import {
  cloneSession,
  decodeSessionRow,
  encodeSessionRow,
  hashSession,
  type Session,
  sessionName,
  sessionRowKey,
  storeAnswer,
} from './session.ts'
import { type Applied, storedAnswer, WRITTEN_BYTES } from './stored-answer.ts'
import { TouchedRecords } from './touched.ts'

export class SessionTable {
  readonly #sessions: TouchedRecords<string, Session> = new TouchedRecords<string, Session>({
    clone: cloneSession,
    hash: hashSession,
    name: (session) => `session ${session}`,
  })
  /** Name -> last use, ascending. Sessions with the same last use end together, so their order does not matter. */
  readonly #byLastUse: Map<string, number> = new Map<string, number>()
  #answerBytes = 0

  get size(): number {
    return this.#sessions.records.size
  }

  get full(): boolean {
    return this.size >= limits.sessionsPerShard
  }

  /** Stored answers of all sessions, as encoded. */
  get answerBytes(): number {
    return this.#answerBytes
  }

  has(id: SessionId): boolean {
    return this.#sessions.records.has(sessionName(id))
  }

  open(id: SessionId, clock: number): void {
    const name = sessionName(id)
    this.#sessions.add(name, { id, ackedUpTo: 0, lastUse: clock, answers: new AnswerWindow() })
    this.#byLastUse.set(name, clock)
  }

  /** A section for the session has been applied. Undefined = there is no such session; none is created. */
  use(id: SessionId, ackedUpTo: number, clock: number): Session | undefined {
    const name = sessionName(id)
    const session = this.#sessions.change(name)
    if (session === undefined) return undefined
    if (session.lastUse !== clock) {
      session.lastUse = clock
      this.#byLastUse.delete(name)
      this.#byLastUse.set(name, clock)
    }
    if (ackedUpTo > session.ackedUpTo) this.#acknowledge(session, ackedUpTo)
    return session
  }

  #acknowledge(session: Session, ackedUpTo: number): void {
    const { answers } = session
    const before = answers.bytes
    answers.forget(session.ackedUpTo + 1, ackedUpTo)
    this.#answerBytes += answers.bytes - before
    session.ackedUpTo = ackedUpTo
  }

  /** `session` comes from `use` for the section being applied, and has no answer for `sequence`. */
  store(session: Session, sequence: number, answer: Applied): void {
    const stored = storedAnswer(answer)
    storeAnswer(session, sequence, stored)
    this.#answerBytes += stored.bytes
  }

  /** As `store`, of the answer that most commands end in. */
  storeWritten({ answers }: Session, sequence: number, epoch: number, version: number, t: number): void {
    answers.setWritten(sequence, epoch, version, t)
    this.#answerBytes += WRITTEN_BYTES
  }

  close(id: SessionId): boolean {
    if (!this.has(id)) return false
    this.#remove(sessionName(id))
    return true
  }

  /** Ends every session that has not been used for ten minutes of log clock. Costs as much as it ends. */
  expire(clock: number): void {
    for (const [name, lastUse] of this.#byLastUse) {
      if (lastUse + limits.sessionIdleMs > clock) return
      this.#remove(name)
    }
  }

  #remove(name: string): void {
    const session = this.#sessions.records.get(name)
    assert(session !== undefined, `session ${name} is not here`)
    this.#answerBytes -= session.answers.bytes
    this.#sessions.remove(name)
    this.#byLastUse.delete(name)
  }

  /** All rows of a checkpoint at once: the order of last use is not theirs. */
  restore(
    rows: Iterable<{ readonly slot: number; readonly key: Uint8Array; readonly value: Uint8Array }>,
  ): void {
    const sessions: Session[] = []
    for (const row of rows) {
      if (row.slot !== 0) throw new BadStateError(`session row in slot ${row.slot}`)
      sessions.push(decodeSessionRow(row.key, row.value))
    }
    sessions.sort((left, right) => left.lastUse - right.lastUse)
    for (const session of sessions) {
      const name = sessionName(session.id)
      if (this.#byLastUse.has(name)) throw new BadStateError(`session row ${name} twice`)
      this.#sessions.restore(name, session)
      this.#byLastUse.set(name, session.lastUse)
      this.#answerBytes += session.answers.bytes
    }
  }

  hash(): Hash {
    return this.#sessions.hash()
  }

  freeze(): number {
    this.#sessions.freeze()
    return this.#sessions.frozenRecords().size
  }

  *frozenRows(): Generator<RowChange> {
    for (const [name, session] of this.#sessions.frozenRecords()) {
      const value = session === null ? null : encodeSessionRow(session)
      yield { kind: rowKind.session, slot: 0, key: sessionRowKey(session?.id ?? sessionIdOf(name)), value }
    }
  }

  release(): void {
    this.#sessions.release()
  }
}

function sessionIdOf(name: string): SessionId {
  const dot = name.indexOf('.')
  return { group: Number(name.slice(0, dot)), version: Number(name.slice(dot + 1)) }
}
