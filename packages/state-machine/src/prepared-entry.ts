// A log entry decoded and its keys looked up: made by `prefetch`, used by `apply`.
import type { Command, Section } from '@quorate/protocol'
import { decodeSections, slotOf } from '@quorate/protocol'
import { BadStateError } from './bad-state-error.ts'
import type { DeadlineIndex } from './deadline-index.ts'
import { decodeEntryRow } from './entry.ts'
import { keyName, nameKey } from './key-name.ts'
import type { Known } from './overlay.ts'
import type { AppliedEntry, RowKey, RowScan } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'

/**
 * One key of the entry, shared by all its commands. What was found when it was looked up is kept here: until the entry is
 * applied nothing changes it, but a release or an eviction could take it out of memory.
 */
export interface KeyPlace {
  readonly name: string
  readonly key: Uint8Array
  readonly slot: number
  /** Undefined until the row is here. */
  known: Known | undefined
}

export interface PreparedCommand {
  readonly command: Command
  readonly place: KeyPlace
}

export type PreparedSection =
  | {
      readonly section: Extract<Section, { kind: 'commands' }>
      readonly commands: readonly PreparedCommand[]
      readonly places: Places
    }
  | {
      readonly section: Exclude<Section, { kind: 'commands' }>
      readonly commands: null
      readonly places: Places
    }

/** All keys of the entry, and those that its sweeps may take. */
export type Places = ReadonlyMap<string, KeyPlace>

export interface PreparedEntry {
  readonly index: number
  readonly term: number
  /** Null: the payload is not what any version of this code would have put into the log. */
  readonly sections: readonly PreparedSection[] | null
  /** Places without a known entry, in the order in which their rows are asked for. */
  readonly missing: readonly KeyPlace[]
  /** Keys that its sweeps may take, with the deadlines that the index has for them. */
  readonly expiring: readonly { readonly place: KeyPlace; readonly deadline: number }[]
  /** Where a sweep reaches beyond what memory holds of the index: this first, then prepare again. */
  readonly scan: RowScan | null
}

/** What an entry is prepared against. */
export interface KnownState {
  readonly group: number
  /** The log clock before the entry, ms. */
  readonly clock: number
  readonly find: (name: string) => Known | undefined
  readonly deadlines: DeadlineIndex
}

export function prepareEntry(entry: AppliedEntry, state: KnownState): PreparedEntry {
  const { index, term } = entry
  const { group, find } = state
  const sections = entry.type === 'commands' ? decodePayload(entry.payload) : []
  if (sections === null) return { index, term, sections, missing: [], expiring: [], scan: null }
  const places = new Map<string, KeyPlace>()
  const placeOf = (key: Uint8Array): KeyPlace => {
    const name = keyName(key)
    const before = places.get(name)
    if (before !== undefined) return before
    const place: KeyPlace = { name, key, slot: slotOf(key), known: find(name) }
    places.set(name, place)
    return place
  }
  const prepared = sections.map((section): PreparedSection => {
    if (section.kind !== 'commands') return { section, commands: null, places }
    // Refused as a whole: its keys are of no interest.
    if (section.group !== group) return { section, commands: [], places }
    return {
      section,
      commands: section.commands.map((command) => ({ command, place: placeOf(command.key) })),
      places,
    }
  })
  const expired = expiredFor(sections, Math.max(state.clock, entry.stamp), places, state)
  const expiring = (expired ?? []).map(({ name, deadline }) => ({ place: placeOf(nameKey(name)), deadline }))
  return {
    index,
    term,
    sections: prepared,
    missing: [...places.values()].filter(({ known }) => known === undefined),
    expiring,
    scan: expired === null ? state.deadlines.scan() : null,
  }
}

/**
 * What the entry's sweeps may take, null where the index does not reach as far. Its own commands may take some of it away
 * before the sweep, so that those keys do not count; nothing that they set can have expired.
 */
function expiredFor(
  sections: readonly Section[],
  clock: number,
  places: Places,
  { group, deadlines }: KnownState,
): ReturnType<DeadlineIndex['expired']> {
  let count = 0
  for (const section of sections)
    if (section.kind === 'sweep' && section.group === group) count += section.limit
  return count === 0 ? [] : deadlines.expired(clock, count, (name) => places.has(name))
}

export function missingRows({ missing }: PreparedEntry): readonly RowKey[] {
  return missing.map(({ slot, key }) => ({ kind: rowKind.entry, slot, key }))
}

/** Decodes all rows before any of them counts, so that a bad one leaves everything as it was. */
export function fillMissing(
  { missing, expiring }: PreparedEntry,
  rows: readonly (Uint8Array | undefined)[],
): void {
  const known = missing.map(({ key }, at): Known => {
    const row = rows[at]
    return row === undefined ? null : decodeEntryRow(key, row)
  })
  for (const [at, place] of missing.entries()) place.known = known[at]
  for (const { place, deadline } of expiring)
    if (place.known?.deadline !== deadline)
      throw new BadStateError(`slot ${place.slot}: a deadline at ${deadline} without an entry that has it`)
}

function decodePayload(payload: Uint8Array): readonly Section[] | null {
  try {
    return decodeSections(payload)
  } catch {
    // Every replica holds the same bytes and so comes here, whatever the decoder did not like.
    return null
  }
}
