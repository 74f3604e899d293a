// A log entry decoded and its keys looked up: made by `prefetch`, used by `apply`.
import type { Command, Section } from '@quorate/protocol'
import { decodeSections, slotOf } from '@quorate/protocol'
import { decodeEntryRow } from './entry.ts'
import { keyName } from './key-name.ts'
import type { Known } from './overlay.ts'
import type { AppliedEntry, RowKey } from './replicated-state.ts'
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
    }
  | { readonly section: Exclude<Section, { kind: 'commands' }>; readonly commands: null }

export interface PreparedEntry {
  readonly index: number
  readonly term: number
  /** Null: the payload is not what any version of this code would have put into the log. */
  readonly sections: readonly PreparedSection[] | null
  /** Places without a known entry, in the order in which their rows are asked for. */
  readonly missing: readonly KeyPlace[]
}

export function prepareEntry(
  entry: AppliedEntry,
  group: number,
  find: (name: string) => Known | undefined,
): PreparedEntry {
  const { index, term } = entry
  const sections = entry.type === 'commands' ? decodePayload(entry.payload) : []
  if (sections === null) return { index, term, sections, missing: [] }
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
    if (section.kind !== 'commands') return { section, commands: null }
    // Refused as a whole: its keys are of no interest.
    if (section.group !== group) return { section, commands: [] }
    return {
      section,
      commands: section.commands.map((command) => ({ command, place: placeOf(command.key) })),
    }
  })
  return {
    index,
    term,
    sections: prepared,
    missing: [...places.values()].filter(({ known }) => known === undefined),
  }
}

export function missingRows({ missing }: PreparedEntry): readonly RowKey[] {
  return missing.map(({ slot, key }) => ({ kind: rowKind.entry, slot, key }))
}

/** Decodes all rows before any of them counts, so that a bad one leaves everything as it was. */
export function fillMissing({ missing }: PreparedEntry, rows: readonly (Uint8Array | undefined)[]): void {
  const known = missing.map(({ key }, at): Known => {
    const row = rows[at]
    return row === undefined ? null : decodeEntryRow(key, row)
  })
  for (const [at, place] of missing.entries()) place.known = known[at]
}

function decodePayload(payload: Uint8Array): readonly Section[] | null {
  try {
    return decodeSections(payload)
  } catch {
    // Every replica holds the same bytes and so comes here, whatever the decoder did not like.
    return null
  }
}
