// What is checked: the operations on one key, in the order of their calls, with moments as ranks.
import type { Coded, Machine } from '../models/model.ts'
import { type History, OPEN_RETURN } from './history.ts'

/** The return rank of an operation that may still happen: behind every other moment. */
export const OPEN: number = 2 ** 31 - 1

/**
 * Calls and returns of a key, numbered in the order of time; of equal moments the calls come first, so that operations which
 * only touch count as concurrent. `a` ended before `b` began exactly when `a.return < b.call`.
 */
export interface Interval {
  readonly call: number
  readonly return: number
}

export interface Operation extends Interval, Coded {
  /** Its row in the history. */
  readonly row: number
}

export interface Subject {
  readonly machine: Machine
  /** By call. */
  readonly operations: readonly Operation[]
}

export function subjectOf(history: History, rows: Int32Array): Subject {
  const callAt = (position: number) => history.callOf(rows[position] ?? 0)
  const returnAt = (position: number) => history.returnOf(rows[position] ?? 0)
  const positions = Int32Array.from(rows.keys())
  const calls = positions.toSorted((a, b) => callAt(a) - callAt(b) || a - b)
  const returns = positions.filter((position) => returnAt(position) !== OPEN_RETURN)
  returns.sort((a, b) => returnAt(a) - returnAt(b) || a - b)
  const returnRanks = new Int32Array(rows.length).fill(OPEN)
  const callRanks = new Int32Array(rows.length)
  let ended = 0
  calls.forEach((position, called) => {
    for (; returnAt(returns[ended] ?? position) < callAt(position); ended += 1)
      returnRanks[returns[ended] ?? 0] = called + ended
    callRanks[position] = called + ended
  })
  for (; ended < returns.length; ended += 1) returnRanks[returns[ended] ?? 0] = calls.length + ended
  const operations = Array.from(calls, (position): Operation => {
    const row = rows[position] ?? 0
    const { kind, argument, extra, result, clock, changes } = history.codedOf(row)
    const [call, end] = [callRanks[position] ?? 0, returnRanks[position] ?? OPEN]
    return { row, call, return: end, kind, argument, extra, result, clock, changes }
  })
  return { machine: history.machine, operations }
}
