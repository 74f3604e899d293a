// A frozen view of one generation, page by page, every row checked as it passes.
import { type RawRow, type RowView, UnreadableRowError } from './row-engine.ts'
import { rowPlace, userKey } from './row-key.ts'
import { unsealValue } from './row-seal.ts'
import { DamagedRowError, type StateRow, type StateSnapshot } from './state-store.ts'

/** Rows asked for at a time; the engine also stops at its own byte limit. */
const READ_ROWS = 256

export class RowSnapshot implements StateSnapshot {
  readonly #view: RowView
  readonly #group: number
  readonly #generation: number
  readonly #failed: (error: unknown) => Error
  /** Rows read from the view and not yet returned. */
  #waiting: StateRow[] = []
  #previous: Uint8Array | null = null
  #ended = false
  #closed = false

  constructor(view: RowView, group: number, generation: number, failed: (error: unknown) => Error) {
    this.#view = view
    this.#group = group
    this.#generation = generation
    this.#failed = failed
  }

  async next(maxBytes: number): Promise<readonly StateRow[]> {
    const page: StateRow[] = []
    let bytes = 0
    for (;;) {
      if (this.#waiting.length === 0) await this.#read()
      const row = this.#waiting[0]
      if (row === undefined) return page
      bytes += row.key.length + row.value.length
      if (page.length > 0 && bytes > maxBytes) return page
      page.push(row)
      this.#waiting.shift()
    }
  }

  close(): Promise<void> {
    this.#ended = true
    this.#closed = true
    return this.#view.close()
  }

  async #read(): Promise<void> {
    if (this.#ended) return
    let rows: readonly RawRow[]
    try {
      rows = await this.#view.next(READ_ROWS)
    } catch (error) {
      // Closed while the page was waited for: that is the end of this view, not a failure of the store.
      if (this.#closed) return
      if (error instanceof UnreadableRowError) throw new DamagedRowError(this.#group, error.message)
      throw this.#failed(error)
    }
    this.#ended = rows.length === 0
    this.#waiting = rows.map((row) => this.#check(row))
  }

  #check([key, sealed]: RawRow): StateRow {
    const place = rowPlace(key)
    const value = unsealValue(key, sealed)
    const ordered = this.#previous === null || Buffer.compare(this.#previous, key) < 0
    this.#previous = key
    if (
      place === null ||
      value === null ||
      place.group !== this.#group ||
      place.generation !== this.#generation ||
      !ordered
    ) {
      throw new DamagedRowError(
        this.#group,
        `a row of group ${this.#group}, generation ${this.#generation} fails its checksum`,
      )
    }
    return { kind: place.kind, slot: place.slot, key: userKey(key), value }
  }
}
