// The process: the real terminal, the real client, and the exit code.
import { setMaxListeners } from 'node:events'
import process from 'node:process'
import { isatty } from 'node:tty'
import { connect } from '@quorate/client'
import { run } from './run.ts'

/** Runs the command line and ends the process with its exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const interruption = new AbortController()
  // Every operation listens to it, and there may be thousands at once.
  setMaxListeners(0, interruption.signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort())
  // `quorate status | head`: whoever read has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  const code = await run(args, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    signal: interruption.signal,
    screen: {
      outIsTerminal: isatty(1),
      errIsTerminal: isatty(2),
      columns: process.stdout.columns ?? 80,
      rows: process.stdout.rows ?? 24,
    },
    // Every call brings its own signal; this one only has a deadline, after which it gives up by itself.
    connect: (endpoints, { timeout }) => connect(endpoints, { timeout }),
  })
  process.exitCode = code
  // What is left, if anything, are sockets that nobody waits for any more; what was written leaves first.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
}
