// The options that every command of a client has, and the life of its connection.
import { limits } from '@quorate/protocol'
import { type Command, Option } from 'commander'
import { parseDuration, parseEndpoints } from './arguments.ts'
import type { Cache, CallOptions, CliContext } from './context.ts'
import { type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts'
import { formatError, type OutputFormat, outputFormats } from './output.ts'

export interface ClientOptions {
  readonly endpoints: readonly string[]
  /** Milliseconds. */
  readonly timeout: number
  readonly output: OutputFormat
}

export function addClientOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--endpoints <list>', 'nodes to ask, host:port,...; any one that answers suffices')
        .env('QUORATE_ENDPOINTS')
        .default(['127.0.0.1:7400'], '127.0.0.1:7400')
        .argParser(parseEndpoints),
    )
    .addOption(
      new Option('--timeout <duration>', 'one deadline for everything, retries included: 500ms, 5s')
        .env('QUORATE_TIMEOUT')
        .default(limits.operationTimeoutMsDefault, '5s')
        .argParser(parseDuration),
    )
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .env('QUORATE_OUTPUT')
        .choices([...outputFormats])
        .default('table'),
    )
}

/** Connects, runs one operation, closes; a failure is printed and becomes the exit code. */
export async function withCache(
  context: CliContext,
  options: ClientOptions,
  operate: (cache: Cache, call: CallOptions) => Promise<ExitCode>,
): Promise<ExitCode> {
  const call = { timeout: options.timeout, signal: context.signal }
  return reportFailure(context, options, async () => {
    const cache = await context.connect(options.endpoints, call)
    try {
      return await operate(cache, call)
    } finally {
      await cache.close()
    }
  })
}

export async function reportFailure(
  context: CliContext,
  options: Pick<ClientOptions, 'output'>,
  operate: () => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await operate()
  } catch (error) {
    context.err(formatError(error, options.output))
    return context.signal.aborted ? exitCodes.interrupted : exitCodeOf(error)
  }
}
