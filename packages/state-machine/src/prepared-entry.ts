// A log entry walked through and its keys looked up: made by `prefetch`, used by `apply`.
import type { Section, Victim } from '@quorate/protocol'
import {
  BadFrameError,
  type CommandCursor,
  decodeSection,
  slotAt,
  slotOf,
  startsCommands,
} from '@quorate/protocol'
import { BadStateError } from './bad-state-error.ts'
import type { DeadlineIndex } from './deadline-index.ts'
import { decodeEntryRow, type Known } from './entry.ts'
import { keyName, nameKey } from './key-name.ts'
import type { KnownEntries } from './known-entries.ts'
import type { LookedUpKeys } from './looked-up-keys.ts'
import type { AppliedEntry, RowKey, RowScan } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'

/** A key that memory does not hold, shared by all commands of the entry. */
export interface MissingKey {
  readonly name: string
  readonly key: Uint8Array
  readonly hash: number
  readonly slot: number
}

/** Commands stay where they are, in the payload. */
export interface PreparedCommands {
  readonly kind: 'commands'
  readonly group: number
  /** Offset in the payload. */
  readonly at: number
  /** Where its keys begin in `PreparedEntry.keys`. */
  readonly firstKey: number
}

export type PreparedSection = PreparedCommands | Exclude<Section, { kind: 'commands' }>

export interface PreparedEntry {
  readonly index: number
  readonly term: number
  readonly cursor: CommandCursor
  /** Null: the payload is not what any version of this code would have put into the log. */
  readonly sections: readonly PreparedSection[] | null
  /** The keys of this group's commands, in order. */
  readonly keys: LookedUpKeys
  /** Keys that only the store knows, in the order in which their rows are asked for. */
  readonly missing: readonly MissingKey[]
  /** What the store said of `missing`, by name; until then empty. */
  readonly fetched: Map<string, Known>
  /** Keys that its sweeps may take, with the deadlines that the index has for them. */
  readonly expiring: readonly { readonly key: Uint8Array; readonly name: string; readonly deadline: number }[]
  /** Where a sweep reaches beyond what memory holds of the index: this first, then prepare again. */
  readonly scan: RowScan | null
}

/** What an entry is prepared against. */
export interface PreparedAgainst {
  readonly group: number
  /** The log clock before the entry, ms. */
  readonly clock: number
  readonly known: KnownEntries
  readonly deadlines: DeadlineIndex
  /** Space that the entry before has used. */
  readonly cursor: CommandCursor
  readonly keys: LookedUpKeys
}

/** Shared and never written: most entries need nothing of the store. */
const noneMissing: readonly MissingKey[] = []

export function prepareEntry(entry: AppliedEntry, state: PreparedAgainst): PreparedEntry {
  const { index, term } = entry
  const walk = new PayloadWalk(state)
  const { cursor, keys, sections } = walk
  let expiring: PreparedEntry['expiring'] = []
  let scan: RowScan | null = null
  cursor.attach(entry.type === 'commands' ? entry.payload : undefined)
  keys.begin(state.known.overlay.active)
  // Every replica holds the same bytes and so comes to the same end, whatever the decoder did not like.
  const isWhole = walk.isWhole()
  if (isWhole && walk.sweeps > 0) {
    const expired = expiredFor(walk, Math.max(state.clock, entry.stamp), state)
    expiring = expired?.map(({ name, deadline }) => ({ key: nameKey(name), name, deadline })) ?? []
    for (const { key } of expiring) walk.look(key, 0, key.length, state.known.hash(key))
    scan = expired === null ? state.deadlines.scan() : null
  }
  const missing = isWhole ? walk.missing : noneMissing
  const fetched = new Map<string, Known>()
  return { index, term, cursor, sections: isWhole ? sections : null, keys, missing, fetched, expiring, scan }
}

/** Checks a payload, hashes its keys and notes those that memory does not hold. */
class PayloadWalk {
  readonly cursor: CommandCursor
  readonly keys: LookedUpKeys
  readonly sections: PreparedSection[] = []
  /** Entries that its sweeps may take. */
  sweeps = 0
  readonly #state: PreparedAgainst
  #missing: Map<string, MissingKey> | null = null

  constructor(state: PreparedAgainst) {
    this.cursor = state.cursor
    this.keys = state.keys
    this.#state = state
  }

