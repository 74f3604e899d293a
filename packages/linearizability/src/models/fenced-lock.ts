// A lock whose holders get ever greater tokens. A token that nobody was told is known within a bound.
import type { JsonValue } from '../history/json-value.ts'
import type { HistoryRecord } from '../history/record.ts'
import type { Values } from '../history/values.ts'
import { requiredFlag, requiredResult, unknownFunction, wholeNumber } from './fields.ts'
import { type Coded, FALSE, type Machine, type Model, REFUSED, TRUE, UNKNOWN } from './model.ts'
import { StateTable } from './state-table.ts'

const ACQUIRE = 0
const RELEASE = 1
const HOLDER = 2
const EXPIRE = 3
const functions = ['acquire', 'release', 'holder', 'expire']
/** As a result: nobody has it. */
const NOBODY = -2

interface State {
  readonly held: boolean
  /** The last token given; where it was not told, the least that it can be. */
  readonly token: number
  readonly told: boolean
}

export const fencedLock: Model = {
  name: 'fenced-lock',
  summary: 'a lock: acquire -> token or null, release of a token, holder -> token or null, expire',
  start: (values): Machine => {
    const states = new StateTable<State>(({ held, token, told }) => `${held} ${token} ${told}`)
    const token = (id: number) => (id < 0 ? id : Number(values.value(id)))
    return {
      initial: states.id({ held: false, token: 0, told: true }),
      encode: (record) => encode(record, values),
      step: (id, { kind, argument, result }) => {
        const state = states.get(id)
        const next =
          kind === ACQUIRE || kind === HOLDER
            ? (kind === ACQUIRE ? acquire : holder)(state, token(result))
            : release(state, token(argument), result)
        return next === undefined ? REFUSED : next === state ? id : states.id(next)
      },
      showState: (id) => {
        const state = states.get(id)
        const name = `${state.told ? '' : 'at least '}${state.token}`
        return state.held ? `held with ${name}` : `free after ${name}`
      },
      showOperation: ({ kind, argument, result }) => {
        const told = argument === UNKNOWN ? '' : ` ${token(argument)}`
        if (result === UNKNOWN) return `${functions[kind] ?? ''}${told}`
        const answer = kind === RELEASE ? result === TRUE : result === NOBODY ? null : token(result)
        return `${functions[kind] ?? ''}${told} -> ${answer}`
      },
    }
  },
}

function acquire(state: State, token: number): State | undefined {
  if (token === NOBODY) return state.held ? state : undefined
  if (state.held) return undefined
  if (token === UNKNOWN) return { held: true, token: state.token + 1, told: false }
  // An unknown last token is at least `state.token`, so only what is greater than that can follow.
  return token > state.token ? { held: true, token, told: true } : undefined
}

function release(state: State, token: number, result: number): State | undefined {
  if (result === FALSE) return state.held && state.told && state.token === token ? undefined : state
  // An expiry that does not say of which token: then nobody has it, as perhaps nobody had.
  if (token === UNKNOWN) return state.held ? { ...state, held: false } : state
  if (!state.held) return undefined
  return mayBe(state, token) ? { held: false, token, told: true } : undefined
}

function holder(state: State, token: number): State | undefined {
  if (token === NOBODY) return state.held ? undefined : state
  return state.held && mayBe(state, token) ? { held: true, token, told: true } : undefined
}

function mayBe(state: State, token: number): boolean {
  return state.told ? state.token === token : token >= state.token
}

function encode(record: HistoryRecord, values: Values): Coded {
  const kind = functions.indexOf(record.f)
  const certain = record.type === 'ok'
  const token = (value: JsonValue | undefined, field: string) => values.id(wholeNumber(value, field))
  const answer = () => {
    if (!certain) return UNKNOWN
    const result = requiredResult(record)
    return result === null ? NOBODY : token(result, 'result')
  }
  const code = (argument: number, result: number, changes: boolean): Coded => ({
    kind,
    argument,
    extra: UNKNOWN,
    result,
    clock: UNKNOWN,
    changes,
  })
  switch (kind) {
    case ACQUIRE: {
      const given = answer()
      return code(UNKNOWN, given, given !== NOBODY)
    }
    case RELEASE: {
      const released = requiredFlag(record)
      return code(token(record.value, 'value'), released, released !== FALSE)
    }
    case HOLDER:
      return code(UNKNOWN, answer(), false)
    case EXPIRE: {
      const { value } = record
      return code(value === undefined || value === null ? UNKNOWN : token(value, 'value'), UNKNOWN, true)
    }
    default:
      throw unknownFunction(record, functions)
  }
}
