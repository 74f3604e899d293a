// Checks one frozen generation of a shard's rows against itself, page by page (storage.md: LevelDB is not trusted).
// A checkpoint writes head, slot rows, sessions and entries in one atomic batch, so that they must agree at any moment.
import { slotOf } from '@quorate/protocol'
import { assert } from './assert.ts'
import { BadStateError } from './bad-state-error.ts'
import { decodeDeadlineRow } from './deadline-index.ts'
import { deadlineName, deadlineRowKey } from './deadline-name.ts'
import { decodeEntryRow, entryBytes, pinnedBytes } from './entry.ts'
import { addHash, emptySum, hashOf, hashText } from './hash.ts'
import { keyName } from './key-name.ts'
import { decodeMachineHead, encodeMachineHead } from './machine-head.ts'
import { rowKind } from './row-kind.ts'
import { decodeSessionRow, hashSession } from './session.ts'
import type { CheckpointRow } from './shard-state.ts'
import { decodeContentRow, hashContent, noContent, type SlotContent } from './slot-content.ts'
import { SlotOwnership } from './slot-ownership.ts'

/** Feed it every row of one snapshot of one generation. Its memory grows with the slots, not with the entries. */
export interface Scrub {
  /**
   * The next rows in (kind, slot, key) order. What differs so far, in words, or null; after a difference the remaining
   * rows change nothing.
   */
  rows(page: Iterable<CheckpointRow>): string | null
  /** After the last row: what differs, or null where everything agrees. */
  finish(): string | null
}

/**
 * `machine` is `Frozen.machine` of the checkpoint that the snapshot shows, exactly that one. With it the lack of a row
 * that nothing else counts (a session, a slot without entries) is found too; null compares the rows with each other only.
 */
export function createScrub(group: number, machine: Uint8Array | null = null): Scrub {
  return new ShardScrub(group, machine)
}

