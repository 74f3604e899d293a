// Makes a legal history suspicious: an answer is replaced by another one. What that does to it, a checker must say.
import type { JsonValue } from '../history/json-value.ts'
import type { HistoryRecord } from '../history/record.ts'
import type { Random } from './random.ts'

export interface Damaged {
  readonly records: readonly HistoryRecord[]
  /** Which one was changed. */
  readonly at: number
}

/** Another value for one read of a register, that some operation writes sooner or later; null where there is none. */
export function flipRead(records: readonly HistoryRecord[], random: Random): Damaged | null {
  const reads = [...records.keys()].filter((at) => records[at]?.type === 'ok' && records[at]?.f === 'get')
  const written = records.flatMap(({ f, value, type }) =>
    type === 'ok' && f === 'set' ? [value ?? null] : [],
  )
  if (reads.length === 0 || written.length < 2) return null
  const at = random.pick(reads)
  const read = records[at] as HistoryRecord
  const others = written.filter((value) => value !== read.result)
  return { at, records: records.with(at, { ...read, result: random.pick(others) }) }
}

/** Each answer that is a flag or a number may become another one: for histories of which anything may be true. */
export function scramble(records: readonly HistoryRecord[], random: Random): HistoryRecord[] {
  return records.map((record) => {
    if (record.type !== 'ok' || record.result === undefined || !random.chance(0.15)) return record
    return { ...record, result: scrambled(record.result, random) }
  })
}

function scrambled(result: JsonValue, random: Random): JsonValue {
  if (typeof result === 'boolean') return !result
  if (typeof result === 'number') return Math.max(1, result + random.pick([-1, 1]))
  if (Array.isArray(result)) return random.chance(0.5) ? result.slice(1) : result.toReversed()
  return result === null ? random.pick([null, 1]) : result
}
