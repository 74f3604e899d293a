// How long a cluster with many keys takes to serve again after every server was killed at once.
import type { BenchOptions } from '../arguments.ts'
import { loadSettings } from '../compare.ts'
import { startQuorate } from '../quorate/quorate.ts'
import { printLine } from '../report/print.ts'
import type { Results } from '../report/results.ts'
import { formatNumber } from '../report/table.ts'

const SERVED_MS_MAX = 180_000

export async function measureRestart(
  options: BenchOptions,
  directory: string,
  results: Results,
): Promise<void> {
  const { shards, restartKeys: keys } = options
  const system = await startQuorate({ directory, shards, load: loadSettings(options, keys) })
  const { cluster } = system
  try {
    for (let run = 1; run <= options.runs; run++) {
      await Promise.all(cluster.servers.map((server) => server.end('SIGKILL')))
      const begunMs = performance.now()
      await cluster.start(SERVED_MS_MAX)
      const clusterSeconds = (performance.now() - begunMs) / 1_000
      results.addScalar({ system: 'quorate', kind: 'restart', run, shards, keys, clusterSeconds })
    }
    const seconds = results.numbers('restart', 'clusterSeconds').map(formatNumber).join(', ')
    printLine(
      `${formatNumber(keys)} keys, all servers killed and started: every shard serves after ${seconds} s`,
    )
  } finally {
    await system.stop()
  }
}
