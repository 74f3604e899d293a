// The fields that several models read out of a record in the same way.
import { FieldProblem } from '../history/history-error.ts'
import { isList, type JsonValue } from '../history/json-value.ts'
import type { HistoryRecord } from '../history/record.ts'
import { FALSE, TRUE, UNKNOWN } from './model.ts'

/** An argument that is a value to store: `null` means "nothing there" and cannot be stored. */
export function storedValue(record: HistoryRecord): JsonValue {
  const { value } = record
  if (value === undefined || value === null)
    throw new FieldProblem('value', 'a value other than null is expected')
  return value
}

/** The answer of an operation that must have one. */
export function requiredResult(record: HistoryRecord): JsonValue {
  if (record.result === undefined) throw new FieldProblem('result', `an ok ${record.f} has a result`)
  return record.result
}

/** TRUE, FALSE, or UNKNOWN where the answer was not told. */
export function optionalFlag(record: HistoryRecord): number {
  const { result } = record
  if (record.type === 'info' || result === undefined || result === null) return UNKNOWN
  if (typeof result !== 'boolean') throw new FieldProblem('result', 'true or false is expected')
  return result ? TRUE : FALSE
}

export function requiredFlag(record: HistoryRecord): number {
  const flag = optionalFlag(record)
  if (flag === UNKNOWN && record.type === 'ok') throw new FieldProblem('result', 'true or false is expected')
  return flag
}

export function wholeNumber(value: JsonValue | undefined, field: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value
  throw new FieldProblem(field, 'a whole number is expected')
}

/** A list; `null` is the empty one. */
export function list(value: JsonValue, field: string): readonly JsonValue[] {
  if (value === null) return []
  if (!isList(value)) throw new FieldProblem(field, 'a list is expected')
  return value
}

export function unknownFunction(record: HistoryRecord, known: readonly string[]): FieldProblem {
  return new FieldProblem('f', `${JSON.stringify(record.f)} is none of ${known.join(', ')}`)
}
