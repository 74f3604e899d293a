// Registers: a key holds one value or nothing. `register` knows get, set, del and evict; `cas-register` also cas by value.
import { FieldProblem } from '../history/history-error.ts'
import { isList } from '../history/json-value.ts'
import type { HistoryRecord } from '../history/record.ts'
import { ABSENT, type Values } from '../history/values.ts'
import { optionalFlag, requiredFlag, requiredResult, storedValue, unknownFunction } from './fields.ts'
import {
  type Coded,
  FALSE,
  type Machine,
  type Model,
  REFUSED,
  TRUE,
  UNKNOWN,
  type ValueEffect,
} from './model.ts'

const GET = 0
const SET = 1
const DEL = 2
const EVICT = 3
const CAS = 4
const functions = ['get', 'set', 'del', 'evict', 'cas']

export const register: Model = {
  name: 'register',
  summary: 'one value: get, set, del, evict',
  start: (values) => startRegister(values, functions.slice(0, CAS)),
}

export const casRegister: Model = {
  name: 'cas-register',
  summary: 'one value: get, set, del, evict, and cas of [expected, new]',
  start: (values) => startRegister(values, functions),
}

function startRegister(values: Values, known: readonly string[]): Machine {
  return {
    initial: ABSENT,
    encode: (record) => encode(record, values, known),
    step,
    effectOf,
    showState: (state) => values.show(state),
    showOperation: (operation) => show(operation, values),
  }
}

function encode(record: HistoryRecord, values: Values, known: readonly string[]): Coded {
  const kind = known.indexOf(record.f)
  const coded = (argument: number, extra: number, result: number, changes: boolean): Coded => ({
    kind,
    argument,
    extra,
    result,
    clock: UNKNOWN,
    changes,
  })
  switch (kind) {
    case GET:
      return record.type === 'info'
        ? coded(UNKNOWN, UNKNOWN, UNKNOWN, false)
        : coded(UNKNOWN, UNKNOWN, values.id(requiredResult(record)), false)
    case SET:
      return coded(values.id(storedValue(record)), UNKNOWN, UNKNOWN, true)
    case DEL: {
      const existed = optionalFlag(record)
      return coded(UNKNOWN, UNKNOWN, existed, existed !== FALSE)
    }
    case EVICT:
      return coded(UNKNOWN, UNKNOWN, UNKNOWN, true)
    case CAS: {
      const { value } = record
      if (!isList(value) || value.length !== 2 || value[1] === null)
        throw new FieldProblem(
          'value',
          'a list of two is expected: the expected value (null = none), a new one',
        )
      const won = requiredFlag(record)
      return coded(values.id(value[0] ?? null), values.id(value[1] ?? null), won, won !== FALSE)
    }
    default:
      throw unknownFunction(record, known)
  }
}

function effectOf(operation: Coded): ValueEffect {
  const { kind, argument, extra, result } = operation
  switch (kind) {
    case GET:
      return { needs: result, rejects: UNKNOWN, leadsTo: UNKNOWN }
    case SET:
      return { needs: UNKNOWN, rejects: UNKNOWN, leadsTo: argument }
    case DEL:
      if (result === FALSE) return { needs: ABSENT, rejects: UNKNOWN, leadsTo: UNKNOWN }
      return { needs: UNKNOWN, rejects: result === TRUE ? ABSENT : UNKNOWN, leadsTo: ABSENT }
    case EVICT:
      return { needs: UNKNOWN, rejects: UNKNOWN, leadsTo: ABSENT }
    default:
      return result === FALSE
        ? { needs: UNKNOWN, rejects: argument, leadsTo: UNKNOWN }
        : { needs: argument, rejects: UNKNOWN, leadsTo: extra }
  }
}

function step(state: number, { kind, argument, extra, result }: Coded): number {
  switch (kind) {
    case GET:
      return state === result ? state : REFUSED
    case SET:
      return argument
    case DEL:
      return result === UNKNOWN || (state !== ABSENT) === (result === TRUE) ? ABSENT : REFUSED
    case EVICT:
      return ABSENT
    default:
      if (result === FALSE) return state === argument ? REFUSED : state
      return state === argument ? extra : REFUSED
  }
}

function show({ kind, argument, extra, result }: Coded, values: Values): string {
  const answered = result === UNKNOWN ? '' : ` -> ${result === TRUE}`
  switch (kind) {
    case GET:
      return `get -> ${values.show(result)}`
    case SET:
      return `set ${values.show(argument)}`
    case DEL:
      return `del${answered}`
    case EVICT:
      return 'evict'
    default:
      return `cas ${values.show(argument)} to ${values.show(extra)}${answered}`
  }
}
