// Drives the ceiling: the answer to a batch is the next batch, so that the client costs as little as a client can.
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { type CeilingOperation, pack, socketOptions, unpackIds } from '../ceiling/wire.ts'
import { type Target, type TargetWork, valueOf } from './target.ts'

const CONNECTIONS_MAX = 8

export function connectCeiling([address]: readonly string[]): Target {
  const open: WebSocket[] = []
  return {
    run(work: TargetWork) {
      const state = { running: true }
      const ended = runAll(`ws://${address}`, work, state, open)
      return { ended, stop: () => (state.running = false) }
    },
    close: async () => {
      for (const socket of open.splice(0)) socket.terminate()
    },
  }
}

async function runAll(
  url: string,
  work: TargetWork,
  state: { readonly running: boolean },
  open: WebSocket[],
): Promise<void> {
  const connections = Math.min(CONNECTIONS_MAX, work.outstanding)
  while (open.length < connections) {
    const socket = new WebSocket(url, socketOptions)
    open.push(socket)
    await once(socket, 'open')
  }
  const sockets = open.slice(0, connections)
  await Promise.all(sockets.map((socket) => runOne(socket, work, state, work.outstanding / connections)))
}

function runOne(
  socket: WebSocket,
  work: TargetWork,
  state: { readonly running: boolean },
  outstanding: number,
): Promise<void> {
  const value = valueOf(work.valueBytes)
  /** By the identity of an operation on this connection. */
  const begunMs = new Map<number, number>()
  let next = 0
  const operations = (count: number): CeilingOperation[] => {
    const nowMs = performance.now()
    const batch: CeilingOperation[] = []
    while (batch.length < count) {
      const key = work.nextKey()
      if (key === null) break
      const id = next++
      begunMs.set(id, nowMs)
      batch.push(work.kind === 'read' ? [id, key] : [id, key, value])
    }
    return batch
  }
  return new Promise((resolve, reject) => {
    const end = (): void => {
      socket.removeAllListeners('message')
      socket.removeAllListeners('close')
      resolve()
    }
    const proceed = (count: number): void => {
      const batch = state.running ? operations(count) : []
      if (batch.length > 0) socket.send(pack(batch))
      else if (begunMs.size === 0) end()
    }
    socket.on('close', () => reject(new Error('the ceiling closed a connection')))
    socket.on('message', (data: Uint8Array) => {
      const ids = unpackIds(data)
      const nowMs = performance.now()
      for (const id of ids) {
        work.completed(nowMs - (begunMs.get(id) ?? nowMs))
        begunMs.delete(id)
      }
      proceed(ids.length)
    })
    proceed(Math.ceil(outstanding))
  })
}
