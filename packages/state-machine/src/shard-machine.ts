// The replicated state machine of a shard: what `ReplicatedState` and the read path do, over the tables beside this file.
import type { Answer, Victim } from '@quorate/protocol'
import { CommandCursor, slotOf } from '@quorate/protocol'
import type { ApplyContext } from './apply-context.ts'
import { applySections } from './apply-section.ts'
import { assert } from './assert.ts'
import { BadStateError } from './bad-state-error.ts'
import { ColdCursor, type ColdScan } from './cold-cursor.ts'
import { DEADLINE_WINDOW, DeadlineIndex } from './deadline-index.ts'
import { decodeEntryRow, type Entry, entryResult, isExpired, type Known } from './entry.ts'
import { frozenEntryRows } from './entry-rows.ts'
import { EvictionHand } from './eviction-hand.ts'
import { hashOf, hashText } from './hash.ts'
import { keyName } from './key-name.ts'
import { KnownEntries } from './known-entries.ts'
import { LookedUpKeys } from './looked-up-keys.ts'
import { decodeMachineHead, encodeMachineHead, type MachineHead } from './machine-head.ts'
import { fillMissing, missingRows, type PreparedEntry, prepareEntry } from './prepared-entry.ts'
import type { AppliedEntry, Frozen, Removal, RowChange, RowKey, RowScan } from './replicated-state.ts'
import { rowKind } from './row-kind.ts'
import { SessionTable } from './session-table.ts'
import type { ReadPlace, ReadStep, ReadTicket } from './shard-read.ts'
import type {
  CheckpointRow,
  ShardCheckpoint,
  ShardCounts,
  ShardState,
  ShardStateOptions,
  ShardStats,
} from './shard-state.ts'
import { SlotTable } from './slot-table.ts'

/** 64 MiB. */
const HOT_BYTES_MAX = 67_108_864

const noSeed = { low: 0, high: 0 }

export class ShardMachine implements ShardState {
  readonly group: number
  readonly #slots: SlotTable = new SlotTable()
  readonly #sessions: SessionTable = new SessionTable()
  readonly #known: KnownEntries
  readonly #deadlines: DeadlineIndex
  readonly #hand: EvictionHand
  readonly #cold: ColdCursor
  readonly counts: ShardCounts = { hits: 0, misses: 0, evictions: 0, expiries: 0 }
  #appliedIndex = 0
  #appliedTerm = 0
  #clock = 0
  #lastVersion = 0
  readonly #cursor: CommandCursor = new CommandCursor()
  readonly #keys: LookedUpKeys = new LookedUpKeys()
  /** The newest prefetch and the applied index at which it looked. */
  #prepared: { readonly entry: PreparedEntry; readonly at: number } | null = null
  #scan: RowScan | null = null
  #removals: readonly Removal[] = []
  /** Freezes and releases so far; they differ by one while something is frozen. */
  #freezes = 0
  #releases = 0
  /** An apply did not come to its end: what is in memory is between two entries and must not get into a checkpoint (E8). */
  #broken = false

  constructor(group: number, options: ShardStateOptions) {
    this.group = group
    this.#known = new KnownEntries(options.hotBytesMax ?? HOT_BYTES_MAX, options.keySeed ?? noSeed)
    this.#deadlines = new DeadlineIndex(options.deadlineWindow ?? DEADLINE_WINDOW)
    this.#hand = new EvictionHand(this.#known)
    this.#cold = new ColdCursor(this.#known, this.#slots)
  }

  get appliedIndex(): number {
    return this.#appliedIndex
  }

  get appliedTerm(): number {
    return this.#appliedTerm
  }

  get clock(): number {
    return this.#clock
  }

  get lastVersion(): number {
    return this.#lastVersion
  }

