// What somebody may have meant who typed what is not there.

/** The one of the words that takes fewest changes of letters; null if all of them take many. */
export function nearest(typed: string, words: readonly string[]): string | null {
  const measured = words
    .map((word) => ({ word, changes: distance(typed.toLowerCase(), word.toLowerCase()) }))
    .toSorted((one, other) => one.changes - other.changes)
  const [best] = measured
  return best === undefined || best.changes > Math.max(2, typed.length / 3) ? null : best.word
}

/** Letters to insert, delete or replace (Levenshtein 1966). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (const [line, letter] of Array.from(from).entries()) {
    const next = [line + 1]
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
