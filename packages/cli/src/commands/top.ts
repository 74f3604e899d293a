// `quorate top`: what a cluster does right now.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDuration } from '../arguments.ts'
import { addClientOptions, type ClientOptions, paintsOut, withCache } from '../client-options.ts'
import { listNodes } from '../cluster-status.ts'
import { type AddCommand, type Cache, type CallOptions, type CliContext } from '../context.ts'
import { type ExitCode, exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { printOne } from '../output.ts'
import { frame } from '../top/frame.ts'
import { ratesBetween, type Sample } from '../top/sample.ts'

interface TopOptions extends ClientOptions {
  /** Milliseconds. */
  readonly interval: number
  readonly once?: true
}

/** A screen of its own without a cursor, and back: what was there before is there afterwards. */
const enter = '\u001b[?1049h\u001b[?25l'
const leave = '\u001b[?25h\u001b[?1049l'
const home = '\u001b[H'
/** Each line may be shorter than the one that it covers. */
const eraseLine = '\u001b[K'
const eraseBelow = '\u001b[J'

export const addTop: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('top'))
    .description('what the cluster does right now: operations, syncs, the busiest shards; Ctrl-C ends it')
    .option('--interval <duration>', 'between two looks', parseDuration, 1000)
    .option(
      '--once',
      'look twice, print what happened in between, and end; so too where there is no terminal',
    )
    .addHelpText(
      'after',
      examples(
        ['quorate top', 'a picture that is drawn anew each second'],
        ['quorate top --once --interval 10s -o json', 'what ten seconds brought, for a program'],
      ),
    )
    .action(async (options: TopOptions) => {
      const live = !options.once && context.screen.outIsTerminal && options.output === 'table'
      finish(
        await withCache(context, options, (cache, call) =>
          live ? watch(context, options, cache, call) : once(context, options, cache, call),
        ),
      )
    })
}

async function look(cache: Cache, call: CallOptions): Promise<Sample> {
  const nodes = listNodes(await cache.status(call))
  return { atMs: performance.now(), nodes }
}

async function once(
  context: CliContext,
  options: TopOptions,
  cache: Cache,
  call: CallOptions,
): Promise<ExitCode> {
  const before = await look(cache, call)
  await sleep(options.interval, undefined, { signal: context.signal })
  const rates = ratesBetween(before, await look(cache, call))
  await printOne(context, options, {
    record: { ...rates },
    table: frame(rates, null, paintsOut(context, options)),
    name: null,
  })
  return exitCodes.done
}

async function watch(
  context: CliContext,
  options: TopOptions,
  cache: Cache,
  call: CallOptions,
): Promise<ExitCode> {
  let before: Sample | null = null
  context.out(enter)
  try {
    while (!context.signal.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      const now = await look(cache, call)
      // What was asked when the end came has no answer: that is no picture of the cluster.
      if (context.signal.aborted) break
      const picture = frame(ratesBetween(before, now), context.screen.rows, paintsOut(context, options))
      context.out(`${home}${picture.replaceAll('\n', `${eraseLine}\n`)}${eraseBelow}`)
      before = now
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await sleep(options.interval, undefined, { signal: context.signal }).catch(() => undefined)
    }
  } finally {
    context.out(leave)
  }
  // Ctrl-C is how one ends it.
  return exitCodes.done
}