  get stats(): ShardStats {
    const { owned, count, bytes, pinnedBytes } = this.#slots.totals
    return { slots: owned, keys: count, bytes, pinnedBytes, sessions: this.#sessions.size }
  }

  get storedAnswerBytes(): number {
    return this.#sessions.answerBytes
  }

  get overlayBytes(): number {
    return this.#known.overlay.bytes + this.#deadlines.bytes
  }

  get scan(): RowScan | null {
    return this.#scan
  }

  get removals(): readonly Removal[] {
    return this.#removals
  }

  get earliestDeadline(): number | null | 'unknown' {
    return this.#deadlines.earliest
  }

  lookAhead(): RowScan | null {
    return this.#deadlines.lookAhead()
  }

  chooseVictims(bytes: number, count: number): readonly Victim[] {
    return this.#hand.choose(bytes, count)
  }

  scanCold(): ColdScan | null {
    return this.#cold.scan()
  }

  prefetch(entry: AppliedEntry): readonly RowKey[] {
    // What an older one has found is of no interest any more.
    this.#known.hot.unpin()
    const prepared = this.#prepare(entry)
    this.#scan = prepared.scan
    this.#prepared = { entry: prepared, at: this.#appliedIndex }
    // What was found must be found by apply too.
    this.#known.hot.pin()
    return missingRows(prepared)
  }

  #prepare(entry: AppliedEntry): PreparedEntry {
    return prepareEntry(entry, {
      group: this.group,
      clock: this.#clock,
      known: this.#known,
      deadlines: this.#deadlines,
      cursor: this.#cursor,
      keys: this.#keys,
    })
  }

