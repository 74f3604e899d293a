// What happened inside the servers: what they wrote between two moments of rest, how busy they were over the measured time.
import { readFileSync } from 'node:fs'
import type { ServerFigures } from '../measurement.ts'
import type { Cluster } from './cluster.ts'
import type { ProbeSample } from './probe.ts'
import type { ServerStatus } from './server-status.ts'

const MIB = 1_048_576

/** Taken at rest, so that it fits the count of operations exactly. */
export interface Ledger {
  readonly statuses: readonly ServerStatus[]
  /** Given to the disk by each server; null where there is no /proc. */
  readonly diskBytes: readonly number[] | null
}

export async function readLedger(cluster: Cluster): Promise<Ledger> {
  const statuses = await cluster.statuses()
  if (statuses.length !== cluster.servers.length) throw new Error('a server does not answer')
  return { statuses, diskBytes: diskBytesOf(cluster.servers.map(({ pid }) => pid)) }
}

type WrittenFigures = Omit<ServerFigures, keyof BusyFigures | keyof ClientShare>

/** For reads there is nothing to write. */
export const nothingWritten: WrittenFigures = {
  operationsPerSync: null,
  operationsPerEntry: null,
  entriesPerAppend: null,
  logBytesPerUserByte: null,
  diskBytesPerUserByte: null,
}

export function writtenBetween(
  before: Ledger,
  after: Ledger,
  written: { readonly operations: number; readonly userBytes: number },
): WrittenFigures {
  const nodes = after.statuses.length
  const grown = (read: (status: ServerStatus) => number): number =>
    sum(after.statuses.map(read)) - sum(before.statuses.map(read))
  const syncs = grown(({ log }) => log.syncs) / nodes
  const appended = grown(({ shards }) => sum(shards.map(({ lastIndex }) => lastIndex)))
  const batches = grown(({ log }) => log.batches)
  const logBytes = grown(({ log }) => log.bytesWritten) / nodes
  const diskBytes =
    before.diskBytes === null || after.diskBytes === null
      ? null
      : sum(after.diskBytes) - sum(before.diskBytes)
  return {
    operationsPerSync: written.operations / syncs,
    operationsPerEntry: (written.operations * nodes) / appended,
    entriesPerAppend: appended / batches,
    logBytesPerUserByte: logBytes / written.userBytes,
    diskBytesPerUserByte: diskBytes === null ? null : diskBytes / nodes / written.userBytes,
  }
}

type ClientShare = Pick<ServerFigures, 'clientCpuUs' | 'clientLoopUtilization'>

type BusyFigures = Pick<ServerFigures, 'eventLoopUtilization' | 'cpu' | 'gcShare' | 'gcMaxMs' | 'residentMiB'>

export function busyBetween(before: readonly ProbeSample[], after: readonly ProbeSample[]): BusyFigures {
  const share = (read: (sample: ProbeSample) => number): number[] =>
    after.map((sample, index) => {
      const earlier = before[index]
      return earlier === undefined
        ? Number.NaN
        : (read(sample) - read(earlier)) / (sample.atMs - earlier.atMs)
    })
  return {
    eventLoopUtilization: share(({ loopActiveMs }) => loopActiveMs),
    cpu: share(({ cpuMs }) => cpuMs),
    gcShare: share(({ gcMs }) => gcMs),
    gcMaxMs: Math.max(...after.map(({ gcMaxMs }) => gcMaxMs)),
    residentMiB: after.map(({ residentBytes }) => Math.round(residentBytes / MIB)),
  }
}

function diskBytesOf(pids: readonly number[]): number[] | null {
  try {
    return pids.map((pid) =>
      Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]),
    )
  } catch {
    return null
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
