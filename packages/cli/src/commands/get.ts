// `quorate get KEY`
import { Option } from 'commander'
import { parseAge } from '../arguments.ts'
import type { AddCommand } from '../context.ts'
import { addClientOptions, type ClientOptions, withCache } from '../client-options.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { formatValue, printOne } from '../output.ts'

const levels = ['linearizable', 'lease', 'stale'] as const

interface GetFlags extends ClientOptions {
  readonly consistency?: (typeof levels)[number]
  /** Milliseconds. */
  readonly maxAge?: number
}

export const addGet: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('get <key>'))
    .description('print a value: a string bare, anything else as JSON; a miss prints nothing and exits 3')
    .addOption(
      new Option('--consistency <level>', 'what it has to see; stale: from any replica').choices([...levels]),
    )
    .addOption(
      new Option('--max-age <duration>', 'stale: how old the answer may be: 250ms, 5s, 1m')
        .argParser(parseAge)
        .implies({ consistency: 'stale' }),
    )
    .addHelpText(
      'after',
      examples(
        ['quorate get user:1', 'the value, bare if it is a string'],
        ['quorate get user:1 -o json', 'with its version and its deadline'],
        ['quorate get user:1 --max-age 1s', 'from any replica, at most a second old'],
      ),
    )
    .action(async (key: string, options: GetFlags) => {
      const { consistency, maxAge } = options
      finish(
        await withCache(context, options, async (cache, call) => {
          const entry = await cache.getEntry(key, { ...call, consistency, maxAge })
          if (entry === undefined) return exitCodes.notFound
          const { value, version, expiresAt, age } = entry
          const record = { key, value, version, expiresAt, age }
          await printOne(context, options, { record, table: `${formatValue(value)}\n`, name: key })
          return exitCodes.done
        }),
      )
    })
}
