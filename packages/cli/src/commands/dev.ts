// `quorate dev`: a whole cluster on this machine, for development.
import path from 'node:path'
import type { Command } from 'commander'
import { reportFailure } from '../client-options.ts'
import { effectiveSettings } from '../config/effective.ts'
import { addSettings } from '../config/setting.ts'
import type { AddCommand } from '../context.ts'
import { runCluster } from '../dev/cluster.ts'
import { chooseOptions, deleteCluster, readCluster, writeCluster } from '../dev/data-directory.ts'
import { devSettings } from '../dev/options.ts'
import { type DevOptions, planNodes, portsOf } from '../dev/plan.ts'
import { busyPorts } from '../dev/ports.ts'
import { examples } from '../help.ts'
import type { LogLevel } from '../serve/log-options.ts'

interface DevFlags extends Partial<DevOptions> {
  readonly data: string
  readonly logLevel: LogLevel
  readonly fresh?: true
}

export const addDev: AddCommand = (program, context, finish) => {
  addSettings(program.command('dev'), devSettings)
    .description('run a cluster on this machine until Ctrl-C; prints "ready quorate://..." when it serves')
    .option('--fresh', 'delete the data that is there and form a new cluster')
    .addHelpText(
      'after',
      examples(
        ['quorate dev', 'three nodes, eight shards, data in .quorate; the same cluster again the next time'],
        ['quorate dev --nodes 1 --port 9000 --data /tmp/try --fresh', 'one node, from nothing'],
        [
          "curl 'http://127.0.0.1:7600/readyz?verbose'",
          'each node has a port for operators, 200 above that for clients',
        ],
      ),
    )
    .action(async (_: object, command: Command) => {
      const effective = await effectiveSettings(command, devSettings)
      // Each is what its own parser made of it.
      const { data, fresh, logLevel, nodes, shards, port, maxBytes } = effective.values as unknown as DevFlags
      const typed = {
        ...(nodes === undefined ? {} : { nodes }),
        ...(shards === undefined ? {} : { shards }),
        ...(port === undefined ? {} : { port }),
        ...(maxBytes === undefined ? {} : { maxBytes }),
      }
      const directory = path.resolve(data)
      finish(
        await reportFailure(context, { output: 'table' }, async () => {
          const stored = readCluster(directory)
          const chosen = chooseOptions(typed, fresh ? null : stored)
          const plan = planNodes(chosen, directory, logLevel)
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
