// `quorate incr KEY [BY]`
import { integerBetween } from '../arguments.ts'
import { addClientOptions, type ClientOptions, withCache } from '../client-options.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { printOne } from '../output.ts'

export const addIncr: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('incr <key>'))
    .argument('[by]', 'a safe integer', integerBetween(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), 1)
    .description('add to an integer and print the sum; a missing key counts as 0')
    .addHelpText(
      'after',
      examples(['quorate incr hits', 'one more'], ['quorate incr stock:7 -5', 'five less']),
    )
    .action(async (key: string, by: number, options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          const value = await cache.incr(key, by, call)
          await printOne(context, options, { record: { value }, table: `${value}\n`, name: key })
          return exitCodes.done
        }),
      )
    })
}
