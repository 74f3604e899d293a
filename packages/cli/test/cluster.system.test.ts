// The command line against a real cluster: whole, half down, down, and what is no cluster at all.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { binPath } from '../src/bin-path.ts'
import { exitCodes } from '../src/exit-code.ts'
import { freeDevPort, quorate, type Running, start, until } from './shell.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'quorate-cluster-'))
let port: number
let endpoints: string
let cluster: Running
let stranger: Server

const at = (...args: string[]) => quorate(...args, '--endpoints', endpoints)

beforeAll(async () => {
  port = await freeDevPort(3)
  endpoints = [0, 1, 2].map((index) => `127.0.0.1:${port + index}`).join(',')
  cluster = start([
    process.execPath,
    binPath,
    'dev',
    '--port',
    `${port}`,
    '--data',
    directory,
    '--shards',
    '4',
  ])
  await until(
    () => {
      expect(cluster.child.exitCode, cluster.err()).toBe(null)
      return cluster.out().includes('ready ') ? true : undefined
    },
    () => `${cluster.out()}${cluster.err()}`,
    90_000,
  )
  stranger = createServer((socket) => socket.end('220 smtp.example.org\r\n'))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
}, 120_000)

afterAll(async () => {
  cluster.child.kill('SIGTERM')
  await cluster.exit
  stranger.close()
  rmSync(directory, { recursive: true, force: true })
}, 60_000)

interface Node {
  readonly id: string
  readonly pid: number | null
  readonly state: string
}

test('a whole cluster: healthy, every slot has a shard, keys are where locate says, bench has no failures', async () => {
  const health = await until(
    async () => {
      const seen = await at('health')
      return seen.code === exitCodes.done ? seen : undefined
    },
    () => cluster.err(),
  )
  expect(health.out).toMatch(/\nhealthy\n$/)
  expect((await at('nodes', '-o', 'name')).out).toBe('n1\nn2\nn3\n')
  expect((await at('shards', '-o', 'name')).out).toBe('meta\n1\n2\n3\n4\n')
  const ranges = JSON.parse((await at('ring', '-o', 'json')).out) as {
    first: number
    last: number
    shard: number
  }[]
  expect(ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(16_384)
  expect(ranges.every(({ shard }) => shard >= 1 && shard <= 4)).toBe(true)

  const bench = await at('bench', '--operations', '300', '--connections', '2', '--keys', '50', '-o', 'json')
  expect([bench.code, bench.err]).toEqual([0, ''])
  expect(JSON.parse(bench.out)).toMatchObject({ operations: 300, failures: {} })
  const top = await at('top', '--once', '--interval', '200ms')
  expect(top.out).toMatch(/^NODE +STATE +LEADS +CLIENTS[^]*\nSHARD +LEADER/)

  expect((await at('set', 'user:1', 'Ada')).code).toBe(0)
  const [place] = JSON.parse((await at('locate', 'user:1', '-o', 'json')).out) as {
    leader: string
    shard: number
  }[]
  const leaders = JSON.parse((await at('shards', '-o', 'json')).out) as { group: number; leader: string }[]
  expect(leaders.find(({ group }) => group === place?.shard)?.leader).toBe(place?.leader)
})

test('each node of dev has a port for operators, which is ready', async () => {
  for (const index of [0, 1, 2]) {
    const response = await fetch(`http://127.0.0.1:${port + 200 + index}/readyz?verbose`)
    const body = await response.text()
    expect([response.status, body]).toEqual([200, expect.stringMatching(/\[\+\] shard 4: .*\nready\n$/)])
  }
})

test('what is no node at an endpoint: cannot connect, exit 4, with a hint; beside a node it does no harm', async () => {
  const address = stranger.address()
  const wrong = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  // The ports of peers and of operators are not those of clients.
  for (const endpoint of [
    wrong,
    `127.0.0.1:${port + 100}`,
    `127.0.0.1:${port + 200}`,
    'no-such-host.invalid:7400',
  ]) {
    const { code, out, err } = await quorate('get', 'user:1', '--timeout', '1s', '--endpoints', endpoint)
    expect({ code, out }, `${endpoint}: ${err}`).toEqual({ code: exitCodes.cannotConnect, out: '' })
    expect(err).toMatch(/^error: CANNOT_CONNECT \(not-done\): [^]*hint: /)
  }
  const { code } = await quorate('get', 'user:1', '--endpoints', `${wrong},${endpoints}`)
  expect(code).toBe(0)
})

test('half down: reads and writes fail by their deadline and say what is known, health and status exit 5', async () => {
  const nodes = JSON.parse((await at('nodes', '-o', 'json')).out) as Node[]
  for (const { pid } of nodes.slice(1)) if (pid !== null) process.kill(pid, 'SIGKILL')
  await until(
    async () => ((await at('status', '--timeout', '1s')).code === exitCodes.unhealthy ? true : undefined),
    () => cluster.err(),
  )
  const health = await at('health', '--timeout', '1s')
  expect(health.code).toBe(exitCodes.unhealthy)
  expect(health.out).toMatch(/node n2 +NOT OK +CANNOT_CONNECT/)
  expect(health.out).toMatch(/shard 1 +NOT OK +no leader serves it[^]*\nunhealthy\n$/)
  const read = await at('get', 'user:1', '--timeout', '1s')
  // A leader that was known is asked until the deadline, and is not there.
  const notDone = [exitCodes.failed, exitCodes.cannotConnect]
  expect([read.out, notDone]).toEqual(['', expect.arrayContaining([read.code])])
  expect(read.err).toMatch(/^error: [A-Z_]+ \(not-done\): /)
  const write = await at('set', 'user:1', 'Bob', '--timeout', '1s', '-o', 'json')
  const told = JSON.parse(write.err) as { outcome: string }
  expect([write.code, told.outcome]).toBeOneOf([
    ...notDone.map((code) => [code, 'not-done']),
    [exitCodes.unknown, 'unknown'],
  ])
  const ready = await fetch(`http://127.0.0.1:${port + 200}/readyz`)
  expect(ready.status).toBe(503)
})

test('down: every command of a client exits 4 and says whom it asked', async () => {
  cluster.child.kill('SIGTERM')
  await cluster.exit
  for (const args of [['get', 'k'], ['set', 'k', 'v'], ['nodes'], ['health'], ['top', '--once'], ['bench']]) {
    const { code, out, err } = await at(...args, '--timeout', '1s')
    expect({ code, out }, `${args.join(' ')}: ${err}`).toEqual({ code: exitCodes.cannotConnect, out: '' })
    expect(err).toContain(`127.0.0.1:${port}`)
  }
})

test('completion prints a script for each shell, and answers what a shell asks', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await quorate('completion', shell)
    expect([code, out.includes('quorate')], shell).toEqual([0, true])
  }
  expect((await quorate('complete', '--', 'he')).out).toMatch(/^health\t/)
  expect((await quorate('complete', '--', 'get', '--end')).out).toMatch(/^--endpoints\t/)
  expect((await quorate('complete', '--', 'get', '-o', '')).out).toMatch(/^table\b[^]*\njsonl\b/)
  expect((await quorate('completion', 'tcsh')).code).toBe(exitCodes.usage)
})
