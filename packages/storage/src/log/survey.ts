// The first look at a log: which segments there are, how each begins, and what any header claims was synced.
import assert from 'node:assert/strict'
import type { Disk, DiskFile } from '@quorate/runtime'
import { type BatchHeader, type LogIdentity, readBatch, readHeader } from './batch.ts'
import { BLOCK_BYTES } from './limits.ts'
import type { LogPosition } from './log.ts'
import { offsetOf, positionOf, segmentOf } from './position.ts'
import { listSegments, segmentName } from './segment-files.ts'

export interface SurveyedSegment {
  readonly number: number
  readonly file: DiskFile
  /** The header of its first batch; null if that cannot be read. */
  readonly opening: BatchHeader | null
  readonly openingIntact: boolean
}

export interface Survey {
  readonly segments: readonly SurveyedSegment[]
  /** The highest position of which anything says that the log was synced up to it. */
  readonly syncedUpTo: LogPosition
  /** End of the newest batch whose header can be read: at least what was ever told to be synced, but in an old copy. */
  readonly readUpTo: LogPosition
}

/** A segment that the log consists of. */
export interface Link {
  readonly segment: SurveyedSegment
  /** Where it ends according to its successor; null for the newest and where the successor cannot be read. */
  readonly end: number | null
  /** Why what lay before it is not all there. */
  readonly gapBefore: string | null
}

export interface Chain {
  /** Oldest first. */
  readonly links: readonly Link[]
  /** Why what lay behind the newest is not there. */
  readonly gapAtEnd: string | null
}

/** `claims` are positions that others than the log say it was synced up to. */
export function surveyLog(
  disk: Disk,
  directory: string,
  identity: LogIdentity,
  claims: readonly LogPosition[],
): Survey {
  let syncedUpTo = Math.max(0, ...claims)
  let readUpTo = 0
  const segments = listSegments(disk, directory).map((number) => {
    const file = disk.open(`${directory}/${segmentName(number)}`)
    const bytes = readWhole(file)
    const first = readHeader(bytes, number, 0, identity)
    const opening = first?.opensSegment === true ? first : null
    for (const header of headersOf(bytes, number, identity)) {
      syncedUpTo = Math.max(syncedUpTo, header.syncedUpTo)
      readUpTo = Math.max(readUpTo, positionOf(number, header.end))
    }
    return {
      number,
      file,
      opening,
      openingIntact: opening !== null && readBatch(bytes, opening, identity) !== null,
    }
  })
  return { segments, syncedUpTo, readUpTo }
}

/**
 * Follows the segments from the newest one back to the oldest that it needs. A segment whose beginning is torn and of
 * which nothing claims that it was synced never became a part of the log.
 */
export function findChain(survey: Survey): Chain {
  const { segments, syncedUpTo } = survey
  const claimed = segmentOf(syncedUpTo)
  const newest = segments.findLast(({ number, openingIntact }) => openingIntact || number === claimed)
  const gapAtEnd = claimed > (newest?.number ?? 0) ? `segment ${claimed} is missing` : null
  if (newest === undefined) return { links: [], gapAtEnd }
  const links: Link[] = []
  let oldestNeeded = newest.opening?.firstSegment ?? 1
  let current = newest
  let end: number | null = null
  for (;;) {
    const { number, opening } = current
    const first = number <= oldestNeeded || opening?.syncedUpTo === 0
    const before = first ? undefined : predecessor(segments, current)
    const named = opening !== null && before?.number === segmentOf(opening.syncedUpTo)
    links.unshift({ segment: current, end, gapBefore: first || named ? null : gapBefore(current) })
    if (before === undefined) return { links, gapAtEnd }
    assert(before.number < number, `segment ${number} follows segment ${before.number}`)
    end = named ? offsetOf(opening.syncedUpTo) : null
    // Only the newest beginning that can be read knows what is still needed.
    if (newest.opening === null) oldestNeeded = Math.max(oldestNeeded, before.opening?.firstSegment ?? 1)
    current = before
  }
}

/** The segment that `segment` names as the one before it, else the nearest older one that can be read. */
function predecessor(
  segments: readonly SurveyedSegment[],
  segment: SurveyedSegment,
): SurveyedSegment | undefined {
  const named = segment.opening === null ? 0 : segmentOf(segment.opening.syncedUpTo)
  return (
    segments.find(({ number }) => number === named) ??
    segments.findLast(({ number, opening }) => number < segment.number && opening !== null)
  )
}

function gapBefore({ number, opening }: SurveyedSegment): string {
  if (opening === null) return `the beginning of segment ${number} cannot be read`
  return `segment ${segmentOf(opening.syncedUpTo)} is missing`
}

export function readWhole(file: DiskFile): Buffer {
  const bytes = file.read(0, file.size())
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Offset of the next readable header at or behind `from`; the end of the bytes if there is none. */
export function nextHeaderAt(bytes: Buffer, segment: number, from: number, identity: LogIdentity): number {
  let at = from
  while (at < bytes.length && readHeader(bytes, segment, at, identity) === null) at += BLOCK_BYTES
  return Math.min(at, bytes.length)
}

function* headersOf(bytes: Buffer, segment: number, identity: LogIdentity): Iterable<BatchHeader> {
  for (let at = nextHeaderAt(bytes, segment, 0, identity); at < bytes.length;) {
    const header = readHeader(bytes, segment, at, identity)
    if (header !== null) yield header
    at = nextHeaderAt(bytes, segment, Math.max(header?.end ?? 0, at + BLOCK_BYTES), identity)
  }
}
