// Every value of a history as a small number: equal values get the same number, so that comparing is `===`.
import { IDS_MAX } from '../limits.ts'
import { canonicalJson, type JsonValue } from './json-value.ts'

/** The number of `null`, which stands for "there is nothing". */
export const ABSENT = 0

export class Values {
  readonly #values: JsonValue[] = [null]
  readonly #simple = new Map<JsonValue, number>([[null, ABSENT]])
  readonly #composed = new Map<string, number>()

  /** The number of a value; a new one for a new value. */
  id(value: JsonValue): number {
    if (value !== null && typeof value === 'object')
      return this.#idIn(this.#composed, canonicalJson(value), value)
    return this.#idIn(this.#simple, value, value)
  }

  value(id: number): JsonValue {
    return this.#values[id] ?? null
  }

  show(id: number): string {
    return JSON.stringify(this.value(id))
  }

  #idIn<K>(ids: Map<K, number>, key: K, value: JsonValue): number {
    const known = ids.get(key)
    if (known !== undefined) return known
    const id = this.#values.length
    if (id >= IDS_MAX) throw new RangeError(`more than ${IDS_MAX} distinct values`)
    this.#values.push(value)
    ids.set(key, id)
    return id
  }
}
