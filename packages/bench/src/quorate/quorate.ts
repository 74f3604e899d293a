// Quorate as a system under measurement.
import path from 'node:path'
import process from 'node:process'
import { LoadProcess } from '../load/load-process.ts'
import { KEY_BYTES } from '../load/keys.ts'
import type { SystemRun, Work } from '../measurement.ts'
import { PROFILE_ENDING } from '../profile/recorder.ts'
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
  /** Where a CPU profile of every process over the measured time goes; default: nowhere. */
  readonly profile?: string | undefined
}

export interface QuorateSystem extends System {
  readonly cluster: Cluster
}

/** Started, filled, and ready. */
export async function startQuorate(options: QuorateOptions): Promise<QuorateSystem> {
  const { directory, shards, load: settings, profile = null } = options
  const cluster = await Cluster.plan({ directory, shards })
  await cluster.start(SERVED_MS_MAX)
  const load = await LoadProcess.start('quorate', cluster.endpoints)
  await load.fill(settings.keys, settings.valueBytes)
  return {
    name: 'quorate',
    version: process.version,
    serverPids: () => cluster.servers.map(({ pid }) => pid),
    cluster,
    measure: (work, run) => measure(cluster, load, { work, run, settings, profile }),
    stop: async () => {
      await load.close()
      await cluster.stop()
    },
  }
}

interface Measuring {
  readonly work: Work
  readonly run: number
  readonly settings: LoadSettings
  readonly profile: string | null
}

async function measure(cluster: Cluster, load: LoadProcess, measuring: Measuring): Promise<SystemRun> {
  const { work, run, settings, profile } = measuring
  const samples: ProbeSample[][] = []
  const observe = async (): Promise<void> => {
    samples.push(await Promise.all(cluster.servers.map((server) => server.sample())))
  }
  const fileOf = (name: string): string | null =>
    profile && path.join(profile, `${work.kind}-${work.outstanding}-${run}-${name}${PROFILE_ENDING}`)
  const task = { ...work, ...settings, seed: seedOf(settings, run), profile: fileOf('client') }
  const before = await readLedger(cluster)
  const { result, client, succeeded } = await load.measure(task, {
    begins: async () => {
      for (const server of cluster.servers) {
        const file = fileOf(server.plan.name)
        if (file !== null) await server.beginProfile(file)
      }
      await observe()
    },
    ended: async () => {
      await observe()
      if (profile !== null) for (const server of cluster.servers) await server.endProfile()
    },
  })
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
