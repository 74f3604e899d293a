// Quorate as a system under measurement.
import process from 'node:process'
import { LoadProcess } from '../load/load-process.ts'
import { KEY_BYTES } from '../load/keys.ts'
import type { SystemRun, Work } from '../measurement.ts'
import { type LoadSettings, type System, seedOf } from '../system.ts'
import { Cluster, leadersOf } from './cluster.ts'
import type { ProbeSample } from './probe.ts'
import { busyBetween, nothingWritten, readLedger, writtenBetween } from './server-figures.ts'

/** A thousand shards take long to found on a busy machine. */
const SERVED_MS_MAX = 180_000

export interface QuorateOptions {
  readonly directory: string
  readonly shards: number
  readonly load: LoadSettings
  /** Flags of `node` for a process of this name: `n1`, `n2`, `n3`, `client`. */
  readonly nodeFlags?: (name: string) => readonly string[]
}

export interface QuorateSystem extends System {
  readonly cluster: Cluster
}

/** Started, filled, and ready. */
export async function startQuorate(options: QuorateOptions): Promise<QuorateSystem> {
  const { directory, shards, load: settings, nodeFlags } = options
  const cluster = await Cluster.plan({ directory, shards, ...(nodeFlags === undefined ? {} : { nodeFlags }) })
  await cluster.start(SERVED_MS_MAX)
  const load = await LoadProcess.start('quorate', cluster.endpoints, nodeFlags?.('client'))
  await load.fill(settings.keys, settings.valueBytes)
  return {
    name: 'quorate',
    version: process.version,
    serverPids: () => cluster.servers.map(({ pid }) => pid),
    cluster,
    measure: (work, run) => measure(cluster, load, { work, run, settings }),
    stop: async () => {
      await load.close()
      await cluster.stop()
    },
  }
}

async function measure(
  cluster: Cluster,
  load: LoadProcess,
  { work, run, settings }: { readonly work: Work; readonly run: number; readonly settings: LoadSettings },
): Promise<SystemRun> {
  const samples: ProbeSample[][] = []
  const observe = async (): Promise<void> => {
    samples.push(await Promise.all(cluster.servers.map((server) => server.sample())))
  }
  const task = { ...work, ...settings, seed: seedOf(settings, run) }
  const before = await readLedger(cluster)
  const { result, client, succeeded } = await load.measure(task, { begins: observe, ended: observe })
  const after = await readLedger(cluster)
  const [begun = [], ended = []] = samples
  const userBytes = succeeded * (KEY_BYTES + settings.valueBytes)
  return {
    system: 'quorate',
    ...work,
    run,
    ...result,
    leaders: leadersOf(after.statuses),
    shards: cluster.shards,
    keys: settings.keys,
    servers: {
      ...busyBetween(begun, ended),
      clientCpuUs: (client.cpu * 1_000_000) / result.perSecond,
      clientLoopUtilization: client.eventLoopUtilization,
      ...(work.kind === 'write'
        ? writtenBetween(before, after, { operations: succeeded, userBytes })
        : nothingWritten),
    },
  }
}
