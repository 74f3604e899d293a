// One line of a history: its shape, and the validation where it enters.
import { HistoryError } from './history-error.ts'
import type { JsonValue } from './json-value.ts'

/** `ok` happened between call and return. `fail` certainly did not. `info` may have happened at any time after its call, or will. */
export type Outcome = 'ok' | 'fail' | 'info'

export interface HistoryRecord {
  /** Who called; `system` for what the system did by itself (evictions, expiries). */
  readonly process: string
  readonly type: Outcome
  readonly f: string
  readonly key: string
  /** Argument; undefined where the line has none. */
  readonly value: JsonValue | undefined
  /** Answer; undefined where the line has none. */
  readonly result: JsonValue | undefined
  /** Of one monotonic clock, in any unit; the report takes it for nanoseconds. */
  readonly call: number
  /** Null for `info`. */
  readonly return: number | null
  /** Where in the system's own order the operation stands, if it says so: both or neither. */
  readonly epoch: number | undefined
  readonly version: number | undefined
  /** The system's time at which the operation was evaluated, whole ms. */
  readonly clock: number | undefined
  /** Time to live, whole ms. */
  readonly ttl: number | undefined
}

type Fields = Readonly<Record<string, JsonValue | undefined>>

/** Throws `HistoryError` with the line's number and the field. */
export function parseRecord(text: string, line: number): HistoryRecord {
  const fields = parseObject(text, line)
  const type = outcome(fields, line)
  const call = time(fields, 'call', line)
  const record = {
    process: processName(fields, line),
    type,
    f: string(fields, 'f', line),
    key: string(fields, 'key', line),
    value: fields['value'],
    result: fields['result'],
    call,
    return: returned(fields, type, call, line),
    epoch: whole(fields, 'epoch', line),
    version: whole(fields, 'version', line),
    clock: whole(fields, 'clock', line),
    ttl: whole(fields, 'ttl', line),
  }
  if ((record.epoch === undefined) !== (record.version === undefined))
    throw new HistoryError(line, 'version', 'epoch and version come together')
  return record
}

export function parseObject(text: string, line: number): Fields {
  let parsed: JsonValue
  try {
    parsed = JSON.parse(text) as JsonValue
  } catch (error) {
    throw new HistoryError(line, null, error instanceof Error ? error.message : 'no JSON')
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed))
    throw new HistoryError(line, null, 'an object is expected')
  return parsed as Fields
}

function outcome(fields: Fields, line: number): Outcome {
  const type = fields['type']
  if (type !== 'ok' && type !== 'fail' && type !== 'info')
    throw new HistoryError(line, 'type', `ok, fail or info is expected, not ${show(type)}`)
  return type
}

function processName(fields: Fields, line: number): string {
  const name = fields['process']
  if (typeof name === 'string' && name !== '') return name
  if (typeof name === 'number' && Number.isSafeInteger(name)) return String(name)
  throw new HistoryError(line, 'process', `a whole number or a name is expected, not ${show(name)}`)
}

function string(fields: Fields, field: string, line: number): string {
  const value = fields[field]
  if (typeof value === 'string') return value
  throw new HistoryError(line, field, `a string is expected, not ${show(value)}`)
}

export function time(fields: Fields, field: string, line: number): number {
  const value = fields[field]
  // Beyond this neighbouring moments are one number, and an order would be invented.
  if (typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  throw new HistoryError(line, field, `a number of at most 2^53 is expected, not ${show(value)}`)
}

function returned(fields: Fields, type: Outcome, call: number, line: number): number | null {
  if (type === 'fail') return null
  if (type === 'info') {
    if (fields['return'] === null || fields['return'] === undefined) return null
    throw new HistoryError(line, 'return', 'an operation of type info is open for ever: null is expected')
  }
  const value = time(fields, 'return', line)
  if (value < call) throw new HistoryError(line, 'return', `${value} is before the call at ${call}`)
  return value
}

function whole(fields: Fields, field: string, line: number): number | undefined {
  const value = fields[field]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new HistoryError(line, field, `a whole number from 0 is expected, not ${show(value)}`)
}

function show(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}
