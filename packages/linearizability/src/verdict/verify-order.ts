// Checks an order that an engine found, and shares nothing with the engines: every operation that certainly happened is in it
// once, no other more than once, none stands behind one that began after it had ended, and the model accepts each step.
import type { History } from '../history/history.ts'

/** Null, or what is wrong. `rows` are all rows of the key, ascending; `order` some of them. */
export function verifyOrder(history: History, rows: Int32Array, order: Int32Array): string | null {
  const listed = order.toSorted()
  let at = 0
  for (const row of rows) {
    if (listed[at] === row) at += 1
    else if (Number.isFinite(history.returnOf(row))) return `row ${row} is missing`
  }
  if (at < listed.length) return `row ${listed[at]} is there twice, or none of this key`
  const { machine } = history
  let state = machine.initial
  let latestCall = -Infinity
  for (const row of order) {
    if (history.returnOf(row) < latestCall) return `row ${row} stands behind one that began after it ended`
    latestCall = Math.max(latestCall, history.callOf(row))
    state = machine.step(state, history.codedOf(row))
    if (state < 0) return `the model refuses row ${row}`
  }
  return null
}
