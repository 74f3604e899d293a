// The program: every command, and how a mistake in typing becomes exit code 2.
import { Command, CommanderError } from 'commander'
import { addBench } from './commands/bench.ts'
import { addCompletion } from './commands/completion.ts'
import { addConfig } from './commands/config.ts'
import { addDel } from './commands/del.ts'
import { addDev } from './commands/dev.ts'
import { addGet } from './commands/get.ts'
import { addHealth } from './commands/health.ts'
import { addIncr } from './commands/incr.ts'
import { addLocate } from './commands/locate.ts'
import { addNodes } from './commands/nodes.ts'
import { addRing } from './commands/ring.ts'
import { addReplay } from './commands/replay.ts'
import { addServe } from './commands/serve.ts'
import { addSet } from './commands/set.ts'
import { addShards } from './commands/shards.ts'
import { addStatus } from './commands/status.ts'
import { addTop } from './commands/top.ts'
import { addPersist, addTouch } from './commands/touch.ts'
import type { AddCommand, CliContext } from './context.ts'
import { type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts'
import { formatError } from './output.ts'
import { version } from './version.ts'

export type { CliContext } from './context.ts'

const running = [addDev, addServe, addConfig]
const data = [addGet, addSet, addDel, addIncr, addTouch, addPersist]
const reading = [addStatus, addHealth, addNodes, addShards, addRing, addLocate, addTop, addBench, addReplay]
/** In the order of `--help`. */
const commands: readonly AddCommand[] = [...running, ...data, ...reading]

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
  for (const add of commands)
    add(program, context, (finished) => {
      code = finished
    })
  await addCompletion(program, args)
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    // Commander has already written its own.
    if (!(error instanceof CommanderError)) context.err(formatError(error, 'table'))
    return exitCodeOf(error)
  }
}
