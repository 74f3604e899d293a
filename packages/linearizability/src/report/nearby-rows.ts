// Which operations of a key a drawing shows: a million bars explain nothing.
import type { History } from '../history/history.ts'
import type { KeyVerdict } from '../verdict/verdict.ts'

/** By call: those in the time of what is suspected or in the minimised history; of others the first ones. At most `most`. */
export function nearbyRows(history: History, rows: Int32Array, verdict: KeyVerdict, most: number): number[] {
  const evidence = verdict.verdict === 'illegal' ? verdict.evidence : null
  const marked = evidence?.parts.map(({ row }) => row) ?? []
  const focus = evidence?.suspects[0] ?? evidence?.firstIllegal ?? marked.at(-1) ?? null
  const middle = focus === null ? 0 : history.callOf(focus)
  const near = [...rows]
    .map((row) => ({ row, distance: focus === null ? 0 : Math.abs(history.callOf(row) - middle) }))
    .toSorted((a, b) => a.distance - b.distance || history.callOf(a.row) - history.callOf(b.row))
    .slice(0, most)
    .map(({ row }) => row)
  return near.toSorted((a, b) => history.callOf(a) - history.callOf(b))
}
