/**
 * Which keys have a deadline, in (deadline, key) order. The whole of it is rows of the store, one for each such entry, changed
 * in the same checkpoint as the entry; in memory is only what a checkpoint still has to write and a *window*: all members
 * below a horizon. A sweep takes from the front of the window, so what it removes depends on the members alone and never on
 * how much of them a replica happens to hold.
 */
import { assert } from './assert.ts'
import { BadStateError } from './bad-state-error.ts'
import { deadlineName, deadlineOf, deadlineRowKey, decodeDeadlineRowKey, nameOf } from './deadline-name.ts'
import { ENTRY_OVERHEAD_BYTES } from './entry.ts'
import type { RowChange, RowScan } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'
import { TextHeap } from './text-heap.ts'

/** Rows of one scan, and half of what the window holds at most: a sweep every few milliseconds asks the store now and then. */
export const DEADLINE_WINDOW = 4096

const DEADLINE_FORMAT = 1
const rowValue = Uint8Array.of(DEADLINE_FORMAT)

/** What changed between two freezes. */
interface Changes {
  /** Member or no longer one. */
  readonly members: Map<string, boolean>
  /** New members at or above the horizon; what it holds may have gone since. */
  readonly later: TextHeap
  bytes: number
}

export class DeadlineIndex {
  readonly #windowMax: number
  /** Ascending: every member below the horizon. */
  #window: string[] = []
  /** Null: every member is in the window. */
  #horizon: string | null = null
  #active: Changes = noChanges()
  #frozen: Changes | null = null
  #releases = 0

  constructor(windowMax: number) {
    this.#windowMax = windowMax
  }

  /** Ms; null = nothing has a deadline; `unknown` = the store must be asked (`lookAhead`). */
  get earliest(): number | null | 'unknown' {
    const [first] = this.#window
    if (first !== undefined) return deadlineOf(first)
    return this.#horizon === null ? null : 'unknown'
  }

  /** For the host's limit on what waits for a checkpoint. */
  get bytes(): number {
    return this.#active.bytes + (this.#frozen?.bytes ?? 0)
  }

  get frozenCount(): number {
    return this.#frozen?.members.size ?? 0
  }

  /** An entry has taken the place of another under `name`; 0 = no deadline, or no entry. */
  replace(name: string, before: number, after: number): void {
    if (before === after) return
    if (before !== 0) this.#remove(deadlineName(before, name))
    if (after !== 0) this.#add(deadlineName(after, name))
  }

  /**
   * Names that a sweep of `count` entries at `clock` may take, with their deadlines: the first `count` expired ones that
   * `isTouched` does not know, and every one before them. Null where the window does not reach as far.
   */
  expired(
    clock: number,
    count: number,
    isTouched: (name: string) => boolean = () => false,
  ): { readonly name: string; readonly deadline: number }[] | null {
    const found: { name: string; deadline: number }[] = []
    let left = count
    for (const text of this.#window) {
      const deadline = deadlineOf(text)
      if (deadline > clock || left === 0) return found
      const name = nameOf(text)
      found.push({ name, deadline })
      if (!isTouched(name)) left -= 1
    }
    const isWhole = left === 0 || this.#horizon === null || deadlineOf(this.#horizon) > clock
    return isWhole ? found : null
  }

  /** The next rows of the store behind the window; null where there can be none. */
  scan(): RowScan | null {
    const horizon = this.#horizon
    if (horizon === null) return null
    const releases = this.#releases
    const limit = this.#windowMax
    return {
      kind: rowKind.deadline,
      slot: 0,
      key: deadlineRowKey(horizon),
      limit,
      complete: (rows) => {
        // As with reads (rule 27): what was released meanwhile may be missing in what was read.
        if (this.#horizon !== horizon || this.#releases !== releases) return
        this.#advance(
          rows.map(({ key, value }) => decodeDeadlineRow(key, value)),
          limit,
        )
      },
    }
  }

  /** Asks for more only where the window is empty. */
  lookAhead(): RowScan | null {
    return this.#window.length === 0 ? this.scan() : null
  }

