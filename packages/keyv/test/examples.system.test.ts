// The programs of docs/examples print what they say, against three real nodes.
import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DevCluster, startDevCluster } from './dev-cluster.ts'

const directory = path.resolve(import.meta.dirname, '../../../docs/examples')
const names = readdirSync(directory).filter((file) => file.endsWith('.mjs'))

let cluster: DevCluster
beforeAll(async () => {
  cluster = await startDevCluster()
}, 90_000)
afterAll(async () => {
  await cluster.stop()
})

test.each(names)('%s prints what it says, also a second time', async (name) => {
  const file = path.join(directory, name)
  const promised = /\n\/\/ Prints:\n(?<lines>(?:\/\/ .*\n)+)$/.exec(readFileSync(file, 'utf8'))
  const env = { ...process.env, QUORATE_ENDPOINTS: cluster.endpoints.join(',') }
  for (let run = 0; run < 2; run += 1) {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { env, timeout: 60_000 })
    expect(stdout).toBe(promised?.groups?.['lines']?.replaceAll(/^\/\/ /gm, ''))
  }
})

test('every example is in the table of its page', () => {
  const page = readFileSync(path.join(directory, 'README.md'), 'utf8')
  expect(names.filter((name) => !page.includes(`](${name})`))).toEqual([])
})
