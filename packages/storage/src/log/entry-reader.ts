// Entries of a group, from memory or from the segments.
import { intactRecordBytes, readRecord } from './record-codec.ts'
import { seedAt } from './checksum.ts'
import type { LogIdentity } from './batch.ts'
import { DamageError } from './log.ts'
import type { LogEntry } from './record.ts'
import type { ReplicaLog } from './replica-log.ts'
import type { Run } from './run.ts'
import type { SegmentFiles } from './segment-files.ts'

export class EntryReader {
  readonly #identity: LogIdentity
  readonly #files: SegmentFiles
  /** What was read last: a follower that lags takes one record in several pieces. */
  #lastRead: {
    readonly run: Run
    readonly place: Run['place']
    readonly entries: readonly LogEntry[]
  } | null = null

  constructor(identity: LogIdentity, files: SegmentFiles) {
    this.#identity = identity
    this.#files = files
  }

  /** As `WriteAheadLog.entries`. */
  read(replica: ReplicaLog, from: number, to: number, bytesMax: number): LogEntry[] | null {
    if (replica.state === 'removed' || from < replica.firstIndex || from > replica.lastIndex) return null
    const found: LogEntry[] = []
    let bytes = 0
    for (let index = from; index <= Math.min(to, replica.lastIndex);) {
      const run = replica.runAt(index)
      if (run === null) return found.length === 0 ? null : found
      for (const entry of this.entriesOf(replica, run)) {
        if (entry.index < index || entry.index > Math.min(to, run.lastIndex)) continue
        bytes += entry.payload.byteLength
        if (bytes > bytesMax && found.length > 0) return found
        found.push(entry)
      }
      index = run.lastIndex + 1
    }
    return found
  }

  /** Every entry of the run's record; those that the run does not cover any more are not the group's. */
  entriesOf(replica: ReplicaLog, run: Run): readonly LogEntry[] {
    if (run.entries !== null) return run.entries
    if (this.#lastRead?.run === run && this.#lastRead.place === run.place) return this.#lastRead.entries
    const entries = this.#readRecord(replica, run)
    this.#lastRead = { run, place: run.place, entries }
    return entries
  }

  #readRecord(replica: ReplicaLog, { place, firstIndex, lastIndex }: Run): readonly LogEntry[] {
    const segment = place === null ? undefined : this.#files.get(place.segment)
    if (place === null || segment === undefined) throw new DamageError(`entry ${firstIndex} has no place`)
    const read = segment.file.read(place.offset, place.bytes)
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength)
    const start = seedAt(this.#identity.seed, place.segment, place.offset)
    const intact = intactRecordBytes(bytes, 0, bytes.length, start) === place.bytes
    const record = intact ? readRecord(bytes, 0) : null
    const isEntries = record?.kind === 'entries' || record?.kind === 'moved'
    const isTheirs = record?.group === replica.group && record.incarnation === replica.incarnation
    if (!isEntries || !isTheirs || (record.entries.at(-1)?.index ?? 0) < lastIndex) {
      const where = `segment ${place.segment} offset ${place.offset}`
      throw new DamageError(
        `entries from ${firstIndex} of group ${replica.group} in ${where} fail their checksum`,
      )
    }
    return record.entries
  }
}
