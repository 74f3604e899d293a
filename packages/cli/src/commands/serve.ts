// `quorate serve`: one node of a cluster in this process.
import type { AddCommand } from '../context.ts'
import { addServeOptions, type ServeFlags } from '../serve/options.ts'

export const addServe: AddCommand = (program, context, finish) => {
  addServeOptions(program.command('serve'))
    .description('run one node until SIGTERM; logs one line of JSON per event on stderr')
    .action(async (flags: ServeFlags) => {
      // A server and its database are loaded only by who wants them: `get` should start quickly.
      const { serve } = await import('../serve/serve.ts')
      finish(await serve(flags, context))
    })
}
