import { errorCodes } from '@quorate/protocol'
import { readFileSync, readdirSync, existsSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from '../src/exit-code.ts'

const root = path.resolve(import.meta.dirname, '..', '..', '..')
const docs = path.join(root, 'docs')
const read = (name: string) => readFileSync(path.join(docs, name), 'utf8')

test('docs/errors.md has a heading for every error code, in their order, and none besides', () => {
  const headings = [...read('errors.md').matchAll(/^### ([A-Z_]+)$/gm)].map((match) => match[1] ?? '')
  expect(headings).toEqual([...errorCodes])
})

test('docs/operating.md names every exit code', () => {
  for (const code of Object.values(exitCodes))
    expect(read('operating.md')).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'))
})

test('every relative link of the documentation leads to a file', () => {
  const pages = [
    ...['README.md', 'CHANGELOG.md'].map((name) => path.join(root, name)),
    ...readdirSync(docs, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.join(docs, name)),
  ]
  const dead = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !existsSync(path.resolve(path.dirname(page), target)))
      .map((target) => `${path.relative(root, page)} -> ${target}`),
  )
  expect(dead).toEqual([])
})

test('every source file that docs/raft.md names exists', () => {
  const named = [...read('raft.md').matchAll(/`([\w./-]+\.ts)`/g)].map(([, file = '']) =>
    file.includes('/') ? file : `packages/raft/${file.endsWith('.test.ts') ? 'test' : 'src'}/${file}`,
  )
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([])
})
