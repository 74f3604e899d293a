// `quorate ring`
import { addClientOptions, type ClientOptions, paintsOut, withCache } from '../client-options.ts'
import type { AddCommand } from '../context.ts'
import { exitCodes } from '../exit-code.ts'
import { examples } from '../help.ts'
import { formatTable, printList } from '../output.ts'
import { type SlotRange, slotRanges } from '../ring.ts'

export const addRing: AddCommand = (program, context, finish) => {
  addClientOptions(program.command('ring'))
    .description(
      'which of the 16,384 slots belong to which shard, and who hosts it; a key belongs to one slot',
    )
    .addHelpText('after', examples(['quorate ring', 'ranges of slots in their order']))
    .action(async (options: ClientOptions) => {
      finish(
        await withCache(context, options, async (cache) => {
          const ranges = slotRanges(cache.shardMap())
          await printList(context, options, {
            records: ranges,
            names: ranges.map(slotsOf),
            table: () => table(ranges, paintsOut(context, options)),
          })
          return exitCodes.done
        }),
      )
    })
}

const slotsOf = ({ first, last }: SlotRange): string => (first === last ? `${first}` : `${first}-${last}`)

function table(ranges: readonly SlotRange[], color: boolean): string {
  const rows = ranges.map((range) => [
    slotsOf(range),
    String(range.last - range.first + 1),
    range.shard === 0 ? 'NONE' : String(range.shard),
    range.nodes.join(','),
  ])
  return formatTable([['SLOTS', 'COUNT', 'SHARD', 'NODES'], ...rows], color)
}
