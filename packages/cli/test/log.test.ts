import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { eventCodes, levelOf } from '../src/serve/event-codes.ts'
import { createLog, type LogOptions } from '../src/serve/log.ts'

async function logged(
  change: Partial<LogOptions>,
  ...events: Parameters<Awaited<ReturnType<typeof createLog>>>[0][]
) {
  let text = ''
  const log = await createLog({
    node: 'n1',
    pretty: false,
    color: false,
    level: 'info',
    write: (line) => (text += line),
    ...change,
  })
  for (const event of events) log(event)
  return text
}

test('a log line is one line of JSON with level, time, node, code and facts', async () => {
  const line = await logged({}, { code: 'halted', error: new TypeError('a\nb'), at: 7n, group: 3 })
  expect(line.split('\n')).toHaveLength(2)
  expect(JSON.parse(line)).toEqual({
    level: 'error',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    node: 'n1',
    code: 'halted',
    error: 'TypeError: a\nb',
    at: '7',
    group: 3,
  })
})

test('what is below the level is not logged, and an unknown code counts as information', async () => {
  const events = [{ code: 'scrubbed' }, { code: 'listening' }, { code: 'peer_lost' }, { code: 'new_one' }]
  const codes = async (level: LogOptions['level']) =>
    (await logged({ level }, ...events)).match(/(?<="code":")\w+/g) ?? []
  expect(await codes('debug')).toEqual(['scrubbed', 'listening', 'peer_lost', 'new_one'])
  expect(await codes('info')).toEqual(['listening', 'peer_lost', 'new_one'])
  expect(await codes('warn')).toEqual(['peer_lost'])
  expect(await codes('error')).toEqual([])
  expect(levelOf('constructor')).toBe('info')
})

test('pretty is one line for a person with code and facts, painted only where that is wanted', async () => {
  const event = { code: 'replica_created', group: 3 }
  const plain = await logged({ pretty: true }, event)
  expect(plain).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: replica_created \{"group":3\}\n$/)
  expect(await logged({ pretty: true, color: true }, event)).toContain('\u001b[')
})

/** Every event that sources log. */
function loggedCodes(): string[] {
  const packages = path.resolve(import.meta.dirname, '..', '..')
  const codes = ['node/src', 'cli/src/serve'].flatMap((name) => {
    const directory = path.join(packages, name)
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(path.join(directory, file), 'utf8'))
      .flatMap((text) => [...text.matchAll(/\{ code: (?:\w+ \? )?'([a-z_]+)'(?: : '([a-z_]+)')?/g)])
      .flatMap(([, code, otherwise]) => [code, otherwise])
  })
  return [...new Set(codes.filter((code) => code !== undefined))].toSorted()
}

test('every event that is logged has its code in the list, and the list has no others', () => {
  expect(loggedCodes()).toEqual(Object.keys(eventCodes).toSorted())
})

test('docs/operating.md names every event and what it means', () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../../docs/operating.md'), 'utf8')
  const missing = Object.entries(eventCodes)
    .map(([code, { level, means }]) => `| \`${code}\` | ${level} | ${means} |`)
    .filter((line) => !page.includes(line))
  expect(missing).toEqual([])
})
