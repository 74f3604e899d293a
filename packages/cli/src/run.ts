// The program: every command, and how a mistake in typing becomes exit code 2.
import { Command, CommanderError } from 'commander'
import { addConfig } from './commands/config.ts'
import { addDel } from './commands/del.ts'
import { addDev } from './commands/dev.ts'
import { addGet } from './commands/get.ts'
import { addIncr } from './commands/incr.ts'
import { addReplay } from './commands/replay.ts'
import { addServe } from './commands/serve.ts'
import { addSet } from './commands/set.ts'
import { addStatus } from './commands/status.ts'
import { addPersist, addTouch } from './commands/touch.ts'
import type { CliContext } from './context.ts'
import { type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts'
import { formatError } from './output.ts'
import { version } from './version.ts'

export type { CliContext } from './context.ts'

/** Runs one command line (without `node quorate`) and resolves with its exit code; never rejects. */
export async function run(args: readonly string[], context: CliContext): Promise<ExitCode> {
  let code: ExitCode = exitCodes.done
  // Settings of output and exit are inherited by commands that are added after them.
  const program = new Command('quorate')
    .description('a cache that is never wrong: sharded, Raft-replicated, linearizable')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: context.err })
    .showHelpAfterError('(--help shows what there is)')
  for (const add of [
    addDev,
    addServe,
    addConfig,
    addGet,
    addSet,
    addDel,
    addIncr,
    addTouch,
    addPersist,
    addStatus,
    addReplay,
  ])
    add(program, context, (finished) => {
      code = finished
    })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    // Commander has already written its own.
    if (!(error instanceof CommanderError)) context.err(formatError(error, 'table'))
    return exitCodeOf(error)
  }
}
