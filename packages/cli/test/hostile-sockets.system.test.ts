// Real sockets that misbehave on both ports of a running node: cut off in time, while another client is served throughout.
import { connect, type Cache } from '@quorate/client'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect as dial, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { binPath } from '../src/bin-path.ts'
import { type Running, start, until } from './shell.ts'

const root = mkdtempSync(path.join(tmpdir(), 'quorate-sockets-'))
let node: Running
let cache: Cache
const ports: number[] = []
/** A slow handshake has five seconds; what else is hostile ends at once. All of it on a busy machine. */
const PATIENCE_MS = 40_000

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

beforeAll(async () => {
  ports.push(await freePort(), await freePort())
  const [listen = '', peer = ''] = ports.map((port) => `127.0.0.1:${port}`)
  const addresses = ['--listen', listen, '--peer-listen', peer, '--bootstrap', `n1=${peer}`]
  const data = ['--data', path.join(root, 'data'), '--shards', '2', '--segment-bytes', '1048576']
  node = start([process.execPath, binPath, 'serve', '--id', 'n1', ...addresses, ...data])
  cache = await connect(listen, { timeout: 30_000 })
  await cache.set('warm up', 0)
})

afterAll(async () => {
  await cache.close()
  node.child.kill('SIGTERM')
  expect(await node.exit, node.err()).toBe(0)
  rmSync(root, { recursive: true })
})

/** A socket that says `words` and whatever `more` makes of it; what the other side did about it. */
function hostile(
  port: number,
  words: string | Uint8Array,
  more: (socket: Socket) => void = () => {},
): { closed: boolean; heard: string } {
  const seen = { closed: false, heard: '' }
  const socket = dial({ port, host: '127.0.0.1' }, () => {
    socket.write(words)
    more(socket)
  })
  socket.on('data', (bytes) => (seen.heard += bytes.toString('latin1')))
  // Writing to who has hung up is an error here, and the very thing that is wanted.
  socket.on('error', () => (seen.closed = true))
  socket.on('close', () => (seen.closed = true))
  return seen
}

const upgrade =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'

/** Masked with zeros, as our own dialling side does it. */
function frame(opcode: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0), payload])
}
const after = (bytes: Uint8Array) => (socket: Socket) => void socket.once('data', () => socket.write(bytes))

const cases: readonly (readonly [string, (port: number) => { closed: boolean; heard: string }])[] = [
  ['garbage instead of HTTP', (port) => hostile(port, Buffer.alloc(3_000, 0xa5))],
  ['plain HTTP', (port) => hostile(port, 'GET /status HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['a handshake that never ends', (port) => hostile(port, 'GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')],
  ['silence', (port) => hostile(port, '')],
  ['a handshake, then silence', (port) => hostile(port, upgrade)],
  ['a text frame', (port) => hostile(port, upgrade, after(frame(1, Buffer.from('hello'))))],
  [
    'a frame that claims 2^40 bytes',
    (port) => hostile(port, upgrade, after(Buffer.from([0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]))),
  ],
  [
    'half a frame, then silence',
    (port) => hostile(port, upgrade, after(Buffer.from([0x82, 0xfe, 0x10, 0, 0, 0, 0, 0, 1]))),
  ],
  ['a reserved opcode', (port) => hostile(port, upgrade, after(frame(11, Buffer.of(1))))],
  ['a frame of nothing', (port) => hostile(port, upgrade, after(frame(2, Buffer.alloc(0))))],
  [
    'a million tiny frames',
    (port) =>
      hostile(
        port,
        upgrade,
        after(Buffer.concat(Array.from({ length: 1_000_000 }, () => frame(2, Buffer.of(3))))),
      ),
  ],
]

test.each(cases)('%s on either port is cut off, and others are served meanwhile', async (_, attack) => {
  const seen = ports.map(attack)
  let rounds = 0
  await until(
    async () => {
      rounds += 1
      await cache.set('key', rounds)
      expect(await cache.get('key')).toBe(rounds)
      return seen.every(({ closed }) => closed) ? true : undefined
    },
    () => JSON.stringify(seen),
    PATIENCE_MS,
  )
  expect(node.child.exitCode).toBe(null)
  expect(node.err()).not.toContain('"halted"')
})

test('a hundred sockets that are left half open on each port end by themselves', async () => {
  const seen = ports.flatMap((port) =>
    Array.from({ length: 100 }, () => hostile(port, upgrade, (socket) => socket.pause())),
  )
  const silent = ports.flatMap((port) => Array.from({ length: 100 }, () => hostile(port, upgrade)))
  await until(
    async () => {
      await cache.set('key', 1)
      return silent.every(({ closed }) => closed) ? true : undefined
    },
    () => `${silent.filter(({ closed }) => !closed).length} of ${seen.length} are open`,
    PATIENCE_MS,
  )
  expect(await cache.get('key')).toBe(1)
})
