// One Quorate server: the launcher that a user runs, in a process of its own, with a probe.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { endChild, killAtExit } from '../children.ts'
import type { ProbeOrder, ProbeSample } from './probe.ts'

const launcher = fileURLToPath(new URL('../../../cli/bin/quorate.js', import.meta.url))
const probe = new URL('probe.js', import.meta.url).href

/** Writing a profile may take a while. */
const PROBE_MS_MAX = 30_000
/** What the launcher would set: the probe is loaded through the pool, so its size is fixed before the launcher runs. */
const THREADPOOL_SIZE = '12'

export interface ServerPlan {
  readonly name: string
  readonly clientAddress: string
  /** Everything behind `quorate serve`. */
  readonly serveArguments: readonly string[]
  readonly logFile: string
}

export class ServerProcess {
  readonly plan: ServerPlan
  #child: ChildProcess | null = null

  constructor(plan: ServerPlan) {
    this.plan = plan
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.plan.name} does not run`)
    return this.#child.pid
  }

  get running(): boolean {
    return this.#child !== null
  }

  start(): void {
    const log = openSync(this.plan.logFile, 'a')
    const args = ['--import', probe, launcher, 'serve', ...this.plan.serveArguments]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', log, log, 'ipc'],
      env: { ...process.env, UV_THREADPOOL_SIZE: THREADPOOL_SIZE },
    })
    closeSync(log)
    killAtExit(child)
    this.#child = child
    child.once('exit', () => {
      if (this.#child === child) this.#child = null
    })
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child !== null) await endChild(this.#child, signal)
  }

  sample(): Promise<ProbeSample> {
    return this.#ask({ type: 'sample' }) as Promise<ProbeSample>
  }

  async beginProfile(file: string): Promise<void> {
    await this.#ask({ type: 'beginProfile', file })
  }

  async endProfile(): Promise<void> {
    await this.#ask({ type: 'endProfile' })
  }

  /** The last lines that the server wrote, for whoever wonders why it ended. */
  lastLog(lines: number = 5): string {
    return readFileSync(this.plan.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  }

  /** One question at a time. */
  #ask(order: ProbeOrder): Promise<unknown> {
    const child = this.#child
    if (child === null) throw new Error(`${this.plan.name} does not run:\n${this.lastLog()}`)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.plan.name}: its probe is silent`)),
        PROBE_MS_MAX,
      )
      child.once('message', (answer) => {
        clearTimeout(timer)
        resolve(answer)
      })
      child.send(order)
    })
  }
}
