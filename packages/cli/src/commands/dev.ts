// `quorate dev`: a whole cluster on this machine, for development.
import path from 'node:path'
import { Option } from 'commander'
import { integerBetween } from '../arguments.ts'
import { reportFailure } from '../client-options.ts'
import type { AddCommand } from '../context.ts'
import { runCluster } from '../dev/cluster.ts'
import { chooseOptions, deleteCluster, readCluster, writeCluster } from '../dev/data-directory.ts'
import { type DevOptions, devDefaults, nodesMax, planNodes, portsOf } from '../dev/plan.ts'
import { busyPorts } from '../dev/ports.ts'

interface DevFlags extends Partial<DevOptions> {
  readonly data: string
  readonly fresh?: true
}

const shardsMax = 1024

export const addDev: AddCommand = (program, context, finish) => {
  program
    .command('dev')
    .description('run a cluster on this machine until Ctrl-C; prints "ready quorate://..." when it serves')
    .addOption(
      new Option('--nodes <count>', `how many nodes (default: ${devDefaults.nodes})`)
        .env('QUORATE_NODES')
        .argParser(integerBetween(1, nodesMax)),
    )
    .addOption(
      new Option('--shards <count>', `how many shards (default: ${devDefaults.shards})`)
        .env('QUORATE_SHARDS')
        .argParser(integerBetween(1, shardsMax)),
    )
    .addOption(
      new Option(
        '--port <port>',
        `first client port; peer ports are 100 above (default: ${devDefaults.port})`,
      )
        .env('QUORATE_PORT')
        .argParser(integerBetween(1, 65_535)),
    )
    .addOption(
      new Option('--data <dir>', 'where the nodes keep their data').env('QUORATE_DATA').default('.quorate'),
    )
    .option('--fresh', 'delete the data that is there and form a new cluster')
    .action(async ({ data, fresh, ...typed }: DevFlags) => {
      const directory = path.resolve(data)
      finish(
        await reportFailure(context, { output: 'table' }, async () => {
          const stored = readCluster(directory)
          const chosen = chooseOptions(typed, fresh ? null : stored)
          const plan = planNodes(chosen, directory)
          // The ports of the old cluster too: its nodes may still run in the directory that is to be deleted.
          await refuseBusyPorts(new Set([...portsOf(chosen), ...(stored === null ? [] : portsOf(stored))]))
          if (fresh && stored !== null) deleteCluster(directory)
          writeCluster(directory, chosen)
          return runCluster(context, plan, chosen.shards)
        }),
      )
    })
}

async function refuseBusyPorts(ports: ReadonlySet<number>): Promise<void> {
  const busy = await busyPorts([...ports])
  if (busy.length > 0)
    throw new Error(
      `port ${busy.join(', ')} is in use; is another "quorate dev" running? Stop it or choose another --port`,
    )
}
