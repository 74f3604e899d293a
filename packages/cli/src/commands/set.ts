// `quorate set KEY VALUE`
import type { ConditionalResult, Written } from '@quorate/client'
import { Option } from 'commander'
import { integerBetween, parseTtl, parseValue } from '../arguments.ts'
import { addClientOptions, type ClientOptions, reportFailure, withCache } from '../client-options.ts'
import type { AddCommand, CliContext } from '../context.ts'
import { type ExitCode, exitCodes, UsageError } from '../exit-code.ts'
import { examples } from '../help.ts'
import { printOne } from '../output.ts'

interface SetFlags extends ClientOptions {
  readonly json?: true
  readonly ifVersion?: number
  readonly ifAbsent?: true
  readonly ifPresent?: true
  /** Milliseconds. */
  readonly ttl?: number
  /** `--no-evict`. */
  readonly evict: boolean
}

export const addSet: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('set <key> <value>'))
    .description('store a value: an integer if it is written as one, otherwise a string')
    .addHelpText(
      'after',
      examples(
        ['quorate set user:1 Ada --ttl 60s', 'a string that is gone after a minute'],
        [`quorate set user:1 '{"name":"Ada"}' --json`, 'an object'],
        ['quorate set lock:job me --if-absent --ttl 30s', 'only if nobody has it; exits 3 otherwise'],
      ),
    )
    .option('--json', 'VALUE is JSON')
    .option('--ttl <duration>', 'gone after this long: 60s, 5m, 12h, 7d', parseTtl)
    .option('--no-evict', 'never evict it, however full the cluster is')
    .addOption(
      new Option('--if-version <version>', 'only if the key has this version')
        .argParser(integerBetween(1, Number.MAX_SAFE_INTEGER))
        .conflicts(['ifAbsent', 'ifPresent']),
    )
    .addOption(new Option('--if-absent', 'only if there is no such key').conflicts(['ifPresent']))
    .addOption(new Option('--if-present', 'only if there is such a key'))
    .action(async (key: string, text: string, options: SetFlags) => {
      const { ifVersion, ifAbsent, ifPresent, ttl, evict } = options
      const how = {
        ...(evict ? {} : { evict: false as const }),
        ...(ttl === undefined ? {} : { ttl }),
        ...(ifVersion === undefined ? {} : { ifVersion }),
        ...(ifAbsent ? { ifAbsent } : {}),
        ...(ifPresent ? { ifPresent } : {}),
      }
      finish(
        await reportFailure(context, options, async () => {
          const value = options.json ? parseJson(text) : parseValue(text)
          return withCache(context, options, async (cache, call) =>
            report(context, options, key, await cache.set(key, value, { ...call, ...how })),
          )
        }),
      )
    })
}

async function report(
  context: CliContext,
  options: ClientOptions,
  key: string,
  written: Written | ConditionalResult,
): Promise<ExitCode> {
  const result = 'applied' in written ? written : { applied: true, version: written.version }
  const table = result.applied ? `version ${result.version}\n` : ''
  await printOne(context, options, { record: { ...result }, table, name: result.applied ? key : null })
  if (!result.applied && options.output === 'table')
    context.err(`condition false: ${result.version === 0 ? 'no such key' : `version ${result.version}`}\n`)
  return result.applied ? exitCodes.done : exitCodes.notFound
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(
      `VALUE is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      `a string needs quotes of its own: '"text"'; without --json VALUE is taken as it is`,
    )
  }
}
