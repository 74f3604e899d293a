// Recovery 3 of storage.md: what was read is written again, in a new segment, before anything relies on it.
import { DiskError } from '@quorate/runtime'
import { BatchBuilder } from './batch.ts'
import { EntryReader } from './entry-reader.ts'
import { BOOT_SEGMENT_BYTES } from './limits.ts'
import type { LogOptions } from './log-options.ts'
import { oldestNeeded } from './reclaim.ts'
import { recordBytes, type StoredRecord } from './record-codec.ts'
import type { RecoveredLog } from './recover.ts'
import { segmentName } from './segment-files.ts'
import { makeSegment, type PreparedSegment, SegmentSupply } from './segment-supply.ts'
import { capacityOf, SegmentedLog } from './write-ahead-log.ts'

/**
 * Opens the segment of this boot. Its first batch is one unit, valid only as a whole: the preamble with the state up to
 * where the log was known to be synced, every record above that, and who was condemned. Nothing is ever appended to an
 * older segment: what a torn tail left there would come back as entries. Rejects with `DiskError`.
 */
export async function startLog(recovered: RecoveredLog, options: LogOptions): Promise<SegmentedLog> {
  const { disk, directory, segmentBytes } = options
  const { table, tailCache, rows, files, identity } = recovered
  const bytes = Math.min(segmentBytes, BOOT_SEGMENT_BYTES)
  const prepared = await makeFirstSegment(options, recovered.nextSegment, bytes)
  const builder = new BatchBuilder(identity)
  const end = await writeOpening(recovered, prepared, builder)
  const current = { number: prepared.number, file: prepared.file, end }
  files.add(current)
  tailCache.trim()
  for (const { number, file } of recovered.discarded) {
    file.close()
    disk.unlink(`${directory}/${segmentName(number)}`)
  }
  if (recovered.discarded.length > 0) await disk.syncDirectory(directory)

  const supply = new SegmentSupply({
    disk,
    directory,
    segmentBytes,
    firstNumber: prepared.number + 1,
    releaseSpace: options.releaseSpace,
    ready: () => log.segmentReady(),
    noSpace: () => log.noSpace(),
    failed: (error) => log.fail(error),
  })
  const reader = new EntryReader(identity, files)
  const capacity = capacityOf(bytes, end)
  const log = new SegmentedLog(options, {
    table,
    tailCache,
    rows,
    files,
    reader,
    builder,
    supply,
    current,
    capacity,
  })
  recovered.droppedRuns.heard = (run) => log.runDropped(run)
  supply.refill()
  return log
}

async function makeFirstSegment(
  options: LogOptions,
  number: number,
  bytes: number,
): Promise<PreparedSegment> {
  const { disk, directory, releaseSpace } = options
  try {
    return await makeSegment(disk, directory, number, bytes)
  } catch (error) {
    if (!(error instanceof DiskError && error.code === 'ENOSPC')) throw error
    // It holds zeros and nothing else. Left behind, each further try to start would take more of what space there is.
    const file = `${directory}/${segmentName(number)}`
    if (disk.exists(file)) disk.unlink(file)
    if (!releaseSpace()) throw error
    return makeFirstSegment(options, number + 1, bytes)
  }
}

/** Writes and syncs the first batch; returns where it ends. */
async function writeOpening(
  recovered: RecoveredLog,
  { file, number }: PreparedSegment,
  builder: BatchBuilder,
): Promise<number> {
  const { rows, tail, table, syncedUpTo } = recovered
  const preamble = rows.records()
  const news = [...tail.map(({ record }) => record), ...verdicts(recovered)]
  const { bytes, offsets } = builder.build({
    segment: number,
    offset: 0,
    opensSegment: true,
    syncedUpTo,
    firstSegment: oldestNeeded(table.values(), number),
    records: [...preamble, ...news],
  })
  file.write([bytes], 0)
  await file.datasync()
  tail.forEach(({ record, run }, index) => {
    if (run !== null)
      run.place = {
        segment: number,
        offset: offsets[preamble.length + index] ?? 0,
        bytes: recordBytes(record),
      }
  })
  for (const record of news) rows.note(record)
  return bytes.length
}

/** Who was found condemned at this start, and that the node was. */
function verdicts({ table, condemnedBefore }: RecoveredLog): StoredRecord[] {
  const records: StoredRecord[] = []
  if (table.nodeDamage !== null) {
    records.push({ kind: 'nodeDamaged', group: 0, incarnation: 0, reason: table.nodeDamage })
  }
  for (const replica of table.all()) {
    if (replica.state !== 'condemned' || condemnedBefore.has(replica)) continue
    const { group, incarnation, reason } = replica
    records.push({ kind: 'condemned', group, incarnation, reason: reason ?? 'damaged' })
  }
  return records
}
