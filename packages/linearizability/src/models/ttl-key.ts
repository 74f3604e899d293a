// A key that may expire. Time is the system's own clock, which each answer carries and which never goes back on a key: an entry
// is there before its deadline and gone from it on. What an operation of unknown outcome did, it did at an unknown time; then
// the deadline is known within bounds, and every answer that follows narrows them.
import { FieldProblem } from '../history/history-error.ts'
import type { HistoryRecord } from '../history/record.ts'
import { ABSENT, type Values } from '../history/values.ts'
import { optionalFlag, requiredFlag, requiredResult, storedValue, unknownFunction } from './fields.ts'
import { type Coded, FALSE, type Machine, type Model, REFUSED, TRUE, UNKNOWN } from './model.ts'
import { StateTable } from './state-table.ts'

const GET = 0
const SET = 1
const DEL = 2
const TOUCH = 3
const PERSIST = 4
const EXPIRE = 5
const EVICT = 6
const functions = ['get', 'set', 'del', 'touch', 'persist', 'expire', 'evict']

interface Entry {
  /** ABSENT: there is none, and the bounds are 0. */
  readonly value: number
  /** The deadline is one of earliest..latest, ms; Infinity = none. */
  readonly earliest: number
  readonly latest: number
  /** The deadline is at most this after the next clock that is known: it was set before. 0 = the bounds say it all. */
  readonly openTtl: number
}
interface State extends Entry {
  /** The latest clock seen, ms. */
  readonly clock: number
}

const none: Entry = { value: ABSENT, earliest: 0, latest: 0, openTtl: 0 }

export const ttlKey: Model = {
  name: 'ttl-key',
  summary: 'a value that may expire: get, set, del, touch, persist, expire, evict; needs "clock"',
  start: (values): Machine => {
    const states = new StateTable<State>((state) => Object.values(state).join())
    return {
      initial: states.id({ ...none, clock: 0 }),
      encode: (record) => encode(record, values),
      step: (id, operation) => {
        const state = states.get(id)
        const { clock } = operation
        if (clock !== UNKNOWN && clock < state.clock) return REFUSED
        const entry = apply(narrow(state, clock), operation, clock === UNKNOWN ? state.clock : clock)
        if (entry === undefined) return REFUSED
        const { value, earliest, latest, openTtl } = entry
        return states.id({ value, earliest, latest, openTtl, clock: Math.max(clock, state.clock) })
      },
      showState: (id) => showState(states.get(id), values),
      showOperation: (operation) => showOperation(operation, values),
    }
  },
}

/** What was set at an unknown time was set before this clock. */
function narrow(entry: Entry, clock: number): Entry {
  if (entry.openTtl === 0 || clock === UNKNOWN) return entry
  return { ...entry, latest: Math.min(entry.latest, clock + entry.openTtl), openTtl: 0 }
}

/** The entry as it must be if it is still there at that time, or undefined. */
function alive(entry: Entry, now: number): Entry | undefined {
  if (entry.value === ABSENT || now >= entry.latest) return undefined
  return { ...entry, earliest: Math.max(entry.earliest, now + 1) }
}

/** True where there may be nothing at that time. An unknown time may be any later one. */
function mayBeGone(entry: Entry, operation: Coded, now: number): boolean {
  if (entry.value === ABSENT || now >= entry.earliest) return true
  return operation.clock === UNKNOWN && entry.earliest !== Infinity
}

/** The entry after the operation; undefined where the answer cannot be. `now` is the least time it may be. */
function apply(entry: Entry, operation: Coded, now: number): Entry | undefined {
  const { kind, argument, extra, result } = operation
  switch (kind) {
    case GET:
      if (result === ABSENT) return mayBeGone(entry, operation, now) ? none : undefined
      return entry.value === result ? alive(entry, now) : undefined
    case SET:
      return { value: argument, ...deadline(extra, operation, now) }
    case TOUCH:
    case PERSIST: {
      if (result === FALSE) return mayBeGone(entry, operation, now) ? none : undefined
      const present = alive(entry, now)
      return present && { value: present.value, ...deadline(extra, operation, now, present.latest) }
    }
    case DEL:
      if (result === TRUE) return alive(entry, now) && none
      return result === UNKNOWN || mayBeGone(entry, operation, now) ? none : undefined
    case EXPIRE:
      return mayBeGone(entry, operation, now) ? none : undefined
    default:
      return none
  }
}

/** `before`: the operation itself happened before this time. */
function deadline(ttl: number, { clock }: Coded, now: number, before = Infinity): Omit<Entry, 'value'> {
  if (ttl === UNKNOWN) return { earliest: Infinity, latest: Infinity, openTtl: 0 }
  if (clock !== UNKNOWN) return { earliest: now + ttl, latest: now + ttl, openTtl: 0 }
  return { earliest: now + ttl, latest: before - 1 + ttl, openTtl: ttl }
}

function encode(record: HistoryRecord, values: Values): Coded {
  const kind = functions.indexOf(record.f)
  const certain = record.type === 'ok'
  if (certain && record.clock === undefined)
    throw new FieldProblem('clock', 'an ok operation of a ttl-key has one')
  const clock = certain ? (record.clock ?? UNKNOWN) : UNKNOWN
  const code = (argument: number, extra: number, result: number, changes: boolean): Coded => ({
    kind,
    argument,
    extra,
    result,
    clock,
    changes,
  })
  switch (kind) {
    case GET:
      return code(UNKNOWN, UNKNOWN, certain ? values.id(requiredResult(record)) : UNKNOWN, false)
    case SET:
      return code(values.id(storedValue(record)), ttlOf(record), UNKNOWN, true)
    case DEL: {
      const existed = optionalFlag(record)
      return code(UNKNOWN, UNKNOWN, existed, existed !== FALSE)
    }
    case TOUCH:
    case PERSIST: {
      const existed = requiredFlag(record)
      const ttl = kind === TOUCH ? ttlOf(record) : UNKNOWN
      return code(UNKNOWN, ttl, existed, existed !== FALSE)
    }
    case EXPIRE:
    case EVICT:
      return code(UNKNOWN, UNKNOWN, UNKNOWN, true)
    default:
      throw unknownFunction(record, functions)
  }
}

/** Columns of a history hold 31 bits; that is 24 days. */
const TTL_MAX = 2 ** 31 - 1

function ttlOf({ ttl }: HistoryRecord): number {
  if (ttl === undefined) return UNKNOWN
  if (ttl < 1 || ttl > TTL_MAX) throw new FieldProblem('ttl', `1 to ${TTL_MAX} ms is expected`)
  return ttl
}

function showState({ value, earliest, latest, clock }: State, values: Values): string {
  if (value === ABSENT) return `null at ${clock}`
  const until = earliest === latest ? `${latest}` : `${earliest}..${latest}`
  return `${values.show(value)} at ${clock}, ${latest === Infinity ? 'for ever' : `until ${until}`}`
}

function showOperation({ kind, argument, extra, result, clock }: Coded, values: Values): string {
  const at = clock === UNKNOWN ? '' : ` at ${clock}`
  const ttl = extra === UNKNOWN ? '' : ` for ${extra}`
  if (kind === GET) return `get -> ${values.show(result)}${at}`
  if (kind === SET) return `set ${values.show(argument)}${ttl}${at}`
  return `${functions[kind] ?? ''}${ttl}${result === UNKNOWN ? '' : ` -> ${result === TRUE}`}${at}`
}
