// A run: the part of one record of entries that its group's log still holds.
import type { LogEntry } from './record.ts'

/** Where a record lies in the log. */
export interface RecordPlace {
  readonly segment: number
  readonly offset: number
  readonly bytes: number
}

export interface Run {
  firstIndex: number
  lastIndex: number
  /** Null until the record is written. Entries are in memory as long. */
  place: RecordPlace | null
  /** The record's entries (of which this run may be a part), while they are in memory. */
  entries: readonly LogEntry[] | null
  /** Queued to be written again into the current segment. */
  moving: boolean
  /** What recovery tells of the entries; null once it has. */
  facts: EntryFacts | null
}

/** Per entry of a record, first one first. */
export interface EntryFacts {
  readonly firstIndex: number
  readonly terms: readonly number[]
  readonly stamps: readonly number[]
  readonly configurations: readonly LogEntry[]
}

export function createRun(entries: readonly LogEntry[], place: RecordPlace | null): Run {
  const firstIndex = entries[0]?.index ?? 0
  return {
    firstIndex,
    lastIndex: firstIndex + entries.length - 1,
    place,
    entries: place === null ? entries : null,
    moving: false,
    facts: null,
  }
}

/** Copies what recovery tells later: the entries' bytes belong to a whole segment. */
export function factsOf(entries: readonly LogEntry[]): EntryFacts {
  return {
    firstIndex: entries[0]?.index ?? 0,
    terms: entries.map((entry) => entry.term),
    stamps: entries.map((entry) => entry.stamp),
    configurations: entries.filter((entry) => entry.type === 'configuration').map(ownEntry),
  }
}

/** The entry with its own bytes. */
export function ownEntry(entry: LogEntry): LogEntry {
  return { ...entry, payload: Uint8Array.from(entry.payload) }
}
