import { createServer } from 'node:net'
import { NetworkError } from '@quorate/runtime'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { networkConformance } from '../src/conformance.ts'
import { createWebSocketNetwork } from '../src/index.ts'

networkConformance('the WebSocket network', async () => ({
  dialler: createWebSocketNetwork(),
  acceptor: createWebSocketNetwork(),
  freeAddress: '127.0.0.1:0',
  deadAddress: '127.0.0.1:1',
  turn: () => new Promise((resolve) => setTimeout(resolve, 1)),
  dispose: () => Promise.resolve(),
}))

const frames: Uint8Array[] = []
const record = (closed: (reason: string) => void) => ({
  frame: (bytes: Uint8Array) => void frames.push(new Uint8Array(bytes)),
  closed,
})

test('a text frame closes the connection and is not delivered', async () => {
  let closed: (reason: string) => void = () => undefined
  const reason = new Promise<string>((resolve) => (closed = resolve))
  const listener = await createWebSocketNetwork().listen('127.0.0.1:0', () => record(closed))
  frames.length = 0
  const socket = new WebSocket(`ws://${listener.address}`)
  const code = new Promise<number>((resolve) => socket.on('close', resolve))
  socket.on('open', () => socket.send('hello'))
  expect(await reason).toBe('a text frame arrived')
  expect(await code).toBe(1003)
  expect(frames).toEqual([])
  await listener.close()
})

test('a frame above the limit closes its connection, and sending one is a programming mistake', async () => {
  let closed: (reason: string) => void = () => undefined
  const reason = new Promise<string>((resolve) => (closed = resolve))
  const small = createWebSocketNetwork({ maxFrameBytes: 1000 })
  const listener = await small.listen('127.0.0.1:0', () => record(closed))
  frames.length = 0
  const connection = createWebSocketNetwork().dial(
    listener.address,
    record(() => undefined),
  )
  connection.send(new Uint8Array(1000))
  connection.send(new Uint8Array(1001))
  expect(await reason).toContain('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
  expect(frames.map((frame) => frame.byteLength)).toEqual([1000])
  expect(() =>
    small
      .dial(
        listener.address,
        record(() => undefined),
      )
      .send(new Uint8Array(1001)),
  ).toThrow(RangeError)
  await listener.close()
})

test('a message in fragments is one frame', async () => {
  let got: (bytes: Uint8Array) => void = () => undefined
  const whole = new Promise<Uint8Array>((resolve) => (got = resolve))
  const listener = await createWebSocketNetwork().listen('127.0.0.1:0', () => ({
    frame: (bytes) => got(new Uint8Array(bytes)),
    closed: () => undefined,
  }))
  const socket = new WebSocket(`ws://${listener.address}`)
  socket.on('open', () => {
    socket.send(Uint8Array.of(1, 2), { fin: false, binary: true })
    socket.send(Uint8Array.of(3), { fin: true, binary: true })
  })
  expect([...(await whole)]).toEqual([1, 2, 3])
  socket.terminate()
  await listener.close()
})

test('a port that never answers the handshake ends the dial', async () => {
  const mute = createServer()
  const sockets: { destroy(): void }[] = []
  mute.on('connection', (socket) => sockets.push(socket))
  const port = await new Promise<number>((resolve) => {
    mute.listen(0, '127.0.0.1', () => resolve((mute.address() as { port: number }).port))
  })
  const network = createWebSocketNetwork({ handshakeTimeoutMs: 50 })
  const reason = await new Promise<string>((resolve) => network.dial(`127.0.0.1:${port}`, record(resolve)))
  expect(reason).toContain('timed out')
  for (const socket of sockets) socket.destroy()
  mute.close()
})

test('a peer that dies without a word is reported', async () => {
  let closed: (reason: string) => void = () => undefined
  const reason = new Promise<string>((resolve) => (closed = resolve))
  const listener = await createWebSocketNetwork().listen('127.0.0.1:0', () => record(closed))
  const socket = new WebSocket(`ws://${listener.address}`)
  socket.on('open', () => socket.terminate())
  expect(await reason).toContain('1006')
  await listener.close()
})

test('frames between own processes are masked with zeros', async () => {
  const chunks: Buffer[] = []
  const spy = createServer((socket) => {
    socket.on('data', (chunk) => chunks.push(chunk))
  })
  const port = await new Promise<number>((resolve) => {
    spy.listen(0, '127.0.0.1', () => resolve((spy.address() as { port: number }).port))
  })
  const listener = await createWebSocketNetwork().listen('127.0.0.1:0', () => record(() => undefined))
  // A byte-for-byte relay shows what is on the wire.
  const [host, targetPort] = listener.address.split(':')
  const { connect } = await import('node:net')
  spy.on('connection', (socket) => {
    const onward = connect(Number(targetPort), host)
    socket.pipe(onward)
    onward.pipe(socket)
  })
  const connection = createWebSocketNetwork().dial(
    `127.0.0.1:${port}`,
    record(() => undefined),
  )
  connection.send(Uint8Array.of(0x51, 0x52, 0x53))
  const expected = Buffer.from([0x82, 0x83, 0, 0, 0, 0, 0x51, 0x52, 0x53])
  while (!Buffer.concat(chunks).includes(expected)) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(Buffer.concat(chunks).includes('permessage-deflate')).toBe(false)
  connection.close()
  spy.close()
  await listener.close()
})

test('an address that cannot be bound is a typed error', async () => {
  await expect(
    createWebSocketNetwork().listen('192.0.2.1:0', () => record(() => undefined)),
  ).rejects.toBeInstanceOf(NetworkError)
})
