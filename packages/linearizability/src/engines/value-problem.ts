// The problem of a register: a state is one value, and an operation needs a value, rejects one, or leads to one.
import { OPEN, type Subject } from '../history/subject.ts'
import { REFUSED, UNKNOWN, type ValueEffect } from '../models/model.ts'
import { isOpen, type Problem } from './problem.ts'

export interface ValueOperation extends ValueEffect {
  /** Its index in the subject. */
  readonly index: number
  readonly call: number
  readonly return: number
  /** Where the end is that of an operation which saw this one's effect: that operation's index. */
  readonly endedBy?: number
}

export interface ValueProblem {
  /** By call. */
  readonly operations: readonly ValueOperation[]
  /** Values are 0..values-1; 0 is there at the beginning. */
  readonly values: number
}

/** Null where the model's states are more than one value. The values get small numbers of their own. */
export function valueProblemOf({ machine, operations }: Subject): ValueProblem | null {
  const { effectOf } = machine
  if (effectOf === undefined) return null
  const numbers = new Map<number, number>([
    [UNKNOWN, UNKNOWN],
    [machine.initial, 0],
  ])
  const numberOf = (value: number) => {
    let number = numbers.get(value)
    if (number === undefined) {
      number = numbers.size - 1
      numbers.set(value, number)
    }
    return number
  }
  const own = operations.map((operation, index): ValueOperation => {
    const { needs, rejects, leadsTo } = effectOf(operation)
    return {
      index,
      call: operation.call,
      return: operation.return,
      needs: numberOf(needs),
      rejects: numberOf(rejects),
      leadsTo: numberOf(leadsTo),
    }
  })
  return { operations: own, values: numbers.size - 1 }
}

export function stepValue(state: number, { needs, rejects, leadsTo }: ValueEffect): number {
  if (needs !== UNKNOWN && needs !== state) return REFUSED
  if (rejects === state) return REFUSED
  return leadsTo === UNKNOWN ? state : leadsTo
}

export function asProblem({ operations, values }: ValueProblem): Problem {
  return {
    operations,
    initial: 0,
    step: (state, index) => {
      const operation = operations[index]
      return operation === undefined ? REFUSED : stepValue(state, operation)
    },
    likeness: (index) => {
      const operation = operations[index]
      return operation === undefined ? '' : `${operation.needs} ${operation.rejects} ${operation.leadsTo}`
    },
    effects: { of: operations, values },
  }
}

/** By value: how many operations lead to it. */
export function countWriters({ operations, values }: ValueProblem): Int32Array {
  const writers = new Int32Array(values)
  for (const { leadsTo } of operations) if (leadsTo >= 0) writers[leadsTo] = (writers[leadsTo] ?? 0) + 1
  return writers
}

/** By value: operations that need it, whether certain or not. */
export function countNeeding({ operations, values }: ValueProblem): Int32Array {
  const needing = new Int32Array(values)
  for (const { needs } of operations) if (needs >= 0) needing[needs] = (needing[needs] ?? 0) + 1
  return needing
}

/** The latest end of an operation that rejects a value; -1 where there is none. */
export function lastRejection({ operations }: ValueProblem): number {
  let last = -1
  for (const operation of operations)
    if (operation.rejects >= 0) last = Math.max(last, isOpen(operation) ? OPEN : operation.return)
  return last
}
