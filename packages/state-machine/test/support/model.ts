// A naive model of a shard's semantics, written from the rules and sharing no code with the implementation.
import type { Answer, Command, Position, Result, Section, Value } from '@quorate/protocol'
import { slotOf } from '@quorate/protocol'
import type { AppliedEntry } from '../../src/index.ts'

interface ModelEntry {
  readonly value: Value
  readonly version: number
  /** 0 = none. */
  readonly deadline: number
  /** Written with `evict: false`. */
  readonly pinned: boolean
}

interface ModelSession {
  ackedUpTo: number
  lastUse: number
  answers: Record<number, Answer>
}

/** The sections that a payload was made from; null = bytes that nobody can decode. */
export type ModelEntryInput = Pick<AppliedEntry, 'stamp'> & { readonly sections: readonly Section[] | null }

export const nameOf = (key: Uint8Array): string => Buffer.from(key).toString('hex')

export class Model {
  clock = 0
  lastVersion = 0
  entries: Record<string, ModelEntry> = {}
  /** What the newest entry swept and evicted. */
  removals: {
    cause: string
    slotEpoch: number
    version: number
    removedVersion: number
    deadline: number
    key: Uint8Array
  }[] = []
  sessions: Record<string, ModelSession> = {}
  slots: Record<number, number> = {}
  readonly group: number

  constructor(group: number) {
    this.group = group
  }

