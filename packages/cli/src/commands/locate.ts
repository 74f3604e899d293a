// `quorate locate KEY...`
import { encodeKey, slotOf } from '@quorate/protocol'
import { addClientOptions, type ClientOptions, paintsOut, withCache } from '../client-options.ts'
import { listNodes, summariseShards } from '../cluster-status.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { formatTable, printList } from '../output.ts'
import { nodesOf } from '../ring.ts'

interface Location {
  readonly key: string
  readonly slot: number
  readonly shard: number
  /** Null while nobody serves it. */
  readonly leader: string | null
  readonly nodes: readonly string[]
}

export const addLocate: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('locate <keys...>'))
    .description('where keys are: slot, shard, leader, nodes; the keys need not exist')
    .addHelpText(
      'after',
      examples(
        ['quorate locate user:1', 'one key'],
        ["quorate locate '{cart}:1' '{cart}:2'", 'what is the same between braces is in the same slot'],
      ),
    )
    .action(async (keys: readonly string[], options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache, call) => {
          // A key that is none is refused before anybody is asked.
          const slots = keys.map((key) => slotOf(encodeKey(key)))
          const leaders = new Map(
            summariseShards(listNodes(await cache.status(call))).map(({ group, leader }) => [group, leader]),
          )
          const map = cache.shardMap()
          const places = keys.map((key, index): Location => {
            const slot = slots[index] ?? 0
            const shard = map.slots[slot] ?? 0
            return { key, slot, shard, leader: leaders.get(shard) ?? null, nodes: nodesOf(map, shard) }
          })
          await printList(context, options, {
            records: places,
            names: places.map(({ leader }) => leader ?? 'NONE'),
            table: () => table(places, paintsOut(context, options)),
          })
          return exitCodes.done
        }),
      )
    })
}

function table(places: readonly Location[], color: boolean): string {
  const rows = places.map(({ key, slot, shard, leader, nodes }) => [
    key,
    String(slot),
    String(shard),
    leader ?? { text: 'NONE', style: 'red' as const },
    nodes.join(','),
  ])
  return formatTable([['KEY', 'SLOT', 'SHARD', 'LEADER', 'NODES'], ...rows], color)
}
