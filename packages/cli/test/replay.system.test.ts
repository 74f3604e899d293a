// A flight recording taken of a running node by a signal, replayed by the command line.
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { binPath } from '../src/bin-path.ts'
import { freeDevPort, quorate, type Running, start, until } from './shell.ts'

let folder = ''
let node: Running | null = null

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quorate-replay-'))
})

afterAll(async () => {
  node?.child.kill('SIGTERM')
  await node?.exit
  await rm(folder, { recursive: true, force: true })
})

test('SIGUSR2 records every replica, and `quorate replay` comes to the same state', async () => {
  const port = await freeDevPort(2)
  const [listen, peerListen] = [`127.0.0.1:${port}`, `127.0.0.1:${port + 1}`]
  const data = path.join(folder, 'n1')
  const flags = ['--id', 'n1', '--data', data, '--listen', listen, '--peer-listen', peerListen]
  const running = start([
    process.execPath,
    binPath,
    'serve',
    ...flags,
    '--bootstrap',
    `n1=${peerListen}`,
    '--shards',
    '2',
  ])
  node = running
  await until(
    async () => (await quorate('set', 'a', '1', '--endpoints', listen)).code === 0 || undefined,
    () => running.err(),
  )
  running.child.kill('SIGUSR2')
  await until(
    async () => running.err().split('"flight_recorded"').length === 4 || undefined,
    () => running.err(),
  )
  const flights = path.join(data, 'flight')
  const files = (await readdir(flights)).map((name) => path.join(flights, name))
  expect(files).toHaveLength(3)
  for (const file of files) {
    const { code, out } = await quorate('replay', file)
    expect(out).toMatch(/core .* inputs -> leader of term .*: the same as then/)
    expect(out).toMatch(/machine .* state [0-9a-f]+: the same as then/)
    expect(code).toBe(0)
  }
  const [first = ''] = files
  expect(JSON.parse((await quorate('replay', first, '-o', 'json')).out)).toMatchObject({
    node: 'n1',
    same: true,
  })
  await truncate(first, 200)
  const part = await quorate('replay', first)
  expect(part.err).toContain('its checksum does not fit')
  expect(part.code).toBe(2)
  const other = path.join(folder, 'other')
  await writeFile(other, 'hello')
  expect((await quorate('replay', other)).code).toBe(2)
  expect((await quorate('replay', path.join(folder, 'missing'))).code).toBe(2)
})