  get missing(): readonly MissingKey[] {
    return this.#missing === null ? noneMissing : [...this.#missing.values()]
  }

  isWhole(): boolean {
    const { bytes } = this.cursor
    try {
      for (let at = 0; at < bytes.length;) {
        if (startsCommands(bytes, at)) {
          at = this.#commands(at)
        } else {
          const { section, end } = decodeSection(bytes, at)
          if (section.kind !== 'commands') this.sections.push(section)
          if (section.kind === 'sweep' && section.group === this.#state.group) this.sweeps += section.limit
          if (section.kind === 'evict' && section.group === this.#state.group) this.#lookFor(section.victims)
          at = end
        }
      }
      return true
    } catch (error) {
      // Anything else is this process's own trouble (no memory): a verdict made of it would not be that of the others.
      if (error instanceof BadFrameError) return false
      throw error
    }
  }

  #lookFor(victims: readonly Victim[]): void {
    for (const { key } of victims) this.look(key, 0, key.length, this.#state.known.hash(key))
  }

  /** Returns where the section ends. */
  #commands(at: number): number {
    const { cursor } = this
    cursor.begin(at)
    const { group } = cursor
    this.sections.push({ kind: 'commands', group, at, firstKey: this.keys.count })
    // Refused as a whole: its keys are of no interest.
    if (group === this.#state.group) this.#hashKeys()
    else while (cursor.next());
    return cursor.end
  }

  #hashKeys(): void {
    const { cursor, keys } = this
    const { known } = this.#state
    const { bytes } = cursor
    const { active } = known.overlay
    keys.reserve(cursor.count)
    while (cursor.next()) {
      const { keyAt, keyLength } = cursor
      const hash = known.hash(bytes, keyAt, keyLength)
      const ref = active.find(bytes, keyAt, keyLength, hash)
      keys.add(hash, ref)
      if (ref === 0) this.look(bytes, keyAt, keyLength, hash)
    }
  }

  look(bytes: Uint8Array, at: number, length: number, hash: number): void {
    if (this.#state.known.locate(bytes, at, length, hash).ref !== 0) return
    const key = bytes.subarray(at, at + length)
    const name = keyName(key)
    this.#missing ??= new Map()
    if (!this.#missing.has(name))
      this.#missing.set(name, { name, key, hash, slot: slotAt(bytes, at, length) })
  }
}

/**
 * What the entry's sweeps may take, null where the index does not reach as far. Its own commands and evictions may take some of it away
 * before the sweep, so that those keys do not count; nothing that they set can have expired.
 */
function expiredFor(
  { cursor, sections, sweeps }: PayloadWalk,
  clock: number,
  { group, deadlines }: PreparedAgainst,
): ReturnType<DeadlineIndex['expired']> {
  const touched = new Set<string>()
  for (const section of sections) {
    if (section.group !== group) continue
    if (section.kind === 'evict') for (const { key } of section.victims) touched.add(keyName(key))
    if (section.kind !== 'commands') continue
    cursor.begin(section.at)
    while (cursor.next()) touched.add(nameAt(cursor))
  }
  return deadlines.expired(clock, sweeps, (name) => touched.has(name))
}

function nameAt({ bytes, keyAt, keyLength }: CommandCursor): string {
  return keyName(bytes.subarray(keyAt, keyAt + keyLength))
}

export function missingRows({ missing }: PreparedEntry): readonly RowKey[] {
  return missing.map(({ slot, key }) => ({ kind: rowKind.entry, slot, key }))
}

/** Decodes all rows before any of them counts, so that a bad one leaves everything as it was. */
export function fillMissing(
  { missing, fetched, expiring }: PreparedEntry,
  rows: readonly (Uint8Array | undefined)[],
  known: KnownEntries,
): void {
  for (const [at, { name, key }] of missing.entries()) {
    const row = rows[at]
    fetched.set(name, row === undefined ? null : decodeEntryRow(key, row))
  }
  for (const { key, name, deadline } of expiring) {
    const entry = known.find(key, known.hash(key)) ?? fetched.get(name)
    if (entry?.deadline !== deadline)
      throw new BadStateError(`slot ${slotOf(key)}: a deadline at ${deadline} without an entry that has it`)
  }
}
