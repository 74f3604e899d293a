// States that are more than a number, each kept once: equal states get the same number.
import { IDS_MAX } from '../limits.ts'

export class StateTable<State> {
  readonly #states: State[] = []
  readonly #ids = new Map<string, number>()
  readonly #keyOf: (state: State) => string

  /** `keyOf` gives equal texts for equal states only. */
  constructor(keyOf: (state: State) => string) {
    this.#keyOf = keyOf
  }

  id(state: State): number {
    const key = this.#keyOf(state)
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const id = this.#states.length
    if (id >= IDS_MAX) throw new RangeError(`more than ${IDS_MAX} distinct states`)
    this.#states.push(state)
    this.#ids.set(key, id)
    return id
  }

  get(id: number): State {
    const state = this.#states[id]
    if (state === undefined) throw new RangeError(`there is no state ${id}`)
    return state
  }
}
