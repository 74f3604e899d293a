import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRealDisk } from '../src/index.ts'

let directory = ''
let file = ''
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'quorate-lock-'))
  file = path.join(directory, 'lock')
})
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

/** The owner that this process writes, with changes. */
function leave(changes: Record<string, unknown>, name = 'lock'): void {
  const lock = createRealDisk().lock(path.join(directory, 'sample'))
  const own: unknown = JSON.parse(fs.readFileSync(path.join(directory, 'sample'), 'utf8'))
  lock.release()
  fs.writeFileSync(
    path.join(directory, name),
    JSON.stringify({ ...(own as object), nonce: 'aa', ...changes }),
  )
}

const stale: readonly [string, () => void][] = [
  ['of a process that is gone', () => leave({ pid: 2 ** 30 })],
  ['of a process whose number another one has now', () => leave({ started: '1' })],
  ['of another boot of the machine', () => leave({ machineBoot: 'another' })],
  ['that a power loss left empty', () => fs.writeFileSync(file, '')],
  [
    'whose taker was killed half-way',
    () => {
      leave({ pid: 2 ** 30 })
      leave({ pid: 2 ** 30, nonce: 'bb' }, 'lock.aa')
    },
  ],
]

test.each(stale)('a lock %s does not block', (_name, make) => {
  make()
  const lock = createRealDisk().lock(file)
  expect(() => createRealDisk().lock(file)).toThrow(/held by process/)
  lock.release()
  expect(fs.readdirSync(directory)).toEqual([])
})

test('a lock of a living process blocks, also one that is being taken over', () => {
  leave({ pid: process.pid })
  expect(() => createRealDisk().lock(file)).toThrow(`held by process ${process.pid}`)
  leave({ pid: 2 ** 30 })
  leave({ pid: process.pid, nonce: 'bb' }, 'lock.aa')
  expect(() => createRealDisk().lock(file)).toThrow(`held by process ${process.pid}`)
})
