// `quorate bench`: how fast a running cluster is from here.
import { limits } from '@quorate/protocol'
import { InvalidArgumentError, Option } from 'commander'
import { integerBetween } from '../arguments.ts'
import { Load, type LoadOptions, type LoadResult } from '../bench/load.ts'
import type { Percentiles } from '../bench/latencies.ts'
import {
  addClientOptions,
  type ClientOptions,
  openCache,
  paintsOut,
  reportFailure,
} from '../client-options.ts'
import type { AddCommand, Cache, CliContext } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { formatTable, printOne } from '../output.ts'
import { type Progress, showProgress } from '../progress.ts'

interface BenchOptions extends ClientOptions, Omit<LoadOptions, 'readShare'> {
  readonly connections: number
  /** Share of reads, from 0 to 1. */
  readonly mix: number
}

const secondsMax = 3600
const operationsMax = 1_000_000_000
const keysMax = 1_000_000

export const addBench: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('bench'))
    .description(
      'put load on a running cluster and print throughput and latencies; writes keys that vanish within ten minutes',
    )
    .addOption(number('--seconds <count>', 'for how long', 10, secondsMax))
    .addOption(number('--operations <count>', 'at most so many', operationsMax, operationsMax))
    .addOption(number('--connections <count>', 'clients', 4, 256))
    .addOption(number('--concurrency <count>', 'operations at once on each connection', 16, 1024))
    .addOption(
      new Option('--mix <reads:writes>', 'how many of which').default(0.9, '90:10').argParser(parseMix),
    )
    .addOption(number('--value-bytes <count>', 'of each value', 128, limits.valueBytes, 0))
    .addOption(number('--keys <count>', 'how many different ones', 1000, keysMax))
    .addOption(new Option('--prefix <text>', 'that the keys begin with').default('quorate:bench:'))
    .addHelpText(
      'after',
      examples(
        ['quorate bench', 'ten seconds, nine reads to a write'],
        ['quorate bench --mix 0:100 --connections 1 --concurrency 1', 'how long one write takes'],
        ['quorate bench --seconds 60 --value-bytes 4096 -o json', 'for a program'],
      ),
    )
    .action(async (options: BenchOptions) => {
      finish(await reportFailure(context, options, () => bench(context, options)))
    })
}

function number(flags: string, description: string, standard: number, max: number, min: number = 1): Option {
  return new Option(flags, description).default(standard).argParser(integerBetween(min, max))
}

async function bench(context: CliContext, options: BenchOptions): Promise<ExitCode> {
  const { timeout, connections, mix, seconds } = options
  const call = { timeout, signal: context.signal }
  const load = new Load({ ...options, readShare: mix })
  const caches: Cache[] = []
  let progress: Progress | null = null
  let result: LoadResult
  try {
    // One after the other: the first one that fails tells why.
    // oxlint-disable-next-line no-await-in-loop
    while (caches.length < connections) caches.push(await openCache(context, options, call))
    let phase = 'writing each key once'
    progress = showProgress(context, () => `${phase}, ${load.done} operations`)
    if (caches[0] !== undefined) await load.fill(caches[0], call)
    phase = `measuring for ${seconds} s`
    result = await load.run(caches, call)
  } finally {
    progress?.end()
    await Promise.all(caches.map((cache) => cache.close()))
  }
  await printOne(context, options, {
    record: { ...result },
    table: table(result, paintsOut(context, options)),
    name: null,
  })
  if (context.signal.aborted) return exitCodes.interrupted
  return Object.keys(result.failures).length === 0 ? exitCodes.done : exitCodes.failed
}

/** The share of reads in `90:10`. */
function parseMix(text: string): number {
  const match = /^(\d{1,6}):(\d{1,6})$/.exec(text)
  const [reads, writes] = [Number(match?.[1]), Number(match?.[2])]
  if (match === null || reads + writes === 0)
    throw new InvalidArgumentError('Write reads:writes, for instance 90:10.')
  return reads / (reads + writes)
}

function table(result: LoadResult, color: boolean): string {
  const { operations, seconds, operationsPerSecond, reads, writes, failures } = result
  const rows = [
    ['READS', ...cells(reads)],
    ['WRITES', ...cells(writes)],
  ]
  const failed = Object.entries(failures).map(([code, count]) => `${count} failed with ${code}\n`)
  return [
    `${operations} operations in ${seconds.toFixed(1)} s: ${operationsPerSecond.toFixed(0)} per second\n`,
    formatTable([['MS', 'COUNT', 'MEAN', 'P50', 'P90', 'P99', 'P99.9', 'MAX'], ...rows], color),
    ...failed,
  ].join('')
}

const cells = ({ count, mean, p50, p90, p99, p999, max }: Percentiles): string[] => [
  String(count),
  ...[mean, p50, p90, p99, p999, max].map((milliseconds) => milliseconds.toFixed(2)),
]
