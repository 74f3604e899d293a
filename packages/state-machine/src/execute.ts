// What a command means for one entry: pure, knows no session, slot or store.
import type { Command, Condition } from '@quorate/protocol'
import { encodeValue, limits } from '@quorate/protocol'
import { unreachable } from './assert.ts'
import { type Entry, entryValue, type Known, makeEntry } from './entry.ts'
import type { StoredResult } from './stored-answer.ts'

/** `entry` null = removed. Every change takes the next version; without a change the answer has the position of a read. */
export type Execution =
  | { readonly changed: true; readonly entry: Known; readonly result: StoredResult }
  | { readonly changed: false; readonly result: StoredResult }

/** What a change takes. */
export interface Moment {
  readonly version: number
  /** The log clock, ms. */
  readonly clock: number
}

/**
 * Well-formed on the wire and still nothing that this level executes. Version 0 is what a missing entry shows, and
 * `ifAbsent` is how to ask for it.
 */
export function isUnknownCommand(command: Command): boolean {
  switch (command.op) {
    case 'set':
      return (
        (command.ttl !== 0 && isNoTtl(command.ttl)) || isInvalid(command.condition) || isUnsafe(command.value)
      )
    case 'touch':
      return isNoTtl(command.ttl) || isInvalid(command.condition)
    case 'del':
    case 'persist':
      return isInvalid(command.condition)
    case 'incr':
      return !Number.isSafeInteger(command.by)
    default:
      return true
  }
}

/** `before` null: there is no such entry, or it has expired. */
export function execute(command: Command, before: Known, moment: Moment): Execution {
  switch (command.op) {
    case 'set': {
      if (!holds(command.condition, before)) return lost(before)
      const { version, clock } = moment
      const deadline = command.ttl === 0 ? 0 : deadlineAfter(clock, command.ttl)
      const value = encodeValue(command.value)
      const entry = makeEntry(command.key, value, version, deadline, command.evict === false)
      return { changed: true, entry, result: { type: 'written', version } }
    }
    case 'del':
      if (!holds(command.condition, before)) return lost(before)
      if (before === null) return { changed: false, result: { type: 'deleted', existed: false } }
      return { changed: true, entry: null, result: { type: 'deleted', existed: true } }
    case 'incr':
      return increment(command.key, command.by, before, moment.version)
    case 'touch':
      if (!holds(command.condition, before)) return lost(before)
      return redate(command.key, before, deadlineAfter(moment.clock, command.ttl), moment.version)
    case 'persist':
      if (!holds(command.condition, before)) return lost(before)
      return redate(command.key, before, 0, moment.version)
    default:
      return unreachable(command)
  }
}

/** The same entry with another deadline: a change like any other, with a version of its own. */
function redate(key: Uint8Array, before: Known, deadline: number, version: number): Execution {
  if (before === null) return { changed: false, result: { type: 'touched', version: 0 } }
  if (before.deadline === deadline)
    return { changed: false, result: { type: 'touched', version: before.version } }
  const entry = makeEntry(key, before.value, version, deadline, before.pinned)
  return { changed: true, entry, result: { type: 'touched', version } }
}

/** Total, whatever a stamp may be. */
export function deadlineAfter(clock: number, ttl: number): number {
  return Math.min(clock + ttl, Number.MAX_SAFE_INTEGER)
}

function increment(key: Uint8Array, by: number, before: Known, version: number): Execution {
  const value = before === null ? null : entryValue(before)
  if (value !== null && value.type !== 'integer') return { changed: false, result: { type: 'notANumber' } }
  const integer = (value?.integer ?? 0) + by
  if (!Number.isSafeInteger(integer)) return { changed: false, result: { type: 'overflow' } }
  const encoded = encodeValue({ type: 'integer', integer })
  // A counter stays what it is, also if it is never to be evicted.
  const entry = makeEntry(key, encoded, version, before?.deadline ?? 0, before?.pinned ?? false)
  return { changed: true, entry, result: { type: 'counted', version, integer } }
}

function holds(condition: Condition, before: Known): boolean {
  switch (condition.type) {
    case 'always':
      return true
    case 'ifVersion':
      return before !== null && before.version === condition.version
    case 'ifAbsent':
      return before === null
    case 'ifPresent':
      return before !== null
    default:
      return unreachable(condition)
  }
}

function lost(before: Entry | null): Execution {
  const value = before === null ? null : entryValue(before)
  return {
    changed: false,
    result: { type: 'lost', version: before?.version ?? 0, value, valueOmitted: false },
  }
}

function isInvalid(condition: Condition): boolean {
  return condition.type === 'ifVersion' && !(Number.isSafeInteger(condition.version) && condition.version > 0)
}

function isNoTtl(ttl: number): boolean {
  return !Number.isSafeInteger(ttl) || ttl < 1 || ttl > limits.ttlMs
}

function isUnsafe(value: Extract<Command, { op: 'set' }>['value']): boolean {
  return value.type === 'integer' && !Number.isSafeInteger(value.integer)
}
