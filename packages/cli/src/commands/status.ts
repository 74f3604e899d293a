// `quorate status`
import { addClientOptions, type ClientOptions, paintsOut, withCache } from '../client-options.ts'
import {
  listNodes,
  type ListedNode,
  type ShardSummary,
  summariseShards,
  unservedGroups,
} from '../cluster-status.ts'
import { nodeTable, shardTable } from '../cluster-tables.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { printList } from '../output.ts'

export const addStatus: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('status'))
    .description('nodes, shards, leaders; exits 5 if a shard has no leader that serves')
    .addHelpText(
      'after',
      examples(
        ['quorate status', 'tables of nodes and shards'],
        ['quorate status -o json', 'everything that each node says of itself'],
      ),
    )
    .action(async (options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          const nodes = listNodes(await cache.status(call))
          const shards = summariseShards(nodes)
          await printList(context, options, {
            records: nodes,
            names: nodes.map(({ id }) => id),
            table: () => table(nodes, shards, paintsOut(context, options)),
          })
          return unservedGroups(shards).length === 0 ? exitCodes.done : exitCodes.unhealthy
        }),
      )
    })
}

function table(nodes: readonly ListedNode[], shards: readonly ShardSummary[], color: boolean): string {
  return `${nodeTable(nodes, color)}\n${shardTable(shards, color)}`
}
