// The options that every command of a client has, and the life of its connection.
import { limits } from '@quorate/protocol'
import { type Command, Option } from 'commander'
import { parseDuration, parseEndpoints } from './arguments.ts'
import { type ColorChoice, colorChoices, useColor } from './color.ts'
import type { Cache, CallOptions, CliContext } from './context.ts'
import { connectFailure, type ExitCode, exitCodeOf, exitCodes } from './exit-code.ts'
import { formatError, type OutputFormat, outputFormats } from './output.ts'
import { showProgress } from './progress.ts'

export interface OutputOptions {
  readonly output: OutputFormat
  readonly color: ColorChoice
}

export interface ClientOptions extends OutputOptions {
  readonly endpoints: readonly string[]
  /** Milliseconds. */
  readonly timeout: number
}

export function addClientOptions(command: Command): Command {
  command
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
  return addOutputOption(command)
}

export function addOutputOption(command: Command): Command {
  return command
    .addOption(
      new Option('-o, --output <format>', 'how to print the answer')
        .env('QUORATE_OUTPUT')
        .choices([...outputFormats])
        .default('table'),
    )
    .addOption(
      new Option('--color <when>', 'paint tables; auto: on a terminal, unless NO_COLOR is set')
        .env('QUORATE_COLOR')
        .choices([...colorChoices])
        .default('auto'),
    )
}

/** Whether to paint what goes to standard output. */
export function paintsOut({ screen }: CliContext, { color }: OutputOptions): boolean {
  return useColor(color, screen.outIsTerminal)
}

/** Who waits for longer than this may wonder whether anything happens. */
const quietMs = 1000

/** Connects; says so while that takes long, and what kept it from connecting if it fails. */
export async function openCache(
  context: CliContext,
  { endpoints, timeout }: ClientOptions,
  call: CallOptions,
): Promise<Cache> {
  const waiting = () => `connecting to ${endpoints.join(',')} for up to ${timeout / 1000} s`
  const progress = showProgress(context, waiting, quietMs)
  try {
    return await context.connect(endpoints, call)
  } catch (error) {
    throw connectFailure(error)
  } finally {
    progress.end()
  }
}

/** Connects, runs one operation, closes; a failure is printed and becomes the exit code. */
export async function withCache(
  context: CliContext,
  options: ClientOptions,
  operate: (cache: Cache, call: CallOptions) => Promise<ExitCode>,
): Promise<ExitCode> {
  const call = { timeout: options.timeout, signal: context.signal }
  return reportFailure(context, options, async () => {
    const cache = await openCache(context, options, call)
    try {
      return await operate(cache, call)
    } finally {
      await cache.close()
    }
  })
}

export async function reportFailure(
  context: CliContext,
  { output, color = 'auto' }: Pick<ClientOptions, 'output'> & Partial<OutputOptions>,
  operate: () => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await operate()
  } catch (error) {
    context.err(formatError(error, output, useColor(color, context.screen.errIsTerminal)))
    return context.signal.aborted ? exitCodes.interrupted : exitCodeOf(error)
  }
}
