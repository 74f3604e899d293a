// Short histories as text: `process f value -> result @ call-return`, for tests that tell a story.
import { History, type HistoryRecord, type JsonValue, modelNamed } from '../../src/index.ts'

export type Told = Partial<HistoryRecord> & Pick<HistoryRecord, 'f' | 'call'>

/** Fields that a story does not tell: key `k`, process by line, `ok` where there is a return, else `info`. */
export function record(told: Told, line: number): HistoryRecord {
  const end = told.return ?? null
  return {
    process: String(line),
    type: end === null ? 'info' : 'ok',
    key: 'k',
    value: undefined,
    result: undefined,
    epoch: undefined,
    version: undefined,
    clock: undefined,
    ttl: undefined,
    ...told,
    return: end,
  }
}

export function historyOf(model: string, story: readonly Told[]): History {
  const known = modelNamed(model)
  if (known === undefined) throw new Error(`no model ${model}`)
  const history = new History(known)
  for (const [at, told] of story.entries()) history.append(record(told, at + 1), at + 1)
  return history
}

/** An operation that ended, one that may have happened. */
export function done(
  f: string,
  value: JsonValue | undefined,
  result: JsonValue | undefined,
  call: number,
  end: number,
): Told {
  return { f, value, result, call, return: end }
}

export function open(f: string, value: JsonValue | undefined, call: number): Told {
  return { f, value, call }
}
