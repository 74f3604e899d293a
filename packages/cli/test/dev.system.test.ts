import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freeDevPort, quorate, type Running, start, until } from './shell.ts'
import { binPath } from '../src/bin-path.ts'

let directory: string
let port: number
let endpoints: string
const started: Running[] = []

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-dev-'))
  port = await freeDevPort(3)
  endpoints = [0, 1, 2].map((index) => `127.0.0.1:${port + index}`).join(',')
})
afterEach(async () => {
  for (const { child, exit } of started.splice(0)) {
    child.kill('SIGKILL')
    await exit
  }
  await until(
    async () => ((await answering()) ? undefined : true),
    () => 'nodes are left over',
  )
  rmSync(directory, { recursive: true, force: true })
})

function launch(command: readonly string[]): Running {
  const running = start(command)
  started.push(running)
  return running
}

function dev(...args: string[]): Running {
  return launch([process.execPath, binPath, 'dev', '--port', `${port}`, '--data', directory, ...args])
}

async function ready(running: Running): Promise<void> {
  await until(
    () => (running.out().includes('ready ') ? true : running.child.exitCode === null ? undefined : false),
    () => `dev is not ready: ${running.out()}${running.err()}`,
    60_000,
  )
  expect(running.out()).toBe(`ready quorate://${endpoints}\n`)
}

const at = (...args: string[]) => quorate(...args, '--endpoints', endpoints)

async function answering(): Promise<boolean> {
  return (await at('status', '--timeout', '300ms')).code !== 4
}

interface StatusDocument {
  id: string
  pid: number | null
  state: string
  shards: { group: number; role: string }[]
}

async function status(): Promise<StatusDocument[]> {
  const { out, err } = await at('status', '-o', 'json')
  if (out === '') throw new Error(err)
  return JSON.parse(out) as StatusDocument[]
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('a cluster of dev serves every command, survives the kill of a node, takes it back and stops in order', async () => {
  const cluster = dev('--shards', '4')
  await ready(cluster)

  expect(await at('get', 'k')).toEqual({ code: 3, out: '', err: '' })
  expect((await at('set', 'k', 'two words')).code).toBe(0)
  expect(await at('get', 'k')).toEqual({ code: 0, out: 'two words\n', err: '' })
  expect((await at('set', 'k', 'x', '--if-absent')).code).toBe(3)
  expect((await at('incr', 'k')).code).toBe(1)
  expect((await at('set', 'n', '5')).code).toBe(0)
  expect((await at('incr', 'n', '-7')).out).toBe('-2\n')
  expect((await at('set', 'j', '{"a":[1]}', '--json')).code).toBe(0)
  expect((await at('get', 'j')).out).toBe('{"a":[1]}\n')
  expect((await at('del', 'n')).code).toBe(0)
  expect((await at('del', 'n')).code).toBe(3)
  expect((await at('status')).code).toBe(0)

  const nodes = await status()
  expect(nodes.map(({ id, state }) => [id, state])).toEqual([
    ['n1', 'serving'],
    ['n2', 'serving'],
    ['n3', 'serving'],
  ])
  expect(nodes[0]?.shards.map(({ group }) => group)).toEqual([0, 1, 2, 3, 4])

  // A node that leads something, so that there has to be an election.
  const victim = nodes.find(({ shards }) => shards.some(({ role }) => role === 'leader'))
  if (victim?.pid == null) throw new Error('nobody leads')
  process.kill(victim.pid, 'SIGKILL')
  const command = await until(
    () => /^ {2}(\S+ .*serve --id .*)$/m.exec(cluster.err())?.[1],
    () => `no command to restart: ${cluster.err()}`,
  )
  expect(command).toContain(`--id ${victim.id} `)
  expect((await at('set', 'k', 'still here')).code).toBe(0)
  expect((await at('get', 'k')).out).toBe('still here\n')
  await until(
    async () => ((await at('status')).code === 0 ? true : undefined),
    () => 'a shard of the killed node has no new leader',
  )

  const back = launch(['sh', '-c', `exec ${command}`])
  await until(
    async () => {
      const node = (await status()).find(({ id }) => id === victim.id)
      return node?.state === 'serving' && node.shards.length === 5 ? true : undefined
    },
    () => `${victim.id} is not back: ${back.err()}`,
  )
  expect((await at('get', 'k')).out).toBe('still here\n')

  const pids = (await status()).map(({ pid }) => pid)
  back.child.kill('SIGTERM')
  expect(await back.exit).toBe(0)
  cluster.child.kill('SIGTERM')
  expect(await cluster.exit).toBe(0)
  expect(pids.filter((pid) => pid !== null && isAlive(pid))).toEqual([])
})

test('dev continues the cluster of its directory, --fresh begins a new one, and two Ctrl-C of npm are one', async () => {
  const first = dev('--shards', '2')
  await ready(first)
  expect((await at('set', 'k', 'v')).code).toBe(0)

  const rival = await quorate('dev', '--port', `${port}`, '--data', directory, '--fresh')
  expect(rival.code).toBe(1)
  expect(rival.err).toContain('is in use')

  first.child.kill('SIGINT')
  first.child.kill('SIGINT')
  expect(await first.exit).toBe(0)

  expect((await quorate('dev', '--data', directory, '--shards', '3')).code).toBe(2)
  const second = dev()
  await ready(second)
  expect((await at('get', 'k')).out).toBe('v\n')
  second.child.kill('SIGTERM')
  expect(await second.exit).toBe(0)

  const third = dev('--fresh', '--shards', '1')
  await ready(third)
  expect((await at('get', 'k')).code).toBe(3)
  expect((await status())[0]?.shards).toHaveLength(2)

  // However dev ends, its nodes end too.
  const pids = (await status()).map(({ pid }) => pid)
  third.child.kill('SIGKILL')
  await third.exit
  await until(
    () => (pids.some((pid) => pid !== null && isAlive(pid)) ? undefined : true),
    () => 'nodes outlive a killed dev',
  )
  expect(readdirSync(directory)).toContain('n1')
})

test('a node that cannot start says why in one line and exits 1', async () => {
  const args = ['--listen', `127.0.0.1:${port}`, '--peer-listen', `127.0.0.1:${port + 100}`, '--id', 'n1']
  const bootstrap = ['--bootstrap', `n1=127.0.0.1:${port + 100}`]
  const data = ['--data', path.join(directory, 'a'), '--shards', '1', '--segment-bytes', '65536']
  const first = launch([process.execPath, binPath, 'serve', ...args, ...bootstrap, ...data])
  await until(
    () => (first.err().includes('listening') ? true : undefined),
    () => `serve does not listen: ${first.err()}`,
  )
  const second = await quorate('serve', ...args, ...bootstrap, '--data', path.join(directory, 'b'))
  expect(second.code).toBe(1)
  const complaints = second.err.split('\n').filter((line) => line.startsWith('error: '))
  expect(complaints).toHaveLength(1)
  expect(complaints[0]).toContain('EADDRINUSE')
  first.child.kill('SIGTERM')
  expect(await first.exit).toBe(0)
})
