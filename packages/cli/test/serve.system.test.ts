// A real node with a file of settings and a port for operators: what its operator sees from the start to the stop.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { binPath } from '../src/bin-path.ts'
import { quorate, type Running, start, until } from './shell.ts'

let directory: string
let running: Running | null = null

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-serve-'))
})
afterEach(async () => {
  running?.child.kill('SIGKILL')
  await running?.exit
  running = null
  rmSync(directory, { recursive: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function ask(address: string, pathname: string): Promise<{ status: number; body: string } | undefined> {
  try {
    const response = await fetch(`http://${address}${pathname}`)
    return { status: response.status, body: await response.text() }
  } catch {
    return undefined
  }
}

test('a node is alive, then ready, counts what it does, and on SIGTERM ends with 0 and a log that says so', async () => {
  const [listen, peerListen, http] = [await freePort(), await freePort(), await freePort()].map(
    (port) => `127.0.0.1:${port}`,
  ) as [string, string, string]
  const file = path.join(directory, 'q.yaml')
  const settings = { id: 'n1', data: path.join(directory, 'data'), listen, peerListen, http, shards: 2 }
  // A node that is named and missing: it cannot form a cluster yet.
  const absent = `127.0.0.1:${await freePort()}`
  const bootstrap = { n1: peerListen, n2: absent }
  writeFileSync(file, JSON.stringify({ ...settings, bootstrap, tuning: { segmentBytes: 1_048_576 } }))
  const node = start([process.execPath, binPath, 'serve', '--config', file])
  running = node
  const blank = await until(
    async () => {
      expect(node.child.exitCode, node.err()).toBe(null)
      const seen = await ask(http, '/readyz?verbose')
      return seen?.body.includes('cluster') ? seen : undefined
    },
    () => node.err(),
    60_000,
  )
  expect(blank.status).toBe(503)
  expect(blank.body).toMatch(
    /\[\+\] running: running\n[^]*\[-\] cluster: belongs to none yet\n[^]*not ready: /,
  )
  expect(await ask(http, '/healthz')).toEqual({ status: 200, body: 'ok\n' })
  expect((await ask(http, '/metrics'))?.body).toMatch(/^quorate_ready\{node="n1"\} 0$/m)

  const peer = [
    '--listen',
    `127.0.0.1:${await freePort()}`,
    '--peer-listen',
    absent,
    '--segment-bytes',
    '1048576',
  ]
  const named = [
    '--id',
    'n2',
    '--data',
    path.join(directory, 'data2'),
    '--bootstrap',
    `n1=${peerListen},n2=${absent}`,
  ]
  const second = start([process.execPath, binPath, 'serve', ...named, ...peer, '--log-level', 'warn'])
  try {
    const ready = await until(
      async () => {
        const seen = await ask(http, '/readyz?verbose')
        return seen?.status === 200 ? seen : undefined
      },
      () => `${node.err()}${second.err()}`,
      60_000,
    )
    for (const name of ['storage', 'meta group', 'shard 1', 'shard 2'])
      expect(ready.body).toContain(`[+] ${name}: `)
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f'])
      expect((await quorate('set', key, 'value', '--endpoints', listen, '--timeout', '20s')).code).toBe(0)
    const { body = '' } = (await ask(http, '/metrics')) ?? {}
    const keys = [...body.matchAll(/^quorate_shard_keys\{shard="[12]",node="n1"\} (\d+)$/gm)]
    expect(keys.map(([, count]) => Number(count)).reduce((sum, count) => sum + count, 0)).toBe(6)
    expect(Number(/^quorate_log_write_seconds_count\{.*\} (\d+)$/m.exec(body)?.[1])).toBeGreaterThan(6)

    node.child.kill('SIGTERM')
    expect(await node.exit, node.err()).toBe(0)
    expect(await ask(http, '/healthz')).toBe(undefined)
    const lines = node
      .err()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { code: string; node: string; level: string; address?: string })
    const codes = lines.map(({ code }) => code)
    expect(codes[0]).toBe('http_listening')
    expect(lines[0]).toMatchObject({ level: 'info', node: 'n1', address: http })
    expect(codes).toContain('cluster_formed')
    expect(codes.slice(codes.indexOf('stopping')).at(-1)).toBe('stopped')
  } finally {
    second.child.kill('SIGKILL')
    await second.exit
  }
  // At this level a life without trouble says little.
  expect(second.err()).not.toContain('"code":"listening"')
})

test('a log that nobody reads, or whose disk is full, is no reason for a node to end', async () => {
  for (const broken of ['/dev/full', 'closed pipe']) {
    const [listen, peerListen] = [await freePort(), await freePort()].map((port) => `127.0.0.1:${port}`) as [
      string,
      string,
    ]
    const full = broken === '/dev/full' ? openSync(broken, 'w') : null
    const place = [
      '--data',
      path.join(directory, full === null ? 'pipe' : 'full'),
      '--segment-bytes',
      '1048576',
    ]
    const named = ['--id', 'n1', '--bootstrap', `n1=${peerListen}`, '--shards', '1', '--log-level', 'debug']
    const child = spawn(
      process.execPath,
      [binPath, 'serve', '--listen', listen, '--peer-listen', peerListen, ...place, ...named],
      { stdio: ['ignore', 'ignore', full ?? 'pipe'] },
    )
    try {
      if (full !== null) closeSync(full)
      child.stderr?.destroy()
      await until(
        async () => {
          expect([child.exitCode, child.signalCode], broken).toEqual([null, null])
          const got = await quorate('get', 'k', '--endpoints', listen, '--timeout', '1s')
          return got.code === 3 ? true : undefined
        },
        () => broken,
        60_000,
      )
      const exit = once(child, 'exit')
      child.kill('SIGTERM')
      expect((await exit)[0], broken).toBe(0)
    } finally {
      child.kill('SIGKILL')
    }
  }
})
