// What comes out: the page, the text, the JSON, the exit codes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runCheck } from '../src/command/run-check.ts'
import { formatRecord } from '../src/proof/generate.ts'
import { done, open, record, type Told } from './support/histories.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'quorate-report-'))
afterAll(() => rmSync(directory, { recursive: true }))

const hostile = '</title><script>alert("x")</script>&\u001b[2J'
const stale: readonly Told[] = [
  { ...done('set', 'a', undefined, 0, 1_000), process: hostile },
  done('set', 'b', undefined, 2_000, 3_000),
  { ...done('get', undefined, 'a', 4_000, 5_000), process: 'reader' },
  open('set', hostile, 4_500),
]

function file(name: string, lines: readonly string[]): string {
  const target = path.join(directory, name)
  writeFileSync(target, lines.map((line) => `${line}\n`).join(''))
  return target
}

function historyFile(story: readonly Told[]): string {
  return file(
    'history.jsonl',
    story.map((told, at) => formatRecord(record(told, at + 1))),
  )
}

function run(...args: string[]) {
  const printed = { out: '', error: '' }
  const code = runCheck(args, {
    out: (text) => (printed.out += text),
    error: (text) => (printed.error += text),
  })
  return { code, ...printed }
}

test('ok ends with 0, illegal with 1, wrong input with 2, unknown with 3', () => {
  expect(run(historyFile(stale.slice(0, 2)), '--model', 'register')).toMatchObject({ code: 0, error: '' })
  expect(run(historyFile(stale), '--model', 'register')).toMatchObject({ code: 1, error: '' })
  const hard = [
    ...Array.from({ length: 30 }, (_, at) => open('incr', at + 1, at)),
    done('get', undefined, 466, 50, 51),
  ]
  expect(run(historyFile(hard), '--model', 'counter', '--steps', '100')).toMatchObject({ code: 3 })
  for (const args of [
    [],
    ['--model', 'register'],
    ['x', '--model', 'no'],
    ['x', '--model', 'register', '--what'],
  ])
    expect(run(...args)).toMatchObject({ code: 2, out: '' })
  expect(run(path.join(directory, 'missing'), '--model', 'register').error).toMatch(/ENOENT/)
  const wrong = run(file('wrong.jsonl', ['{"process":1}']), '--model', 'register')
  expect(wrong.code).toBe(2)
  expect(wrong.error).toMatch(/wrong\.jsonl: line 1, field "type"/)
  expect(run('--help')).toMatchObject({ code: 0, error: '' })
})

test('the text points at the operation, and nothing in it moves the cursor', () => {
  const { out } = run(historyFile(stale), '--model', 'register')
  expect(out).toMatch(/^> line 3, process reader: get -> "a"/m)
  expect(out.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
})

test('the JSON has the verdict, the minimised history and the operation to blame', () => {
  const parsed: unknown = JSON.parse(run(historyFile(stale), '--model', 'register', '--json').out)
  expect(parsed).toMatchObject({
    verdict: 'illegal',
    operations: { ok: 3, fail: 0, info: 1 },
    notOk: [
      {
        key: 'k',
        confirmed: true,
        suspects: [3],
        minimised: [{ line: 1 }, { line: 2 }, { line: 3, suspect: true }],
      },
    ],
  })
})

test('the page marks the operation, draws the faults, escapes everything and needs nothing else', () => {
  const faults = file('faults.jsonl', [
    JSON.stringify({ from: 2_500, to: 4_200, label: `cut ${hostile}`, node: 'n1' }),
  ])
  const report = path.join(directory, 'report.html')
  run(historyFile(stale), '--model', 'register', '--report', report, '--faults', faults)
  const page = readFileSync(report, 'utf8')
  expect(page).toMatch(/class="bar evidence suspect"><title>line 3, process reader: get -&gt; &quot;a&quot;/)
  expect(page).toMatch(/<g class="fault"><title>cut &lt;\/title&gt;/)
  expect(page).toMatch(/class="bar open"/)
  expect(page).not.toMatch(/<script/)
  expect(page).not.toMatch(/https?:|src=|url\(/)
  expect(page).not.toContain('\u001b')
  expect(page).toContain("default-src 'none'")
})

test('a fault that ends before it begins is refused with its line', () => {
  const faults = file('faults.jsonl', [JSON.stringify({ from: 2, to: 1, label: 'x' })])
  const { code, error } = run(historyFile(stale), '--model', 'register', '--faults', faults)
  expect(code).toBe(2)
  expect(error).toMatch(/faults\.jsonl: line 1, field "to"/)
})
