// A list that only grows. A state is a node of a tree of all lists seen: the last element, and the list before it.
import type { HistoryRecord } from '../history/record.ts'
import type { Values } from '../history/values.ts'
import { IDS_MAX } from '../limits.ts'
import { list, requiredResult, storedValue, unknownFunction, wholeNumber } from './fields.ts'
import { type Coded, type Machine, type Model, REFUSED, UNKNOWN } from './model.ts'

const GET = 0
const APPEND = 1
const functions = ['get', 'append']

export const appendList: Model = {
  name: 'append-list',
  summary: 'a list: get, append of a value (the result, if any, is the new length)',
  start: (values) => startList(values),
}

function startList(values: Values): Machine {
  const lists = new Lists()
  return {
    initial: lists.empty,
    encode: (record) => encode(record, values, lists),
    step: (state, { kind, argument, result }) => {
      if (kind === GET) return state === result ? state : REFUSED
      const longer = lists.append(state, argument)
      return result === UNKNOWN || lists.length(longer) === result ? longer : REFUSED
    },
    showState: (state) => showList(lists, state, values),
    showOperation: ({ kind, argument, result }) => {
      if (kind === GET) return `get -> ${result === UNKNOWN ? '?' : showList(lists, result, values)}`
      return `append ${values.show(argument)}${result === UNKNOWN ? '' : ` -> ${result}`}`
    },
  }
}

class Lists {
  readonly empty = 0
  readonly #before: number[] = [0]
  readonly #last: number[] = [0]
  readonly #length: number[] = [0]
  readonly #longer = new Map<number, number>()

  append(state: number, value: number): number {
    const key = state * IDS_MAX + value
    const known = this.#longer.get(key)
    if (known !== undefined) return known
    const id = this.#last.length
    if (id >= IDS_MAX) throw new RangeError(`more than ${IDS_MAX} distinct lists`)
    this.#before.push(state)
    this.#last.push(value)
    this.#length.push(this.length(state) + 1)
    this.#longer.set(key, id)
    return id
  }

  length(state: number): number {
    return this.#length[state] ?? 0
  }

  elements(state: number): number[] {
    const elements: number[] = []
    for (let at = state; at !== this.empty; at = this.#before[at] ?? 0) elements.push(this.#last[at] ?? 0)
    return elements.toReversed()
  }
}

function encode(record: HistoryRecord, values: Values, lists: Lists): Coded {
  const kind = functions.indexOf(record.f)
  const certain = record.type === 'ok'
  if (kind === GET) {
    let result = UNKNOWN
    if (certain) {
      result = lists.empty
      for (const value of list(requiredResult(record), 'result'))
        result = lists.append(result, values.id(value))
    }
    return { kind, argument: UNKNOWN, extra: UNKNOWN, result, clock: UNKNOWN, changes: false }
  }
  if (kind !== APPEND) throw unknownFunction(record, functions)
  const told = certain && record.result !== undefined && record.result !== null
  const result = told ? wholeNumber(record.result, 'result') : UNKNOWN
  const argument = values.id(storedValue(record))
  return { kind, argument, extra: UNKNOWN, result, clock: UNKNOWN, changes: true }
}

const SHOWN_ELEMENTS_MAX = 12

function showList(lists: Lists, state: number, values: Values): string {
  const elements = lists.elements(state)
  const shown = elements.slice(-SHOWN_ELEMENTS_MAX).map((element) => values.show(element))
  const rest = elements.length - shown.length
  return `[${rest > 0 ? `${rest} more, ` : ''}${shown.join(', ')}]`
}