  /** Between two entries: gives up what is too much of the window. */
  trim(): void {
    if (this.#window.length <= 2 * this.#windowMax) return
    const dropped = this.#window.splice(this.#windowMax)
    this.#horizon = dropped[0] ?? this.#horizon
    for (const text of dropped) if (this.#isChanged(text) === true) this.#active.later.push(text)
  }

  /** A checkpoint holds the members: nothing is known of them yet. Of a new index only. */
  restore(): void {
    this.#horizon = ''
  }

  freeze(): void {
    assert(this.#frozen === null, 'deadlines: frozen twice')
    this.#frozen = this.#active
    this.#active = noChanges()
  }

  *frozenRows(): Generator<RowChange> {
    assert(this.#frozen !== null, 'deadlines: nothing is frozen')
    for (const [text, isMember] of this.#frozen.members)
      yield { kind: rowKind.deadline, slot: 0, key: deadlineRowKey(text), value: isMember ? rowValue : null }
  }

  release(): void {
    assert(this.#frozen !== null, 'deadlines: nothing to release')
    this.#frozen = null
    this.#releases += 1
  }

  #add(text: string): void {
    this.#mark(text, true)
    if (this.#isInWindow(text)) this.#window.splice(this.#place(text), 0, text)
    else this.#active.later.push(text)
  }

  #remove(text: string): void {
    this.#mark(text, false)
    if (!this.#isInWindow(text)) return
    const place = this.#place(text)
    assert(this.#window[place] === text, `deadline ${deadlineOf(text)} of a key is not in the index`)
    this.#window.splice(place, 1)
  }

  #mark(text: string, isMember: boolean): void {
    const { members } = this.#active
    if (!members.has(text)) this.#active.bytes += text.length + ENTRY_OVERHEAD_BYTES
    members.set(text, isMember)
  }

  /** Undefined: the store says. */
  #isChanged(text: string): boolean | undefined {
    return this.#active.members.get(text) ?? this.#frozen?.members.get(text)
  }

  #isInWindow(text: string): boolean {
    return this.#horizon === null || text < this.#horizon
  }

  /**
   * Rows from the horizon on become part of the window, merged with what has changed since they were written; no more of
   * both than the window takes.
   */
  #advance(rows: readonly string[], limit: number): void {
    const last = rows.at(-1)
    const scannedTo = rows.length < limit || last === undefined ? null : above(last)
    let at = 0
    for (let taken = 0; taken < this.#windowMax;) {
      const row = rows[at]
      const later = this.#leastLater()
      const isRow = row !== undefined && (later === undefined || row <= later.text)
      const text = isRow ? row : later?.text
      if (text === undefined || (scannedTo !== null && text >= scannedTo)) {
        this.#horizon = scannedTo
        return
      }
      if (isRow) at += 1
      else later?.heap.pop()
      const change = this.#isChanged(text)
      // A text may be a row and in a heap, and in a heap more than once.
      if (this.#isInWindow(text) || change === false || (!isRow && change === undefined)) continue
      this.#window.push(text)
      this.#horizon = above(text)
      taken += 1
    }
  }

  #leastLater(): { readonly heap: TextHeap; readonly text: string } | undefined {
    const { later: active } = this.#active
    const frozen = this.#frozen?.later
    const [first, second] = [active.peek(), frozen?.peek()]
    if (second !== undefined && frozen !== undefined && (first === undefined || second < first))
      return { heap: frozen, text: second }
    return first === undefined ? undefined : { heap: active, text: first }
  }

  /** Where a text is in the window, or belongs. */
  #place(text: string): number {
    let low = 0
    let high = this.#window.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#window[middle] ?? '') < text) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** @throws BadStateError */
export function decodeDeadlineRow(key: Uint8Array, value: Uint8Array): string {
  if (value.length !== 1 || value[0] !== DEADLINE_FORMAT)
    throw new BadStateError(`deadline row: ${value.length} bytes, format ${value[0]}`)
  return decodeDeadlineRowKey(key)
}

/** The least text above this one. */
const above = (text: string): string => `${text}\0`

function noChanges(): Changes {
  return { members: new Map(), later: new TextHeap(), bytes: 0 }
}
