// `quorate shards`
import { addClientOptions, type ClientOptions, paintsOut, withCache } from '../client-options.ts'
import { listNodes, summariseShards } from '../cluster-status.ts'
import { shardName, shardTable } from '../cluster-tables.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { printList } from '../output.ts'
import { nodesOf } from '../ring.ts'

export const addShards: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('shards'))
    .description('the shards, who leads them, how far their replicas are; 0 or meta keeps the shard map')
    .addHelpText(
      'after',
      examples(
        ['quorate shards', 'a line for each'],
        ['quorate shards -o jsonl', 'an object for each, with the nodes that host it'],
      ),
    )
    .action(async (options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          const shards = summariseShards(listNodes(await cache.status(call)))
          const map = cache.shardMap()
          await printList(context, options, {
            records: shards.map((shard) => ({ ...shard, nodes: nodesOf(map, shard.group) })),
            names: shards.map(({ group }) => shardName(group)),
            table: () => shardTable(shards, paintsOut(context, options)),
          })
          return exitCodes.done
        }),
      )
    })
}
