// `quorate nodes`
import { addClientOptions, type ClientOptions, paintsOut, withCache } from '../client-options.ts'
import { type ListedNode, listNodes } from '../cluster-status.ts'
import { nodeTable } from '../cluster-tables.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { printList } from '../output.ts'

export const addNodes: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('nodes'))
    .description('the nodes of the cluster, where they are and how they are')
    .addHelpText(
      'after',
      examples(
        ['quorate nodes', 'a line for each'],
        ['quorate nodes -o name', 'their names, for a loop of the shell'],
      ),
    )
    .action(async (options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          const nodes = listNodes(await cache.status(call))
          await printList(context, options, {
            records: nodes.map(recordOf),
            names: nodes.map(({ id }) => id),
            table: () => nodeTable(nodes, paintsOut(context, options)),
          })
          return exitCodes.done
        }),
      )
    })
}

function recordOf(node: ListedNode): Record<string, unknown> {
  const { id, state, clientAddress, pid, shards } = node
  const leads = shards.filter(({ role }) => role === 'leader').length
  const base = { id, state, clientAddress, pid, leads, replicas: shards.length }
  return node.state === 'unreachable'
    ? { ...base, error: node.error }
    : { ...base, peerAddress: node.peerAddress, boot: node.boot, lowOnSpace: node.lowOnSpace }
}
