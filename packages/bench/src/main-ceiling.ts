// `main-ceiling`: one server of the ceiling, which is what this machine allows without consensus. Client -> leader -> two
// followers, one synced write per batch, acknowledged by a majority, a `Map`. No terms, no elections, no recovery, no
// confirmed reads: a ruler, not a store. Arguments: a file, then for the leader the followers' ports.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import process from 'node:process'
import { WebSocket, WebSocketServer } from 'ws'
import { openSyncedFile } from './ceiling/synced-file.ts'
import {
  type CeilingOperation,
  pack,
  socketOptions,
  unpackBatch,
  unpackNumber,
  unpackOperations,
} from './ceiling/wire.ts'

/** Batches that may be on their way at once. */
const WINDOW = 2
const MAJORITY = 2

interface Asked {
  readonly socket: WebSocket
  readonly operation: CeilingOperation
}

const [file = '', ...followerPorts] = process.argv.slice(2)
const append = openSyncedFile(file)
const state = new Map<string, Uint8Array | undefined>()

function follow(socket: WebSocket, data: Uint8Array): void {
  const [number, batch] = unpackBatch(data)
  append(batch, () => {
    socket.send(pack(number))
    for (const [, key, value] of unpackOperations(batch)) state.set(key, value)
  })
}

async function lead(ports: readonly string[]): Promise<(socket: WebSocket, data: Uint8Array) => void> {
  const followers = ports.map((port) => new WebSocket(`ws://127.0.0.1:${port}`, socketOptions))
  await Promise.all(followers.map((follower) => once(follower, 'open')))
  const inFlight = new Map<number, { copies: number; readonly asked: readonly Asked[] }>()
  let waiting: Asked[] = []
  let last = 0
  const copied = (number: number): void => {
    const batch = inFlight.get(number)
    if (batch === undefined) return
    batch.copies += 1
    if (batch.copies < MAJORITY) return
    inFlight.delete(number)
    for (const { operation } of batch.asked) state.set(operation[1], operation[2])
    answer(batch.asked)
    flush()
  }
  const flush = (): void => {
    if (waiting.length === 0 || inFlight.size >= WINDOW) return
    const asked = waiting
    waiting = []
    last += 1
    const number = last
    inFlight.set(number, { copies: 0, asked })
    const batch = pack(asked.map(({ operation }) => operation))
    const frame = pack([number, batch])
    for (const follower of followers) follower.send(frame)
    append(batch, () => copied(number))
  }
  for (const follower of followers) follower.on('message', (data: Uint8Array) => copied(unpackNumber(data)))
  return (socket, data) => {
    const reads: Asked[] = []
    for (const operation of unpackOperations(data)) {
      if (operation.length === 3) waiting.push({ socket, operation })
      else if (state.has(operation[1])) reads.push({ socket, operation })
      else throw new Error(`no key ${operation[1]}`)
    }
    answer(reads)
    flush()
  }
}

function answer(asked: readonly Asked[]): void {
  const bySocket = new Map<WebSocket, number[]>()
  for (const { socket, operation } of asked) {
    const ids = bySocket.get(socket)
    if (ids === undefined) bySocket.set(socket, [operation[0]])
    else ids.push(operation[0])
  }
  for (const [socket, ids] of bySocket) socket.send(pack(ids))
}

const serve = followerPorts.length === 0 ? follow : await lead(followerPorts)
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...socketOptions })
server.on('connection', (socket) => socket.on('message', (data: Uint8Array) => serve(socket, data)))
await once(server, 'listening')
process.on('disconnect', () => process.exit(0))
process.send?.((server.address() as AddressInfo).port)
