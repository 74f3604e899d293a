// Recovery of the log: storage.md, recovery 2. Reads; writes nothing.
import type { Disk } from '@quorate/runtime'
import type { LogIdentity } from './batch.ts'
import { TAIL_BYTES_MAX } from './limits.ts'
import type { LogPosition, RecoveredReplica } from './log.ts'
import { offsetOf, positionOf, segmentOf } from './position.ts'
import type { ReplicaKey } from './record.ts'
import type { ReplicaLog } from './replica-log.ts'
import { ReplicaTable } from './replica-table.ts'
import { Replayer, type TailRecord } from './replay.ts'
import type { Run } from './run.ts'
import { SegmentFiles } from './segment-files.ts'
import { SegmentRows } from './segment-rows.ts'
import { findChain, surveyLog, type SurveyedSegment } from './survey.ts'
import { TailCache } from './tail-cache.ts'

/** The log as it was read. What is in `tail` may still be lost: `startLog` writes it again. */
export interface RecoveredLog {
  readonly identity: LogIdentity
  readonly table: ReplicaTable
  readonly tailCache: TailCache
  readonly rows: SegmentRows
  readonly tail: readonly TailRecord[]
  /** The segments that the log consists of, up to `syncedUpTo`. */
  readonly files: SegmentFiles
  readonly syncedUpTo: LogPosition
  /** How far anything could be read. */
  readonly readUpTo: LogPosition
  /** Segments of earlier boots that are no part of the log: prepared and never used, or written again. */
  readonly discarded: readonly SurveyedSegment[]
  /** Replicas that were condemned before: only the others need a record of it. */
  readonly condemnedBefore: ReadonlySet<ReplicaLog>
  readonly hasSegments: boolean
  readonly nextSegment: number
  /** Hears of runs that leave a log; whoever owns the log sets it. */
  readonly droppedRuns: { heard: (run: Run) => void }
}

/** `claims`: positions that the state store and `node.json` say the log was synced up to. */
export function recoverLog(
  disk: Disk,
  directory: string,
  identity: LogIdentity,
  claims: readonly LogPosition[],
): RecoveredLog {
  const tailCache = new TailCache(TAIL_BYTES_MAX)
  const droppedRuns = { heard: (_run: Run): void => {} }
  const table = new ReplicaTable(tailCache, (run) => droppedRuns.heard(run))
  const rows = new SegmentRows()
  const survey = surveyLog(disk, directory, identity, claims)
  const chain = findChain(survey)
  table.recovering = true
  const { tail, condemned } = new Replayer(survey, identity, table, rows).replay(chain)
  table.recovering = false
  const condemnedBefore = new Set(table.all().filter((replica) => replica.state === 'condemned'))
  for (const { key, reason } of condemned) table.condemn(key, reason)
  for (const replica of table.all()) condemnGaps(table, replica)

  const files = new SegmentFiles(disk, directory)
  for (const { segment, end } of chain.links) {
    if (positionOf(segment.number, 0) >= survey.syncedUpTo) continue
    const isNewest = segmentOf(survey.syncedUpTo) === segment.number
    const bytes = end ?? (isNewest ? offsetOf(survey.syncedUpTo) : segment.file.size())
    files.add({ number: segment.number, file: segment.file, end: bytes })
  }
  return {
    identity,
    table,
    tailCache,
    rows,
    tail,
    files,
    syncedUpTo: survey.syncedUpTo,
    readUpTo: survey.readUpTo,
    discarded: survey.segments.filter(({ number }) => files.get(number) === undefined),
    condemnedBefore,
    hasSegments: survey.segments.length > 0,
    nextSegment:
      Math.max(0, ...survey.segments.map(({ number }) => number), segmentOf(survey.syncedUpTo)) + 1,
    droppedRuns,
  }
}

/** What the host learns of a replica. Entries are described once: afterwards the facts are forgotten. */
export function describeReplica(replica: ReplicaLog): RecoveredReplica {
  const { group, incarnation, state, reason, hardState, configuration, compacted, lastIndex } = replica
  const terms: { firstIndex: number; term: number }[] = []
  let lastStamp = 0
  for (const { facts, firstIndex, lastIndex: last } of replica.runs) {
    if (facts === null) continue
    for (let index = firstIndex; index <= last; index += 1) {
      const term = facts.terms[index - facts.firstIndex] ?? 0
      if (terms.at(-1)?.term !== term) terms.push({ firstIndex: index, term })
      lastStamp = Math.max(lastStamp, facts.stamps[index - facts.firstIndex] ?? 0)
    }
  }
  const configurationEntries = replica.runs.flatMap(({ facts, firstIndex, lastIndex: last }) =>
    (facts?.configurations ?? []).filter(({ index }) => index >= firstIndex && index <= last),
  )
  for (const run of replica.runs) run.facts = null
  const found = { group, incarnation, state, reason, hardState, compacted, lastIndex }
  return { ...found, initialConfiguration: configuration, terms, configurationEntries, lastStamp }
}

function condemnGaps(table: ReplicaTable, replica: ReplicaLog): void {
  const gap = replica.gapAt
  const key: ReplicaKey = { group: replica.group, incarnation: replica.incarnation }
  if (gap !== null) table.condemn(key, `entry ${gap} is missing`)
}
