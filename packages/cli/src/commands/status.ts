// `quorate status`
import { addClientOptions, type ClientOptions, withCache } from '../client-options.ts'
import {
  listNodes,
  type ListedNode,
  type ShardSummary,
  summariseShards,
  unservedGroups,
} from '../cluster-status.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { formatTable, toJson } from '../output.ts'

export const addStatus: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('status'))
    .description('nodes, shards, leaders; exits 5 if a shard has no leader that serves')
    .action(async (options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          const nodes = listNodes(await cache.status(call))
          const shards = summariseShards(nodes)
          context.out(options.output === 'json' ? `${toJson(nodes)}\n` : table(nodes, shards))
          return unservedGroups(shards).length === 0 ? exitCodes.done : exitCodes.unhealthy
        }),
      )
    })
}

function table(nodes: readonly ListedNode[], shards: readonly ShardSummary[]): string {
  const nodeRows = nodes.map((node) => [
    node.id,
    node.state,
    node.clientAddress,
    node.pid === null ? '-' : String(node.pid),
    String(node.shards.filter(({ role }) => role === 'leader').length),
    node.state === 'unreachable' ? node.error : '',
  ])
  const shardRows = shards.map((shard) => [
    shard.group === 0 ? 'meta' : String(shard.group),
    shard.leader ?? 'NONE',
    ...[shard.term, shard.commitIndex, shard.lagMax, shard.keys, shard.replicas].map(String),
    shard.failing.join('; '),
  ])
  return [
    formatTable([['NODE', 'STATE', 'ADDRESS', 'PID', 'LEADS', ''], ...nodeRows]),
    formatTable([['SHARD', 'LEADER', 'TERM', 'COMMIT', 'LAG', 'KEYS', 'REPLICAS', 'FAILING'], ...shardRows]),
  ].join('\n')
}
