// Three real nodes, started as a user starts them, and a client.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { type Cache, connect } from '@quorate/client'

const launcher = fileURLToPath(new URL('../../cli/bin/quorate.js', import.meta.url))
const NODES = 3
const START_MS_MAX = 60_000
const PORT_TRIES = 64

export interface DevCluster {
  readonly cache: Cache
  readonly endpoints: readonly string[]
  stop(): Promise<void>
}

export async function startDevCluster(): Promise<DevCluster> {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-adapter-'))
  const port = await freePort()
  const args = [
    launcher,
    'dev',
    '--nodes',
    `${NODES}`,
    '--shards',
    '4',
    '--port',
    `${port}`,
    '--data',
    directory,
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exit
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('dev did not start in time')), START_MS_MAX)
      child.once('close', (code) => reject(new Error(`dev ended with ${code}`)))
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (!text.includes('ready ')) return
        clearTimeout(timer)
        resolve()
      })
    })
    const endpoints = Array.from({ length: NODES }, (_, index) => `127.0.0.1:${port + index}`)
    const cache = await connect(endpoints)
    return {
      cache,
      endpoints,
      stop: async () => {
        await cache.close()
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * The first of a row of free ports: clients' from it on, peers' a hundred above, operators' two hundred. All below those
 * that the system gives to connections: one of them could be taken between the look and the start.
 */
async function freePort(): Promise<number> {
  for (let at = 0; at < PORT_TRIES; at += 1) {
    const port = 10_000 + ((process.pid + at * 307) % 22_000)
    const ports = [0, 100, 200].flatMap((above) =>
      Array.from({ length: NODES }, (_, index) => port + above + index),
    )
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) return port
  }
  throw new Error('no free ports')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
