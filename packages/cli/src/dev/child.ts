// One node of `quorate dev` as a child process.
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { binPath } from '../bin-path.ts'
import type { PlannedNode } from './plan.ts'

export interface NodeProcess {
  readonly node: PlannedNode
  readonly pid: number | undefined
  /** How it ended: `exit code 1`, `SIGKILL`, or why it could not be started. Null while it runs. */
  readonly ended: string | null
  /** Resolves when it has ended; never rejects. */
  readonly end: Promise<void>
  signal(name: NodeJS.Signals): void
}

/**
 * Starts it in a process group of its own, so that Ctrl-C reaches `dev` alone, which stops the nodes in order. The pipe on
 * its standard input ends with this process, however that dies: then the node stops too, and no orphan keeps a port.
 */
export function startNode(node: PlannedNode): NodeProcess {
  const log = openSync(node.logFile, 'a')
  const child = spawn(process.execPath, [binPath, ...node.args, '--stop-on-stdin-end'], {
    stdio: ['pipe', log, log],
    detached: true,
    // Inherited NODE_OPTIONS and the like stay; the pool must have its size before the process starts.
    env: { ...withoutSettings(process.env), UV_THREADPOOL_SIZE: process.env['UV_THREADPOOL_SIZE'] ?? '12' },
  })
  closeSync(log)
  let ended: string | null = null
  const end = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended ??= error.message
      resolve()
    })
    child.once('exit', (code, signal) => {
      ended ??= signal ?? `exit code ${code}`
      resolve()
    })
  })
  // A node that dies breaks the pipe; that is told by its exit.
  child.stdin?.on('error', () => undefined)
  return {
    node,
    pid: child.pid,
    end,
    get ended() {
      return ended
    },
    signal: (name) => child.kill(name),
  }
}

/** What `dev` was told by its environment is meant for `dev`: its nodes hear all they need by flags. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('QUORATE_')))
}

/** What the node said last, for a person who wonders why it ended. */
export function lastLogLine({ logFile }: PlannedNode): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').at(-1) ?? ''
}
