// What a command means for one entry: pure, knows no session, slot or store.
import type { Command, Condition } from '@quorate/protocol'
import { encodeValue } from '@quorate/protocol'
import { unreachable } from './assert.ts'
import { type Entry, entryValue, makeEntry } from './entry.ts'
import type { Known } from './overlay.ts'
import type { StoredResult } from './stored-answer.ts'

/** `entry` null = removed. Every change takes the next version; without a change the answer has the position of a read. */
export type Execution =
  | { readonly changed: true; readonly entry: Known; readonly result: StoredResult }
  | { readonly changed: false; readonly result: StoredResult }

/**
 * Well-formed on the wire and still nothing that this level executes. Deadlines come with a higher level; version 0 is what a
 * missing entry shows, and `ifAbsent` is how to ask for it.
 */
export function isUnknownCommand(command: Command): boolean {
  switch (command.op) {
    case 'set':
      return command.deadline !== 0 || isInvalid(command.condition) || isUnsafe(command.value)
    case 'del':
      return isInvalid(command.condition)
    case 'incr':
      return !Number.isSafeInteger(command.by)
    default:
      return true
  }
}

/** `version` is the one that a change takes. */
export function execute(command: Command, before: Known, version: number): Execution {
  switch (command.op) {
    case 'set': {
      if (!holds(command.condition, before)) return lost(before)
      const entry = makeEntry(command.key, encodeValue(command.value), version, command.deadline)
      return { changed: true, entry, result: { type: 'written', version } }
    }
    case 'del':
      if (!holds(command.condition, before)) return lost(before)
      if (before === null) return { changed: false, result: { type: 'deleted', existed: false } }
      return { changed: true, entry: null, result: { type: 'deleted', existed: true } }
    case 'incr':
      return increment(command.key, command.by, before, version)
    default:
      return unreachable(command)
  }
}

function increment(key: Uint8Array, by: number, before: Known, version: number): Execution {
  const value = before === null ? null : entryValue(before)
  if (value !== null && value.type !== 'integer') return { changed: false, result: { type: 'notANumber' } }
  const integer = (value?.integer ?? 0) + by
  if (!Number.isSafeInteger(integer)) return { changed: false, result: { type: 'overflow' } }
  const entry = makeEntry(key, encodeValue({ type: 'integer', integer }), version, before?.deadline ?? 0)
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

function isUnsafe(value: Extract<Command, { op: 'set' }>['value']): boolean {
  return value.type === 'integer' && !Number.isSafeInteger(value.integer)
}