  apply(entry: AppliedEntry, rows: readonly (Uint8Array | undefined)[]): readonly (readonly Answer[])[] {
    assert(!this.#broken, `group ${this.group}: applying behind an apply that failed`)
    const { index, term, stamp } = entry
    assert(index === this.#appliedIndex + 1, `entry ${index} after ${this.#appliedIndex}`)
    assert(term >= this.#appliedTerm, `entry ${index} of term ${term} after term ${this.#appliedTerm}`)
    assert(Number.isSafeInteger(stamp) && stamp >= 0, `entry ${index}: stamp ${stamp}`)
    const prepared = this.#takePrepared(entry, rows.length)
    fillMissing(prepared, rows, this.#known)
    this.#broken = true
    this.#clock = Math.max(this.#clock, stamp)
    this.#sessions.expire(this.#clock)
    const removals: Removal[] = []
    const context: ApplyContext = {
      group: this.group,
      stamp,
      clock: this.#clock,
      lastVersion: this.#lastVersion,
      slots: this.#slots,
      sessions: this.#sessions,
      known: this.#known,
      fetched: prepared.fetched,
      deadlines: this.#deadlines,
      removals,
    }
    const answers = applySections(prepared, context)
    this.#lastVersion = context.lastVersion
    this.#appliedIndex = index
    this.#appliedTerm = term
    this.#broken = false
    this.#removals = removals
    for (const { cause } of removals) this.counts[cause === 'evicted' ? 'evictions' : 'expiries'] += 1
    this.#deadlines.trim()
    this.#rememberUnchanged(prepared)
    this.#letGo()
    return answers
  }

  #takePrepared(entry: AppliedEntry, rowCount: number): PreparedEntry {
    const last = this.#prepared
    this.#prepared = null
    const matches =
      last !== null &&
      last.at === this.#appliedIndex &&
      last.entry.index === entry.index &&
      last.entry.term === entry.term
    const prepared = matches ? last.entry : this.#prepare(entry)
    this.#scan = null
    assert(prepared.scan === null, `entry ${entry.index}: applied without its scan`)
    const wanted = prepared.missing.length
    assert(rowCount === wanted, `entry ${entry.index}: ${rowCount} rows for ${wanted}`)
    // Rows of an older prefetch may be of the right number and of the wrong keys.
    assert(matches || wanted === 0, `entry ${entry.index}: applied without its prefetch`)
    return prepared
  }

  /** Nothing that the entry has used keeps payloads or tables alive. */
  #letGo(): void {
    this.#cursor.attach()
    this.#keys.end()
    this.#known.forgetFound()
  }

  #rememberUnchanged({ missing, fetched }: PreparedEntry): void {
    const { hot } = this.#known
    for (const { name, key, hash } of missing) {
      const known = fetched.get(name)
      if (known !== undefined && !this.#known.isDirty(key, hash)) hot.remember(key, hash, known)
    }
    hot.unpin()
  }

  beginRead(keys: readonly Uint8Array[], t: number): ReadStep {
    const places = keys.map((key): Omit<ReadPlace, 'known'> => ({
      key,
      hash: this.#known.hash(key),
      slot: slotOf(key),
    }))
    return this.#look(places, t)
  }

  #look(keys: readonly Omit<ReadPlace, 'known'>[], t: number): ReadStep {
    const places = keys.map(({ key, hash, slot }): ReadPlace => ({
      key,
      hash,
      slot,
      known: this.#known.findUsed(key, hash),
    }))
    const missing = places.filter(({ known, slot }) => known === undefined && this.#slots.isServed(slot))
    if (missing.length === 0) {
      return this.#answerReads(
        places.map((place) => ({ place, known: place.known ?? null })),
        t,
      )
    }
    const ticket: ReadTicket = {
      owner: this,
      t,
      places,
      missing,
      releases: this.#releases,
      slotStateChanges: this.#slots.stateChanges,
    }
    return {
      type: 'fetch',
      ticket,
      rows: missing.map(({ slot, key }) => ({ kind: rowKind.entry, slot, key })),
    }
  }

  completeRead(ticket: ReadTicket, rows: readonly (Uint8Array | undefined)[]): ReadStep {
    assert(ticket.owner === this, `group ${this.group}: a read of another state object`)
    assert(rows.length === ticket.missing.length, `${rows.length} rows for ${ticket.missing.length}`)
    const { t, places } = ticket
    const current = ticket.releases === this.#releases && ticket.slotStateChanges === this.#slots.stateChanges
    if (!current) return this.#look(places, t)
    const fetched = new Map<string, Known>()
    for (const [at, { key, hash }] of ticket.missing.entries()) {
      const row = rows[at]
      // What was written since the fetch began is in an overlay: nothing has been released.
      if (this.#known.isDirty(key, hash)) continue
      const known = row === undefined ? null : decodeEntryRow(key, row)
      fetched.set(keyName(key), known)
      this.#known.hot.remember(key, hash, known)
    }
    return this.#answerReads(
      places.map((place) => {
        const dirty = this.#known.findDirty(place.key, place.hash)
        const clean = place.known === undefined ? fetched.get(keyName(place.key)) : place.known
        return { place, known: (dirty === undefined ? clean : dirty) ?? null }
      }),
      t,
    )
  }

  #answerReads(
    found: readonly { readonly place: ReadPlace; readonly known: Known }[],
    wanted: number,
  ): ReadStep {
    // While the read waited for its tick the clock may have passed its t: what expired since may have been swept.
    const t = Math.max(wanted, this.#clock)
    for (const { place, known } of found)
      if (known !== null && this.#slots.isServed(place.slot) && this.#expiresUntil(known, t))
        return { type: 'tick', t }
    return { type: 'answers', answers: found.map(({ place, known }) => this.#answerRead(place, known, t)) }
  }

  #expiresUntil(entry: Entry, t: number): boolean {
    return isExpired(entry, t) && !isExpired(entry, this.#clock)
  }

  #answerRead({ slot }: ReadPlace, known: Known, t: number): Answer {
    const position = { epoch: this.#slots.epoch(slot), version: this.#lastVersion, t }
    if (!this.#slots.isServed(slot)) return { type: 'refused', code: 'MOVED', position }
    if (known === null || isExpired(known, t)) {
      this.counts.misses += 1
      return { type: 'applied', position, result: { type: 'absent' } }
    }
    this.counts.hits += 1
    return { type: 'applied', position, result: entryResult(known) }
  }

  freeze(): Frozen {
    assert(!this.#broken, `group ${this.group}: freezing behind an apply that failed`)
    assert(this.#freezes === this.#releases, `group ${this.group}: frozen twice`)
    const machine = encodeMachineHead(this.#head())
    const { overlay } = this.#known
    overlay.freeze()
    this.#deadlines.freeze()
    const entryCount = (overlay.frozen?.count ?? 0) + this.#deadlines.frozenCount
    const changeCount = entryCount + this.#slots.freeze() + this.#sessions.freeze()
    this.#freezes += 1
    const number = this.#freezes
    const changes = { [Symbol.iterator]: () => this.#frozenRows(number) }
    return { appliedIndex: this.#appliedIndex, appliedTerm: this.#appliedTerm, machine, changes, changeCount }
  }

  *#frozenRows(number: number): Generator<RowChange> {
    this.#assertFrozen(number)
    for (const change of this.#allFrozenRows()) {
      yield change
      this.#assertFrozen(number)
    }
  }

  #assertFrozen(number: number): void {
    assert(this.#freezes === number && this.#releases < number, `freeze ${number} read after its release`)
  }

  *#allFrozenRows(): Generator<RowChange> {
    yield* this.#slots.frozenRows()
    yield* this.#sessions.frozenRows()
    const { frozen } = this.#known.overlay
    assert(frozen !== null, `group ${this.group}: nothing is frozen`)
    yield* frozenEntryRows(frozen)
    yield* this.#deadlines.frozenRows()
  }

  release(): void {
    assert(this.#freezes === this.#releases + 1, `group ${this.group}: nothing to release`)
    this.#releases += 1
    this.#known.hot.adopt(this.#known.overlay.release())
    this.#deadlines.release()
    this.#slots.release()
    this.#sessions.release()
  }

  stateHash(): string {
    const slots = this.#slots.hash()
    const sessions = this.#sessions.hash()
    const numbers = [this.group, this.#clock, this.#lastVersion]
    return hashText(hashOf([...numbers, slots.low, slots.high, sessions.low, sessions.high], []))
  }

  #head(): MachineHead {
    const { count, bytes } = this.#slots.totals
    return {
      group: this.group,
      clock: this.#clock,
      lastVersion: this.#lastVersion,
      sessions: this.#sessions.size,
      answerBytes: this.#sessions.answerBytes,
      entries: count,
      entryBytes: bytes,
      slotHash: this.#slots.hash(),
      sessionHash: this.#sessions.hash(),
    }
  }

  /** Of a new machine only. */
  restore(checkpoint: ShardCheckpoint): void {
    const head = decodeMachineHead(checkpoint.machine)
    const sessionRows: CheckpointRow[] = []
    for (const row of checkpoint.rows) {
      const { slot, key, value } = row
      if (row.kind === rowKind.ownership) this.#slots.restoreOwnership(slot, key, value)
      else if (row.kind === rowKind.slot) this.#slots.restoreContent(slot, key, value)
      else if (row.kind === rowKind.session) sessionRows.push(row)
      else throw new BadStateError(`a row of kind ${row.kind}`)
    }
    this.#sessions.restore(sessionRows)
    this.#deadlines.restore()
    this.#appliedIndex = checkpoint.appliedIndex
    this.#appliedTerm = checkpoint.appliedTerm
    this.#clock = head.clock
    this.#lastVersion = head.lastVersion
    // One encoding, so equal bytes are equal heads.
    const rebuilt = encodeMachineHead(this.#head())
    if (rebuilt.some((byte, at) => byte !== checkpoint.machine[at])) {
      throw new BadStateError(
        `group ${this.group}: the rows do not add up to the head of index ${checkpoint.appliedIndex}`,
      )
    }
  }
}
