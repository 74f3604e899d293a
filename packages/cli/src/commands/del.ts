// `quorate del KEY`
import { addClientOptions, type ClientOptions, withCache } from '../client-options.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { printOne } from '../output.ts'

export const addDel: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('del <key>'))
    .description('delete a key; exits 3 if there was none')
    .addHelpText('after', examples(['quorate del user:1', 'gone, or exit code 3']))
    .action(async (key: string, options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          const deleted = await cache.del(key, call)
          await printOne(context, options, { record: { deleted }, table: '', name: deleted ? key : null })
          return deleted ? exitCodes.done : exitCodes.notFound
        }),
      )
    })
}
