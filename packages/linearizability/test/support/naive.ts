// The definition itself (Herlihy and Wing 1990, section 2.2), for a handful of operations: some of those that may have happened
// are chosen, and every permutation is held against real time and the model. Knows no engine and no memo.
import type { History } from '../../src/index.ts'

export function isLinearizableByDefinition(history: History): boolean {
  const rows = Array.from({ length: history.size }, (_, row) => row)
  const certain = rows.filter((row) => Number.isFinite(history.returnOf(row)))
  const possible = rows.filter((row) => !certain.includes(row))
  for (let chosen = 0; chosen < 2 ** possible.length; chosen += 1) {
    const some = [...certain, ...possible.filter((_, index) => ((chosen >> index) & 1) === 1)]
    for (const order of permutations(some))
      if (respectsTime(history, order) && isLegal(history, order)) return true
  }
  return false
}

function* permutations(rows: readonly number[]): Generator<readonly number[]> {
  if (rows.length === 0) yield []
  for (const row of rows)
    for (const others of permutations(rows.filter((other) => other !== row))) yield [row, ...others]
}

function respectsTime(history: History, order: readonly number[]): boolean {
  return order.every((later, at) =>
    order.slice(0, at).every((earlier) => !(history.returnOf(later) < history.callOf(earlier))),
  )
}

function isLegal(history: History, order: readonly number[]): boolean {
  let state = history.machine.initial
  for (const row of order) {
    state = history.machine.step(state, history.codedOf(row))
    if (state < 0) return false
  }
  return true
}
