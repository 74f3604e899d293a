// The format: what a line must be, and where a mistake is said to be.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { HistoryError, LineSplitter, type Model, modelNamed, parseRecord, readHistory } from '../src/index.ts'

const register = modelNamed('register') as Model
const directory = mkdtempSync(path.join(tmpdir(), 'quorate-format-'))
afterAll(() => rmSync(directory, { recursive: true }))

const good = { process: 3, type: 'ok', f: 'set', key: 'k', value: 1, call: 1, return: 2 }

function mistakeIn(text: string, model: string = 'register'): HistoryError {
  const file = path.join(directory, 'history.jsonl')
  writeFileSync(file, `${JSON.stringify(good)}\n\n${text}\n`)
  try {
    readHistory(file, modelNamed(model) ?? register)
  } catch (error) {
    if (error instanceof HistoryError) return error
    throw error
  }
  throw new Error(`nothing is wrong with ${text}`)
}

const mistakes: [field: string, change: object, model?: string][] = [
  ['type', { type: 'maybe' }],
  ['process', { process: null }],
  ['f', { f: 7 }],
  ['f', { f: 'incr' }],
  ['f', { f: 'cas', value: [1, 2] }],
  ['key', { key: undefined }],
  ['call', { call: '1' }],
  ['call', { call: 2 ** 60 }],
  ['return', { return: 0 }],
  ['return', { return: null }],
  ['return', { type: 'info' }],
  ['version', { epoch: 1 }],
  ['epoch', { epoch: -1, version: 1 }],
  ['value', { value: null }],
  ['result', { f: 'get' }],
  ['result', { f: 'del', result: 'yes' }],
  ['value', { f: 'cas', value: 1, result: true }, 'cas-register'],
  ['result', { f: 'cas', value: [1, 2] }, 'cas-register'],
  ['value', { f: 'incr', value: 1.5 }, 'counter'],
  ['result', { f: 'get', result: 'a' }, 'append-list'],
  ['result', { f: 'get', result: [1, 1] }, 'set'],
  ['clock', { f: 'get', result: 1 }, 'ttl-key'],
  ['ttl', { ttl: 0, clock: 1 }, 'ttl-key'],
  ['result', { f: 'acquire', result: 'a' }, 'fenced-lock'],
]

describe.each(mistakes)('a wrong %s', (field, change, model) => {
  test(`as in ${JSON.stringify(change)} is refused with its line`, () => {
    // The first line must be one of this model's too, so it is a failed operation where it is not.
    const error =
      model === undefined ? mistakeIn(JSON.stringify({ ...good, ...change })) : lineMistake(change, model)
    expect([error.code, error.line, error.field]).toEqual(['BAD_HISTORY', model === undefined ? 3 : 1, field])
  })
})

function lineMistake(change: object, model: string): HistoryError {
  const file = path.join(directory, 'one.jsonl')
  writeFileSync(file, JSON.stringify({ ...good, ...change }))
  try {
    readHistory(file, modelNamed(model) ?? register)
  } catch (error) {
    if (error instanceof HistoryError) return error
    throw error
  }
  throw new Error('nothing is wrong')
}

test('a line that is no JSON, or no object, is refused with its line and no field', () => {
  for (const text of ['{', '[]', 'null', '7'])
    expect([mistakeIn(text).line, mistakeIn(text).field]).toEqual([3, null])
})

/** The line that the error names, which is 9 too where nothing is wrong. */
function lineOf(read: () => unknown): number {
  try {
    read()
    return 9
  } catch (error) {
    if (error instanceof HistoryError) return error.line
    throw error
  }
}

test('whatever a line is, reading it gives a record or a HistoryError', () => {
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom('ok', 'info', 'fail', 1, null))
  fc.assert(
    fc.property(
      fc.record({ process: field, type: field, f: field, key: field, call: field, return: field }),
      (fields) => {
        expect(lineOf(() => parseRecord(JSON.stringify(fields), 9))).toBe(9)
      },
    ),
  )
})

test('lines are the same however the bytes arrive', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 9 })),
      fc.integer({ min: 1, max: 7 }),
      (texts, bytes) => {
        const lines = texts.map((text) => `x${text.replaceAll('\n', ' ')}`)
        const all = Buffer.from(lines.join('\n'))
        const seen: [string, number][] = []
        const splitter = new LineSplitter((text, line) => seen.push([text, line]))
        for (let from = 0; from < all.length; from += bytes) splitter.push(all.subarray(from, from + bytes))
        splitter.end()
        expect(seen).toEqual(lines.map((text, at) => [text, at + 1]))
      },
    ),
  )
})

test('a line without an end is refused before it fills the memory', () => {
  const splitter = new LineSplitter(() => expect.unreachable())
  const chunk = Buffer.alloc(1024 * 1024, 0x20)
  expect(() => {
    for (let count = 0; count < 17; count += 1) splitter.push(chunk)
  }).toThrow(/line 1: longer than/)
})

test('what failed, and reads of unknown outcome, are counted and forgotten', () => {
  const file = path.join(directory, 'fail.jsonl')
  const lines = [good, { ...good, type: 'fail', value: 2 }, { ...good, f: 'get', type: 'info', return: null }]
  writeFileSync(file, lines.map((line) => JSON.stringify(line)).join('\n'))
  const history = readHistory(file, register)
  expect([history.size, history.counts]).toEqual([1, { ok: 1, fail: 1, info: 1 }])
})