class ShardScrub implements Scrub {
  readonly #group: number
  readonly #machine: Uint8Array | null
  /** Comes first, so that it is known when the slots pass. */
  readonly #ownership: SlotOwnership = new SlotOwnership()
  /** What slot rows say and no entries have been compared with yet. */
  readonly #declared = new Map<number, SlotContent>()
  /** What the rows add up to, as a head says it. */
  readonly #totals = {
    sessions: 0,
    answerBytes: 0,
    entries: 0,
    entryBytes: 0,
    slotHash: emptySum(),
    sessionHash: emptySum(),
  }
  /** Which keys have which deadline: as the entries say, and as the index does. */
  readonly #deadlines = { ofEntries: emptySum(), ofIndex: emptySum() }
  /** The slot whose entries are passing, with what they add up to. */
  #counted: SlotContent | null = null
  #previous: CheckpointRow | null = null
  #found: string | null = null
  #finished = false

  constructor(group: number, machine: Uint8Array | null) {
    this.#group = group
    this.#machine = machine
  }

  rows(page: Iterable<CheckpointRow>): string | null {
    assert(!this.#finished, `group ${this.#group}: rows behind the end of a scrub`)
    return this.#check(() => {
      for (const row of page) this.#row(row)
    })
  }

  finish(): string | null {
    this.#finished = true
    return this.#check(() => {
      this.#endSlot()
      for (const declared of this.#declared.values()) compare(noContent(declared.slot), declared)
      const { ofEntries, ofIndex } = this.#deadlines
      if (hashText(ofEntries) !== hashText(ofIndex))
        throw new BadStateError('the index of deadlines is not that of the entries')
      if (this.#machine !== null) this.#compareHead(this.#machine)
    })
  }

  #check(work: () => void): string | null {
    if (this.#found !== null) return this.#found
    try {
      work()
    } catch (error) {
      if (!(error instanceof BadStateError)) throw error
      this.#found = error.message
    }
    return this.#found
  }

  #row(row: CheckpointRow): void {
    if (this.#previous !== null && !follows(this.#previous, row))
      throw new BadStateError(`a row of kind ${row.kind} in slot ${row.slot} is out of order`)
    this.#previous = row
    switch (row.kind) {
      case rowKind.ownership:
        return this.#ownershipRow(row)
      case rowKind.slot:
        return this.#slotRow(row)
      case rowKind.session:
        return this.#sessionRow(row)
      case rowKind.entry:
        return this.#entryRow(row)
      case rowKind.deadline:
        return this.#deadlineRow(row)
      default:
        throw new BadStateError(`a row of kind ${row.kind}`)
    }
  }

  #ownershipRow({ slot, key, value }: CheckpointRow): void {
    this.#ownership.restore(slot, key, value)
    addHash(this.#totals.slotHash, this.#ownership.hash)
  }

  #slotRow({ slot, key, value }: CheckpointRow): void {
    const content = decodeContentRow(slot, key, value)
    if (this.#ownership.ownerOf(slot).state === 'none')
      throw new BadStateError(`slot ${slot}: ${contentOf(content)} in a slot that was never here`)
    this.#declared.set(slot, content)
    this.#totals.entries += content.count
    this.#totals.entryBytes += content.bytes
    addHash(this.#totals.slotHash, hashContent(content))
  }

  #sessionRow({ slot, key, value }: CheckpointRow): void {
    if (slot !== 0) throw new BadStateError(`session row in slot ${slot}`)
    const session = decodeSessionRow(key, value)
    this.#totals.sessions += 1
    this.#totals.answerBytes += session.answers.bytes
    addHash(this.#totals.sessionHash, hashSession(session))
  }

  #entryRow({ slot, key, value }: CheckpointRow): void {
    if (slotOf(key) !== slot) throw new BadStateError(`an entry of slot ${slotOf(key)} in slot ${slot}`)
    if (this.#counted?.slot !== slot) this.#endSlot()
    this.#counted ??= noContent(slot)
    const entry = decodeEntryRow(key, value)
    this.#counted.count += 1
    this.#counted.bytes += entryBytes(key, entry)
    this.#counted.pinnedBytes += pinnedBytes(key, entry)
    addHash(this.#counted, entry)
    if (entry.deadline === 0) return
    const indexed = deadlineRowKey(deadlineName(entry.deadline, keyName(key)))
    addHash(this.#deadlines.ofEntries, hashOf([], [indexed]))
  }

  #deadlineRow({ slot, key, value }: CheckpointRow): void {
    if (slot !== 0) throw new BadStateError(`deadline row in slot ${slot}`)
    decodeDeadlineRow(key, value)
    addHash(this.#deadlines.ofIndex, hashOf([], [key]))
  }

  /** Entries come in the order of their slots: the one that was passing is whole. */
  #endSlot(): void {
    const counted = this.#counted
    this.#counted = null
    if (counted === null) return
    const declared = this.#declared.get(counted.slot)
    if (declared === undefined)
      throw new BadStateError(`slot ${counted.slot}: ${contentOf(counted)}, and no slot row`)
    compare(counted, declared)
    this.#declared.delete(counted.slot)
  }

  #compareHead(machine: Uint8Array): void {
    const { clock, lastVersion } = decodeMachineHead(machine)
    // One encoding, so equal bytes are equal heads.
    const rebuilt = encodeMachineHead({ group: this.#group, clock, lastVersion, ...this.#totals })
    if (rebuilt.some((byte, at) => byte !== machine[at]))
      throw new BadStateError('slot and session rows do not add up to the head of their checkpoint')
  }
}

function compare(counted: SlotContent, declared: SlotContent): void {
  const [found, expected] = [contentOf(counted), contentOf(declared)]
  if (found !== expected)
    throw new BadStateError(`slot ${declared.slot}: ${found}, and its row says ${expected}`)
}

function contentOf(slot: SlotContent): string {
  return `${slot.count} entries of ${slot.bytes} bytes (${slot.pinnedBytes} pinned) with hash ${hashText(slot)}`
}

function follows(before: CheckpointRow, row: CheckpointRow): boolean {
  if (before.kind !== row.kind) return before.kind < row.kind
  if (before.slot !== row.slot) return before.slot < row.slot
  return Buffer.compare(before.key, row.key) < 0
}
