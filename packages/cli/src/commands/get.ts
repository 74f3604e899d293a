// `quorate get KEY`
import type { AddCommand } from '../context.ts'
import { addClientOptions, type ClientOptions, withCache } from '../client-options.ts'
import { exitCodes } from '../exit-code.ts'
import { formatValue, toJson } from '../output.ts'

export const addGet: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('get <key>'))
    .description('print a value: a string bare, anything else as JSON; a miss prints nothing and exits 3')
    .action(async (key: string, options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          const entry = await cache.getEntry(key, call)
          if (entry === undefined) return exitCodes.notFound
          const { value, version, expiresAt } = entry
          context.out(
            options.output === 'json'
              ? `${toJson({ key, value, version, expiresAt })}\n`
              : `${formatValue(value)}\n`,
          )
          return exitCodes.done
        }),
      )
    })
}
