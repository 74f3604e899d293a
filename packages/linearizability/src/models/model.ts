// What a model is: the meaning of the operations on one key, as a pure step from state to state.
import type { HistoryRecord } from '../history/record.ts'
import type { Values } from '../history/values.ts'

/** No state: the operation cannot have happened here. */
export const REFUSED = -1
/** In `result` and `clock`: not told. In `argument` and `extra`: there is none. */
export const UNKNOWN = -1
export const FALSE = 0
export const TRUE = 1

/** An operation in numbers. What `argument`, `extra` and `result` mean is the model's own affair. */
export interface Coded {
  readonly kind: number
  readonly argument: number
  readonly extra: number
  readonly result: number
  /** The system's time, ms; UNKNOWN where the history does not say. */
  readonly clock: number
  /** False: it leaves no effect, so that without it every legal order of the others stays legal. */
  readonly changes: boolean
}

/**
 * A model at work on one history. A state is a number, and equal states are the same number: whatever is bigger is kept once,
 * in a table of the machine. `step` is a function of its arguments alone.
 *
 * An operation whose outcome is unknown is stepped with what it would do *if it had an effect*: without one it need not be
 * stepped at all.
 */
export interface Machine {
  readonly initial: number
  /** Throws `FieldProblem` where the record is none of this model's. */
  encode(record: HistoryRecord): Coded
  /** The state after the operation, or REFUSED. */
  step(state: number, operation: Coded): number
  showOperation(operation: Coded): string
  showState(state: number): string
  /** Only where a state is one value and operations compare and replace it: how each does that. */
  readonly effectOf?: (operation: Coded) => ValueEffect
}

/** UNKNOWN where it does not apply. */
export interface ValueEffect {
  /** The value that must be there. */
  readonly needs: number
  /** The value that must not be there. */
  readonly rejects: number
  /** The value that is there afterwards. */
  readonly leadsTo: number
}

export interface Model {
  readonly name: string
  /** One line for those who choose a model. */
  readonly summary: string
  start(values: Values): Machine
}
