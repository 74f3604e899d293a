// What shards cost that nobody uses: CPU and memory of a node with many of them.
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchOptions } from '../arguments.ts'
import { cpuMsOf } from '../machine.ts'
import { Cluster } from '../quorate/cluster.ts'
import { printLine } from '../report/print.ts'
import type { Results } from '../report/results.ts'
import { formatNumber } from '../report/table.ts'

const SERVED_MS_MAX = 180_000
/** Times of the warm-up: then every election is over and the first checkpoints are made. */
const SETTLE_FACTOR = 15
/** Times of what is measured: CPU time is counted in hundredths of a second. */
const WATCHED_FACTOR = 3
const BASE_SHARDS = 8
const KIB = 1_024

export async function measureIdle(options: BenchOptions, directory: string, results: Results): Promise<void> {
  const base = await idleCluster(options, `${directory}-base`, BASE_SHARDS)
  const many = await idleCluster(options, directory, options.idleShards)
  const cpuPercent = many.cpuShares.map((share) => share * 100)
  const bytesPerShard = (many.residentBytes - base.residentBytes) / (options.idleShards - BASE_SHARDS)
  results.addScalar({
    system: 'quorate',
    kind: 'idle',
    run: 1,
    shards: options.idleShards,
    keys: 0,
    cpuPercent,
    basePercent: base.cpuShares.map((share) => share * 100),
    residentBytesPerShard: bytesPerShard,
  })
  printLine(
    `${options.idleShards} idle shards: ${cpuPercent.map(formatNumber).join(' / ')} % of a core per node ` +
      `(${BASE_SHARDS}: ${base.cpuShares.map((share) => formatNumber(share * 100)).join(' / ')} %), ` +
      `${formatNumber(bytesPerShard / KIB)} KiB of memory per shard and node`,
  )
}

async function idleCluster(
  { warmMs, measuredMs }: BenchOptions,
  directory: string,
  shards: number,
): Promise<{ readonly cpuShares: readonly number[]; readonly residentBytes: number }> {
  const watchedMs = measuredMs * WATCHED_FACTOR
  const cluster = await Cluster.plan({ directory, shards })
  try {
    await cluster.start(SERVED_MS_MAX)
    await sleep(warmMs * SETTLE_FACTOR)
    // From outside: asking the servers would make them work.
    const before = cluster.servers.map(({ pid }) => cpuMsOf(pid))
    await sleep(watchedMs)
    const cpuShares = cluster.servers.flatMap(({ pid }, index) => {
      const [from, to] = [before[index], cpuMsOf(pid)]
      return typeof from === 'number' && to !== null ? [(to - from) / watchedMs] : []
    })
    const samples = await Promise.all(cluster.servers.map((server) => server.sample()))
    return { cpuShares, residentBytes: Math.max(...samples.map(({ residentBytes }) => residentBytes)) }
  } finally {
    await cluster.stop()
  }
}
