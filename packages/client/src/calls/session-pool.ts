// Sessions of one shard: they give operations their names and remember how far every name is used up.
import { type GroupId, type SessionId, limits } from '@quorate/protocol'
import type { Call, LogTime } from './call.ts'

/** One session, as its client knows it. */
export class Session {
  readonly id: SessionId
  /** Sequences up to it are answered or given up: they travel no more, and the shard may forget their answers. */
  ackedUpTo = 0
  /** The shard does not know it any more: it gives no names. */
  expired = false
  /** The last L heard with it: for the first words to a group that has told none itself. */
  time: LogTime
  #lastSequence = 0
  /** Used up, above `ackedUpTo`. */
  readonly #finished = new Set<number>()

  constructor(id: SessionId, time: LogTime) {
    this.id = id
    this.time = time
  }

  /** The next sequence, or null while the window above `ackedUpTo` is full. */
  take(): number | null {
    if (this.expired || this.#lastSequence - this.ackedUpTo >= limits.sessionWindow) return null
    this.#lastSequence += 1
    return this.#lastSequence
  }

  /** The operation of this name is answered or given up for good. */
  finish(sequence: number): void {
    if (sequence !== this.ackedUpTo + 1) {
      this.#finished.add(sequence)
      return
    }
    this.ackedUpTo = sequence
    while (this.#finished.delete(this.ackedUpTo + 1)) this.ackedUpTo += 1
  }
}

export class SessionPool {
  readonly group: GroupId
  /** A session is being opened. */
  opening = false
  readonly #sessions: Session[] = []
  readonly #waiting = new Set<Call>()

  constructor(group: GroupId) {
    this.group = group
  }

  get sessions(): readonly Session[] {
    return this.#sessions
  }

  get waiting(): ReadonlySet<Call> {
    return this.#waiting
  }

  /** Gives a call a name of the first session with room; false if there is none: then another has to be opened. */
  name(call: Call): boolean {
    for (const session of this.#sessions) {
      const sequence = session.take()
      if (sequence === null) continue
      call.session = session
      call.sequence = sequence
      return true
    }
    return false
  }

  add(session: Session): void {
    this.#sessions.push(session)
  }

  /** The shard refused it as unknown. Operations that carry its names still end by their own attempts. */
  expire(session: Session): void {
    session.expired = true
    const at = this.#sessions.indexOf(session)
    if (at !== -1) this.#sessions.splice(at, 1)
  }

  wait(call: Call): void {
    this.#waiting.add(call)
  }

  leave(call: Call): void {
    this.#waiting.delete(call)
  }

  /** Everybody who waits, in order; they wait no more. */
  takeWaiting(): Call[] {
    const calls = [...this.#waiting]
    this.#waiting.clear()
    return calls
  }
}
