import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chooseOptions, deleteCluster, readCluster, writeCluster } from '../src/dev/data-directory.ts'
import { planNodes, portsOf } from '../src/dev/plan.ts'
import { busyPorts } from '../src/dev/ports.ts'
import { UsageError } from '../src/exit-code.ts'
import { openTerminal } from './fake-cache.ts'

let directory: string
const cluster = { nodes: 3, shards: 8, port: 7400, maxBytes: 268_435_456 }
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-dev-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('a missing or empty directory holds no cluster; one that dev made says which', () => {
  expect(readCluster(path.join(directory, 'none'))).toBeNull()
  expect(readCluster(directory)).toBeNull()
  writeCluster(directory, cluster)
  mkdirSync(path.join(directory, 'n1'))
  expect(readCluster(directory)).toEqual(cluster)
})

test("--fresh leaves a directory that is not dev's as it is", async () => {
  writeFileSync(path.join(directory, 'thesis.txt'), 'years of work')
  const { code, err } = await openTerminal().type('dev', '--fresh', '--data', directory)
  expect(code).toBe(2)
  expect(err).toContain('thesis.txt')
  writeCluster(directory, cluster)
  expect(() => readCluster(directory)).toThrow(UsageError)
  expect(readdirSync(directory)).toContain('thesis.txt')
})

test('a damaged marker is refused', () => {
  for (const text of ['', '[]', '{"format":2}', '{"format":1,"nodes":"3","shards":8,"port":1}']) {
    writeFileSync(path.join(directory, 'quorate-dev.json'), text)
    expect(() => readCluster(directory), text).toThrow(UsageError)
  }
})

test('deleting takes the nodes, their logs and the marker', () => {
  writeCluster(directory, cluster)
  mkdirSync(path.join(directory, 'n1', 'log'), { recursive: true })
  writeFileSync(path.join(directory, 'n1.log'), '')
  deleteCluster(directory)
  expect(readdirSync(directory)).toEqual([])
})

test('what is not typed comes from the directory; what contradicts it is refused', () => {
  const stored = { nodes: 5, shards: 2, port: 7800, maxBytes: 0 }
  expect(chooseOptions({}, null)).toEqual(cluster)
  expect(chooseOptions({ nodes: 5 }, stored)).toEqual(stored)
  expect(() => chooseOptions({ nodes: 3 }, stored)).toThrow('--nodes 3 contradicts')
  expect(() => chooseOptions({ port: 7400 }, stored)).toThrow(UsageError)
  expect(() => chooseOptions({ maxBytes: 1e9 }, stored)).toThrow('--max-bytes 1000000000 contradicts')
  // One that was made before there was a limit has none.
  writeFileSync(path.join(directory, 'quorate-dev.json'), '{"format":1,"nodes":5,"shards":2,"port":7800}')
  expect(readCluster(directory)).toEqual(stored)
})

test('a limit that leaves a shard no room for a large write is refused; the default grows with the shards', () => {
  expect(() => chooseOptions({ maxBytes: 95 * 1_048_576 }, null)).toThrow('at least 96MiB')
  expect(chooseOptions({ maxBytes: 96 * 1_048_576 }, null).maxBytes).toBe(96 * 1_048_576)
  expect(chooseOptions({ shards: 100 }, null).maxBytes).toBe(1_200 * 1_048_576)
})

test('nodes have client ports from the first on and peer ports 100 above, those for operators 200', () => {
  const plan = planNodes(cluster, directory)
  expect(plan.map(({ id, clientAddress, peerAddress }) => [id, clientAddress, peerAddress])).toEqual([
    ['n1', '127.0.0.1:7400', '127.0.0.1:7500'],
    ['n2', '127.0.0.1:7401', '127.0.0.1:7501'],
    ['n3', '127.0.0.1:7402', '127.0.0.1:7502'],
  ])
  expect(portsOf(cluster)).toEqual([7400, 7500, 7600, 7401, 7501, 7601, 7402, 7502, 7602])
  expect(plan[1]?.command).toContain(
    '--bootstrap n1=127.0.0.1:7500,n2=127.0.0.1:7501,n3=127.0.0.1:7502 --shards 8 --max-bytes 268435456',
  )
})

test('a port in use is an error that names it, and nothing is written', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  try {
    expect(await busyPorts([port])).toEqual([port])
    const base = port > 65_000 ? port - 100 : port
    const { code, err } = await openTerminal().type(
      'dev',
      '--nodes',
      '1',
      '--port',
      `${base}`,
      '--data',
      directory,
    )
    expect(code).toBe(1)
    expect(err).toContain(`port ${port} is in use`)
    expect(readdirSync(directory)).toEqual([])
  } finally {
    server.close()
  }
})
