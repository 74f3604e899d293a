// The table in docs/mutants.md: what found each mutant. Rows of mutants that a run left out are kept.
import { type Killer, layers, type Mutant } from './mutant.ts'

const begin = '<!-- mutants: made by `npm run mutants -- --write` -->'
const end = '<!-- end of mutants -->'
const head = ['| mutant | breaks | found by | | seconds |', '|---|---|---|---|---|']

/** Found a mutant that survives. */
const NOBODY = '**nobody**'

/** Rows of the page by the name of their mutant. Throws where the marks are missing. */
export function readRows(page: string): Map<string, string> {
  const { from, to } = marks(page)
  const rows = page
    .slice(from, to)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !head.includes(line))
  return new Map(rows.map((row) => [row.split(' | ')[0]?.slice(2) ?? '', row]))
}

/** The page with the rows of `killers` made again and those of mutants that no longer exist left out. */
export function writeRows(
  page: string,
  mutants: readonly Mutant[],
  killers: ReadonlyMap<string, readonly Killer[]>,
): string {
  const old = readRows(page)
  const rows = mutants.flatMap((mutant) => {
    const found = killers.get(mutant.name)
    const row = found === undefined ? old.get(mutant.name) : rowOf(mutant, found)
    return row === undefined ? [] : [row]
  })
  const { from, to } = marks(page)
  return `${page.slice(0, from)}\n${[summary(rows), '', ...head, ...rows].join('\n')}\n${page.slice(to)}`
}

/** Who found how many first. */
function summary(rows: readonly string[]): string {
  const found = rows.map((row) => row.split(' | ')[2] ?? '')
  const counts = layers.map((layer) => `${layer} ${found.filter((each) => each.startsWith(layer)).length}`)
  return `${rows.length} mutants, found first by: ${counts.join(', ')}.`
}

function rowOf({ name, breaks }: Mutant, killers: readonly Killer[]): string {
  if (killers.length === 0) return `| ${name} | ${cell(breaks)} | ${NOBODY} | | |`
  const foundBy = killers.map(({ layer }) => layer).join('<br>')
  const by = killers.map((killer) => cell(killer.by)).join('<br>')
  const seconds = killers.map((killer) => killer.seconds.toFixed(1)).join('<br>')
  return `| ${name} | ${cell(breaks)} | ${foundBy} | ${by} | ${seconds} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** Mutants that have no row or that nobody has found, and rows that have no mutant. */
export function staleRows(page: string, mutants: readonly Mutant[]): string[] {
  const rows = readRows(page)
  const names = new Set(mutants.map(({ name }) => name))
  return [
    ...[...names].filter((name) => !rows.has(name)).map((name) => `"${name}" is not in docs/mutants.md`),
    ...[...rows].filter(([, row]) => row.includes(NOBODY)).map(([name]) => `"${name}" survives`),
    ...[...rows.keys()].filter((name) => !names.has(name)).map((name) => `docs/mutants.md has "${name}"`),
  ]
}

function marks(page: string): { from: number; to: number } {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error('docs/mutants.md lacks the marks of its table')
  return { from: from + begin.length, to }
}
