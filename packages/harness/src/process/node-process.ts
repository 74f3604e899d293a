// One node as a child process: started, killed, paused, started again with the same arguments.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const binary = fileURLToPath(new URL('../../../cli/bin/quorate.js', import.meta.url))

/** libuv's pool must have its size before the process starts: file system, LevelDB and DNS share it. */
const THREADPOOL_SIZE = '12'

export interface NodePlan {
  readonly name: string
  readonly clientAddress: string
  readonly peerAddress: string
  /** Everything behind `quorate serve`. */
  readonly serveArguments: readonly string[]
  readonly logFile: string
  readonly environment?: Readonly<Record<string, string>>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class NodeProcess {
  readonly plan: NodePlan
  #child: ChildProcess | null = null
  #environment: Readonly<Record<string, string>>

  constructor(plan: NodePlan) {
    this.plan = plan
    this.#environment = plan.environment ?? {}
  }

  get running(): boolean {
    return this.#child !== null
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** Replaces what the next start adds to the environment. */
  useEnvironment(environment: Readonly<Record<string, string>>): void {
    this.#environment = environment
  }

  start(): void {
    if (this.#child !== null) throw new Error(`${this.plan.name} runs already`)
    const log = openSync(this.plan.logFile, 'a')
    const child = spawn(process.execPath, [binary, 'serve', ...this.plan.serveArguments], {
      stdio: ['ignore', log, log],
      env: { ...process.env, UV_THREADPOOL_SIZE: THREADPOOL_SIZE, ...this.#environment },
    })
    closeSync(log)
    this.#child = child
    running.add(child)
    child.once('exit', () => {
      running.delete(child)
      if (this.#child === child) this.#child = null
    })
  }

  /** SIGKILL, and waits until the process is gone. False if it was not running: somebody else ended it. */
  async kill(): Promise<boolean> {
    return this.#end('SIGKILL')
  }

  /** SIGTERM: an ordinary stop. */
  async stop(): Promise<boolean> {
    return this.#end('SIGTERM')
  }

  /** SIGSTOP or SIGCONT. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name)
  }

  /** The last lines that the node wrote, for whoever wonders why it ended. */
  lastLog(lines: number = 5): string {
    return readFileSync(this.plan.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<boolean> {
    const child = this.#child
    if (child === null) return false
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
    return true
  }
}
