// A set. A state is the number of its sorted members; what adding and removing lead to is remembered per state.
import { FieldProblem } from '../history/history-error.ts'
import type { HistoryRecord } from '../history/record.ts'
import type { Values } from '../history/values.ts'
import { IDS_MAX } from '../limits.ts'
import { list, optionalFlag, requiredFlag, requiredResult, storedValue, unknownFunction } from './fields.ts'
import { type Coded, FALSE, type Machine, type Model, REFUSED, TRUE, UNKNOWN } from './model.ts'
import { StateTable } from './state-table.ts'

const GET = 0
const CONTAINS = 1
const ADD = 2
const REMOVE = 3
const functions = ['get', 'contains', 'add', 'remove']

type Members = readonly number[]

export const set: Model = {
  name: 'set',
  summary: 'a set: add, remove, contains of a value, get of all members',
  start: (values) => startSet(values),
}

function startSet(values: Values): Machine {
  const sets = new StateTable<Members>((members) => members.join())
  const toggled = new Map<number, number>()
  /** The set with the member added or, where it is in, taken out. */
  const toggle = (state: number, member: number): number => {
    const key = state * IDS_MAX + member
    let next = toggled.get(key)
    if (next === undefined) {
      const members = sets.get(state)
      const others = members.filter((other) => other !== member)
      next = sets.id(others.length < members.length ? others : [...members, member].toSorted((a, b) => a - b))
      toggled.set(key, next)
    }
    return next
  }
  return {
    initial: sets.id([]),
    encode: (record) => encode(record, values, sets),
    step: (state, { kind, argument, result }) => {
      if (kind === GET) return state === result ? state : REFUSED
      const isIn = sets.get(state).includes(argument)
      if (kind === CONTAINS) return isIn === (result === TRUE) ? state : REFUSED
      const changes = isIn === (kind === REMOVE)
      if (result !== UNKNOWN && changes !== (result === TRUE)) return REFUSED
      return changes ? toggle(state, argument) : state
    },
    showState: (state) => showMembers(sets.get(state), values),
    showOperation: ({ kind, argument, result }) => {
      if (kind === GET) return `get -> ${result === UNKNOWN ? '?' : showMembers(sets.get(result), values)}`
      const answer = result === UNKNOWN ? '' : ` -> ${result === TRUE}`
      return `${functions[kind] ?? ''} ${values.show(argument)}${answer}`
    },
  }
}

function encode(record: HistoryRecord, values: Values, sets: StateTable<Members>): Coded {
  const kind = functions.indexOf(record.f)
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
      const members = list(requiredResult(record), 'result').map((member) => values.id(member))
      if (new Set(members).size < members.length) throw new FieldProblem('result', 'a member is there twice')
      return code(UNKNOWN, sets.id(members.toSorted((a, b) => a - b)), false)
    }
    case CONTAINS:
      return code(values.id(storedValue(record)), requiredFlag(record), false)
    case ADD:
    case REMOVE: {
      const changed = optionalFlag(record)
      return code(values.id(storedValue(record)), changed, changed !== FALSE)
    }
    default:
      throw unknownFunction(record, functions)
  }
}

function showMembers(members: Members, values: Values): string {
  return `{${members.map((member) => values.show(member)).join(', ')}}`
}
