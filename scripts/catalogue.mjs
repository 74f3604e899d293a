// Holds the bug catalogue against the tests: every entry needs a test that carries its number (`B3`) in a name or a comment,
// and the table in docs/testing.md must be the one made from them. `--write` makes the table.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { catalogue } from './catalogue-entries.mjs'
import { root } from './steps.mjs'

const page = path.join(root, 'docs', 'testing.md')
const begin = '<!-- catalogue: made by scripts/catalogue.mjs -->'
const end = '<!-- end of catalogue -->'

/** Tests, golden transcripts and conformance suites of all packages, relative to `packages/`. */
function testFiles() {
  const base = path.join(root, 'packages')
  return readdirSync(base).flatMap((name) =>
    ['test', 'src'].flatMap((folder) => {
      const directory = path.join(base, name, folder)
      if (!existsSync(directory)) return []
      return readdirSync(directory, { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.(?:ts|txt)$/.test(file) && (folder === 'test' || file.includes('conformance')))
        .map((file) => `${name}/${folder}/${file}`)
    }),
  )
}

const sources = testFiles()
  .toSorted()
  .map((file) => ({ file, text: readFileSync(path.join(root, 'packages', file), 'utf8') }))
const rows = catalogue.map(([id, bug, source]) => ({
  id,
  bug,
  source,
  files: sources.filter(({ text }) => new RegExp(`\\b${id}\\b`).test(text)).map(({ file }) => file),
}))
const lines = rows.map(
  ({ id, bug, source, files }) =>
    `| ${id} | ${bug} | ${source} | ${files.map((file) => `\`${file}\``).join('<br>')} |`,
)
const table = [
  begin,
  '| | the bug | seen in | tests in `packages/` |',
  '|---|---|---|---|',
  ...lines,
  end,
].join('\n')

const text = readFileSync(page, 'utf8')
const from = text.indexOf(begin)
const to = text.indexOf(end)
if (from < 0 || to < from) throw new Error(`${page} lacks the marks of the catalogue`)
const fresh = text.slice(0, from) + table + text.slice(to + end.length)

const untested = rows.filter(({ files }) => files.length === 0).map(({ id }) => id)
if (untested.length > 0) {
  console.error(`catalogue: no test carries ${untested.join(', ')}`)
  process.exitCode = 1
}
if (process.argv.includes('--write')) writeFileSync(page, fresh)
else if (fresh !== text) {
  console.error('catalogue: the table in docs/testing.md is stale; `npm run fix` makes it again')
  process.exitCode = 1
}
