// `quorate serve`: one node of a cluster in this process.
import type { Command } from 'commander'
import { effectiveSettings, refuseMissing } from '../config/effective.ts'
import type { AddCommand } from '../context.ts'
import { examples } from '../help.ts'
import { checkServeSettings } from '../serve/check-settings.ts'
import { addServeOptions, type ServeFlags, serveSettings } from '../serve/options.ts'

export const addServe: AddCommand = (program, context, finish) => {
  addServeOptions(program.command('serve'))
    .description('run one node until SIGTERM; logs one line per event on stderr')
    .addHelpText(
      'after',
      examples(
        [
          'quorate serve --id n1 --data /var/lib/quorate --listen 127.0.0.1:7400 --peer-listen 127.0.0.1:7500 --bootstrap n1=127.0.0.1:7500',
          'a cluster of one node',
        ],
        [
          'quorate serve --config /etc/quorate.yaml --log-level warn',
          'settings from a file, one of them from here',
        ],
        ['quorate config print serve --config /etc/quorate.yaml', 'what would hold, and who says so'],
      ),
    )
    .action(async (_: object, command: Command) => {
      const effective = await effectiveSettings(command, serveSettings)
      refuseMissing(effective)
      checkServeSettings(effective)
      // A server and its database are loaded only by who wants them: `get` should start quickly.
      const { serve } = await import('../serve/serve.ts')
      // The settings that are required are there, and each is what its own parser made of it.
      finish(await serve(effective.values as unknown as ServeFlags, context))
    })
}
