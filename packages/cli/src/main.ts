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
  // A log that cannot be written to (its disk is full, its reader is gone) is no reason for a node to end.
  process.stderr.on('error', () => undefined)
  const code = await run(args, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    signal: interruption.signal,
    screen: {
      outIsTerminal: isatty(1),
      errIsTerminal: isatty(2),
      // A terminal may change its size, and may not know it.
      get columns() {
        return process.stdout.columns > 0 ? process.stdout.columns : 80
      },
      get rows() {
        return process.stdout.rows > 0 ? process.stdout.rows : 24
      },
    },
    // Every call brings its own signal; this one only has a deadline, after which it gives up by itself.
    connect: (endpoints, { timeout }) => connect(endpoints, { timeout }),
  })
  process.exitCode = code
  // What is left, if anything, are sockets that nobody waits for any more; what was written leaves first.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
}