  apply({ stamp, sections }: ModelEntryInput): Answer[][] {
    this.clock = Math.max(this.clock, stamp)
    this.removals = []
    for (const [id, session] of Object.entries(this.sessions)) {
      if (this.clock - session.lastUse >= 600_000) delete this.sessions[id]
    }
    if (sections === null) return [[this.#refuse('UNKNOWN_COMMAND', 0)]]
    return sections.map((section) => this.#section(section, stamp))
  }

  #section(section: Section, stamp: number): Answer[] {
    if (section.group !== this.group) {
      return Array.from({ length: section.kind === 'commands' ? section.commands.length : 1 }, () =>
        this.#refuse('MOVED', 0),
      )
    }
    switch (section.kind) {
      case 'found':
        for (let slot = 0; slot < 16_384; slot++) {
          const bit = ((section.slots[Math.floor(slot / 8)] ?? 0) >> (slot % 8)) & 1
          if (bit === 1 && section.epoch > 0) this.slots[slot] ??= section.epoch
        }
        return [this.#apply(0, { type: 'done' })]
      case 'openSession': {
        if (stamp > section.notAfter) return [this.#refuse('LATE', 0)]
        this.lastVersion += 1
        const session = { group: this.group, version: this.lastVersion }
        this.sessions[`${session.group}.${session.version}`] = {
          ackedUpTo: 0,
          lastUse: this.clock,
          answers: {},
        }
        return [this.#apply(0, { type: 'sessionOpened', session })]
      }
      case 'closeSession': {
        const id = `${section.session.group}.${section.session.version}`
        if (this.sessions[id] === undefined) return [this.#refuse('SESSION_EXPIRED', 0)]
        delete this.sessions[id]
        return [this.#apply(0, { type: 'done' })]
      }
      case 'tick':
        return [this.#apply(0, { type: 'done' })]
      case 'sweep': {
        const expired = Object.entries(this.entries)
          .filter(([, { deadline }]) => deadline !== 0 && deadline <= this.clock)
          .toSorted(([left, one], [right, other]) => one.deadline - other.deadline || (left < right ? -1 : 1))
        for (const [name, { version, deadline }] of expired.slice(0, section.limit)) {
          delete this.entries[name]
          this.lastVersion += 1
          const key = new Uint8Array(Buffer.from(name, 'hex'))
          const slotEpoch = this.slots[slotOf(key)] ?? 0
          const removedVersion = version
          this.removals.push({
            cause: 'expired',
            slotEpoch,
            version: this.lastVersion,
            removedVersion,
            deadline,
            key,
          })
        }
        return [this.#apply(0, { type: 'done' })]
      }
      case 'evict': {
        for (const { key, version } of section.victims) {
          const entry = this.entries[nameOf(key)]
          const slotEpoch = this.slots[slotOf(key)]
          if (slotEpoch === undefined || entry?.version !== version || entry.pinned) continue
          delete this.entries[nameOf(key)]
          this.lastVersion += 1
          const removal = { slotEpoch, version: this.lastVersion, removedVersion: version, key }
          this.removals.push({ cause: 'evicted', deadline: entry.deadline, ...removal })
        }
        return [this.#apply(0, { type: 'done' })]
      }
      case 'commands': {
        const session = this.sessions[`${section.session.group}.${section.session.version}`]
        if (session === undefined) return section.commands.map(() => this.#refuse('SESSION_EXPIRED', 0))
        session.lastUse = this.clock
        session.ackedUpTo = Math.max(session.ackedUpTo, section.ackedUpTo)
        for (const sequence of Object.keys(session.answers).map(Number)) {
          if (sequence <= session.ackedUpTo) delete session.answers[sequence]
        }
        return section.commands.map((command) => this.#command(command, session, stamp))
      }
    }
  }

  #command(command: Command, session: ModelSession, stamp: number): Answer {
    const epoch = this.slots[slotOf(command.key)]
    const { sequence } = command
    if (sequence <= session.ackedUpTo) return this.#refuse('STALE', epoch ?? 0)
    const stored = session.answers[sequence]
    if (stored !== undefined) return stored
    if (epoch === undefined) return this.#refuse('MOVED', 0)
    if (stamp > command.notAfter) return this.#refuse('LATE', epoch)
    if (sequence > session.ackedUpTo + 1024) return this.#refuse('SESSION_WINDOW', epoch)
    if (command.op !== 'incr' && command.condition.type === 'ifVersion' && command.condition.version === 0) {
      return this.#refuse('UNKNOWN_COMMAND', epoch)
    }
    const result = this.#execute(command)
    const answer = this.#apply(epoch, result)
    session.answers[sequence] = answer
    if (result.type === 'lost' && result.value?.type === 'bytes' && result.value.bytes.length > 977) {
      session.answers[sequence] = this.#apply(epoch, { ...result, value: null, valueOmitted: true })
    }
    return answer
  }

  #execute(command: Command): Result {
    const name = nameOf(command.key)
    const before = this.#visible(name, this.clock)
    if (command.op === 'incr') {
      if (before?.value.type === 'bytes') return { type: 'notANumber' }
      const sum = BigInt(before?.value.type === 'integer' ? before.value.integer : 0) + BigInt(command.by)
      if (sum > BigInt(Number.MAX_SAFE_INTEGER) || sum < BigInt(Number.MIN_SAFE_INTEGER))
        return { type: 'overflow' }
      const version = this.#put(
        name,
        { type: 'integer', integer: Number(sum) },
        before?.deadline ?? 0,
        before?.pinned,
      )
      return { type: 'counted', version, integer: Number(sum) }
    }
    const { condition } = command
    const holds = {
      always: true,
      ifAbsent: before === undefined,
      ifPresent: before !== undefined,
      ifVersion: condition.type === 'ifVersion' && before?.version === condition.version,
    }[condition.type]
    if (!holds) {
      return {
        type: 'lost',
        version: before?.version ?? 0,
        value: before?.value ?? null,
        valueOmitted: false,
      }
    }
    if (command.op === 'set') {
      const deadline = command.ttl === 0 ? 0 : this.clock + command.ttl
      return { type: 'written', version: this.#put(name, command.value, deadline, command.evict === false) }
    }
    if (command.op === 'touch' || command.op === 'persist') {
      if (before === undefined) return { type: 'touched', version: 0 }
      const deadline = command.op === 'touch' ? this.clock + command.ttl : 0
      const same = deadline === before.deadline
      return {
        type: 'touched',
        version: same ? before.version : this.#put(name, before.value, deadline, before.pinned),
      }
    }
    if (before === undefined) return { type: 'deleted', existed: false }
    this.lastVersion += 1
    delete this.entries[name]
    return { type: 'deleted', existed: true }
  }

  #visible(name: string, t: number): ModelEntry | undefined {
    const entry = this.entries[name]
    return entry === undefined || (entry.deadline !== 0 && entry.deadline <= t) ? undefined : entry
  }

  #put(name: string, value: Value, deadline: number, pinned = false): number {
    this.lastVersion += 1
    this.entries[name] = { value, version: this.lastVersion, deadline, pinned }
    return this.lastVersion
  }

  /** Null: something expires between the clock and `t`. */
  read(keys: readonly Uint8Array[], wanted: number): Answer[] | null {
    const t = Math.max(wanted, this.clock)
    for (const key of keys) {
      const deadline = this.#visible(nameOf(key), this.clock)?.deadline ?? 0
      if (deadline !== 0 && deadline <= t && this.slots[slotOf(key)] !== undefined) return null
    }
    return keys.map((key): Answer => {
      const epoch = this.slots[slotOf(key)]
      const position = { epoch: epoch ?? 0, version: this.lastVersion, t }
      if (epoch === undefined) return { type: 'refused', code: 'MOVED', position }
      const entry = this.#visible(nameOf(key), t)
      if (entry === undefined) return { type: 'applied', position, result: { type: 'absent' } }
      return {
        type: 'applied',
        position,
        result: { type: 'entry', value: entry.value, version: entry.version, expiresAt: entry.deadline },
      }
    })
  }

  /** Equal texts, equal states. */
  canonical(): string {
    const sorted = (record: object): unknown[] =>
      Object.entries(record).toSorted(([left], [right]) => (left < right ? -1 : 1))
    return plain({
      clock: this.clock,
      lastVersion: this.lastVersion,
      entries: sorted(this.entries),
      sessions: sorted(this.sessions),
      slots: sorted(this.slots),
    })
  }

  #apply(epoch: number, result: Result): Answer {
    return { type: 'applied', position: this.#position(epoch), result }
  }

  #refuse(code: Extract<Answer, { type: 'refused' }>['code'], epoch: number): Answer {
    return { type: 'refused', code, position: this.#position(epoch) }
  }

  #position(epoch: number): Position {
    return { epoch, version: this.lastVersion, t: this.clock }
  }
}

/** Text of plain data, whatever the order of its fields and the class of its bytes. */
export function plain(data: unknown): string {
  return JSON.stringify(normal(data))
}

function normal(data: unknown): unknown {
  if (data instanceof Uint8Array)
    return `${data.length} bytes ${Buffer.from(data)
      .toString('base64')
      .replace(/(....)\1+/g, '$1*')}`
  if (Array.isArray(data)) return data.map(normal)
  if (typeof data !== 'object' || data === null) return data
  const fields = Object.entries(data).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(fields.map(([name, value]) => [name, normal(value)]))
}
