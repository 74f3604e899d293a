// Runs the launcher as a shell would: for tests of real processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { binPath } from '../src/bin-path.ts'
import { portsOf } from '../src/dev/plan.ts'
import { busyPorts } from '../src/dev/ports.ts'

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs `quorate ARGS` to its end. */
export async function quorate(...args: string[]): Promise<Finished> {
  const running = start([process.execPath, binPath, ...args])
  const code = await running.exit
  return { code, out: running.out(), err: running.err() }
}

export interface Running {
  readonly child: ChildProcess
  /** The exit code; null after a signal. */
  readonly exit: Promise<number | null>
  out(): string
  err(): string
}

export function start([command = '', ...args]: readonly string[]): Running {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  // `close` comes after the last byte of both pipes; `exit` may come before it.
  const exit = once(child, 'close').then(([code]) => code as number | null)
  return { child, exit, out: () => out, err: () => err }
}

/** Polls until `condition` gives a value; fails with what `explain` says after the deadline. */
export async function until<T>(
  condition: () => T | undefined | Promise<T | undefined>,
  explain: () => string,
  deadlineMs: number = 30_000,
): Promise<T> {
  const end = performance.now() + deadlineMs
  while (performance.now() < end) {
    const value = await condition()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`not within ${deadlineMs} ms: ${explain()}`)
}

/** The first client port of a `dev` cluster whose ports are all free now; none that the system gives to connections. */
export async function freeDevPort(nodes: number): Promise<number> {
  for (let at = 0; at < 64; at += 1) {
    const port = 10_000 + ((process.pid + at * 211) % 22_000)
    if ((await busyPorts(portsOf({ nodes, port }))).length === 0) return port
  }
  throw new Error('no free ports')
}
