// A counter: nothing there counts as 0. A state is the number of its value.
import { FieldProblem } from '../history/history-error.ts'
import type { HistoryRecord } from '../history/record.ts'
import { ABSENT, type Values } from '../history/values.ts'
import { optionalFlag, requiredResult, unknownFunction, wholeNumber } from './fields.ts'
import { type Coded, FALSE, type Machine, type Model, REFUSED, TRUE, UNKNOWN } from './model.ts'

const GET = 0
const INCR = 1
const DEL = 2
const EVICT = 3
const functions = ['get', 'incr', 'del', 'evict']

export const counter: Model = {
  name: 'counter',
  summary: 'a whole number: get, incr by a value, del, evict',
  start: (values): Machine => ({
    initial: ABSENT,
    encode: (record) => encode(record, values),
    step: (state, operation) => step(state, operation, values),
    showState: (state) => values.show(state),
    showOperation: (operation) => show(operation, values),
  }),
}

function encode(record: HistoryRecord, values: Values): Coded {
  const kind = functions.indexOf(record.f)
  const known = record.type === 'ok' && record.result !== undefined
  const code = (argument: number, result: number, changes: boolean): Coded => ({
    kind,
    argument,
    extra: UNKNOWN,
    result,
    clock: UNKNOWN,
    changes,
  })
  switch (kind) {
    case GET: {
      if (record.type === 'info') return code(UNKNOWN, UNKNOWN, false)
      const result = requiredResult(record)
      return code(UNKNOWN, values.id(result === null ? null : wholeNumber(result, 'result')), false)
    }
    case INCR: {
      const by = values.id(wholeNumber(record.value, 'value'))
      const result =
        known && record.result !== null ? values.id(wholeNumber(record.result, 'result')) : UNKNOWN
      return code(by, result, true)
    }
    case DEL: {
      const existed = optionalFlag(record)
      return code(UNKNOWN, existed, existed !== FALSE)
    }
    case EVICT:
      return code(UNKNOWN, UNKNOWN, true)
    default:
      throw unknownFunction(record, functions)
  }
}

function step(state: number, { kind, argument, result }: Coded, values: Values): number {
  switch (kind) {
    case GET:
      return state === result || (state === ABSENT && values.value(result) === 0) ? state : REFUSED
    case INCR: {
      const next = count(state, values) + count(argument, values)
      if (!Number.isSafeInteger(next)) throw new FieldProblem('value', 'the counter leaves the whole numbers')
      const id = values.id(next)
      return result === UNKNOWN || result === id ? id : REFUSED
    }
    case DEL:
      return result === UNKNOWN || (state !== ABSENT) === (result === TRUE) ? ABSENT : REFUSED
    default:
      return ABSENT
  }
}

function count(id: number, values: Values): number {
  return Number(values.value(id) ?? 0)
}

function show({ kind, argument, result }: Coded, values: Values): string {
  if (kind === GET) return `get -> ${values.show(result)}`
  if (kind === INCR)
    return `incr ${values.show(argument)}${result === UNKNOWN ? '' : ` -> ${values.show(result)}`}`
  return kind === DEL ? `del${result === UNKNOWN ? '' : ` -> ${result === TRUE}`}` : 'evict'
}
