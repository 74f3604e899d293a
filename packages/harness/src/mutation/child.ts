// Runs a program to its end or its time limit; what it started in its turn ends with it.
import { spawn } from 'node:child_process'

/** What a program said last is enough to tell why it failed. */
const OUTPUT_CHARS_MAX = 1_000_000

export interface ChildEnd {
  /** Null: ended by a signal. */
  readonly code: number | null
  /** stdout and stderr, as they came. */
  readonly output: string
  readonly timedOut: boolean
}

export function runChild(args: readonly string[], cwd: string, timeLimitMs: number): Promise<ChildEnd> {
  // A group of its own, so that workers of workers are reached too.
  const child = spawn(process.execPath, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let timedOut = false
  const take = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARS_MAX)
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const endGroup = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Nobody is left in it.
    }
  }
  const timer = setTimeout(() => {
    timedOut = true
    endGroup()
  }, timeLimitMs)
  // A Ctrl-C reaches only the own group. First, because whoever else waits for the exit removes what they write to.
  process.prependOnceListener('exit', endGroup)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      process.off('exit', endGroup)
      endGroup()
      resolve({ code, output, timedOut })
    })
  })
}
