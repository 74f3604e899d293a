// `quorate health`
import { addClientOptions, type ClientOptions, paintsOut, withCache } from '../client-options.ts'
import { listNodes, summariseShards } from '../cluster-status.ts'
import { paint } from '../color.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { type Health, healthOf } from '../health.ts'
import { examples } from '../help.ts'
import { type Cell, formatTable, printOne } from '../output.ts'

export const addHealth: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('health'))
    .description('check every node and shard; exits 5 unless all is well')
    .addHelpText(
      'after',
      examples(
        ['quorate health', 'a line for each check, the verdict last'],
        ['until quorate health >/dev/null 2>&1; do sleep 1; done', 'wait until all is well'],
      ),
    )
    .action(async (options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          const nodes = listNodes(await cache.status(call))
          const health = healthOf(cache.shardMap(), nodes, summariseShards(nodes))
          await printOne(context, options, {
            record: { ...health },
            table: table(health, paintsOut(context, options)),
            name: health.verdict,
          })
          return health.verdict === 'healthy' ? exitCodes.done : exitCodes.unhealthy
        }),
      )
    })
}

function table({ verdict, checks }: Health, color: boolean): string {
  const rows = checks.map(({ name, ok, detail }): Cell[] => [
    name,
    ok ? { text: 'ok', style: 'green' } : { text: 'NOT OK', style: 'red' },
    detail,
  ])
  const style = verdict === 'healthy' ? 'green' : verdict === 'degraded' ? 'yellow' : 'red'
  return `${formatTable([['CHECK', '', ''], ...rows], color)}${paint(verdict, style, color)}\n`
}
