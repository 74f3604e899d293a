// `quorate touch KEY TTL` and `quorate persist KEY`
import { parseTtl } from '../arguments.ts'
import { addClientOptions, type ClientOptions, withCache } from '../client-options.ts'
import type { AddCommand, Cache, CallOptions, CliContext } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { printOne } from '../output.ts'

export const addTouch: AddCommand = (program, context, finish) => {
  addClientOptions(
    program.command('touch <key>').argument('<ttl>', 'from now on: 60s, 5m, 12h, 7d', parseTtl),
  )
    .description('give a key a new time to live; exits 3 if there is none')
    .addHelpText('after', examples(['quorate touch session:9 30m', 'half an hour from now on']))
    .action(async (key: string, ttl: number, options: ClientOptions) => {
      finish(await change(context, options, key, (cache, call) => cache.touch(key, ttl, call)))
    })
}

export const addPersist: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('persist <key>'))
    .description('let a key live on without a deadline; exits 3 if there is none')
    .addHelpText('after', examples(['quorate persist session:9', 'until it is deleted']))
    .action(async (key: string, options: ClientOptions) => {
      finish(await change(context, options, key, (cache, call) => cache.persist(key, call)))
    })
}

function change(
  context: CliContext,
  options: ClientOptions,
  key: string,
  operate: (cache: Cache, call: CallOptions) => Promise<boolean>,
): Promise<ExitCode> {
  return withCache(context, options, async (cache, call) => {
    const found = await operate(cache, call)
    await printOne(context, options, { record: { found }, table: '', name: found ? key : null })
    return found ? exitCodes.done : exitCodes.notFound
  })
}
