// A history in columns: a few bytes per operation, so that a million of them fit beside a search.
import type { Coded, Machine, Model } from '../models/model.ts'
import { FieldProblem, HistoryError } from './history-error.ts'
import type { HistoryRecord } from './record.ts'
import { Values } from './values.ts'

/** The return of an operation that may still happen. */
export const OPEN_RETURN: number = Infinity

const FIRST_ROWS = 1_024
/** Columns of each kind. */
const TIMES = 5
const NUMBERS = 8

/** An operation as reports need it. */
export interface Row {
  readonly line: number
  readonly process: string
  readonly key: string
  readonly call: number
  /** OPEN_RETURN: its outcome is unknown. */
  readonly return: number
  readonly coded: Coded
}

/**
 * Operations that certainly did not happen are counted and forgotten, and so are those of unknown outcome that would have had
 * no effect: neither can make a history legal or illegal.
 */
export class History {
  readonly model: Model
  readonly machine: Machine
  readonly values: Values = new Values()
  readonly keys: string[] = []
  /** Lines read, by type. */
  readonly counts: { ok: number; fail: number; info: number } = { ok: 0, fail: 0, info: 0 }
  /** Rows kept; a row is a number below this. */
  size = 0
  #capacity = FIRST_ROWS
  /** call, return, epoch, version, clock of a row. */
  #times = new Float64Array(FIRST_ROWS * TIMES)
  /** line, process, key, kind, changes, argument, extra, result of a row. */
  #numbers = new Int32Array(FIRST_ROWS * NUMBERS)
  readonly #keyIds = new Map<string, number>()
  readonly #processes: string[] = []
  readonly #processIds = new Map<string, number>()

  constructor(model: Model) {
    this.model = model
    this.machine = model.start(this.values)
  }

  /** Throws `HistoryError` where the record is none of the model's. */
  append(record: HistoryRecord, line: number): void {
    const coded = this.#encode(record, line)
    this.counts[record.type] += 1
    if (record.type === 'fail' || (record.type === 'info' && !coded.changes)) return
    if (this.size === this.#capacity) this.#grow()
    const times = this.size * TIMES
    this.#times[times] = record.call
    this.#times[times + 1] = record.return ?? OPEN_RETURN
    this.#times[times + 2] = record.epoch ?? NaN
    this.#times[times + 3] = record.version ?? NaN
    this.#times[times + 4] = record.clock ?? NaN
    const numbers = this.size * NUMBERS
    this.#numbers[numbers] = line
    this.#numbers[numbers + 1] = idIn(this.#processIds, this.#processes, record.process)
    this.#numbers[numbers + 2] = idIn(this.#keyIds, this.keys, record.key)
    this.#numbers[numbers + 3] = coded.kind
    this.#numbers[numbers + 4] = coded.changes ? 1 : 0
    this.#numbers[numbers + 5] = coded.argument
    this.#numbers[numbers + 6] = coded.extra
    this.#numbers[numbers + 7] = coded.result
    this.size += 1
  }

  /** The rows of each key, in the order of the lines. */
  rowsByKey(): Int32Array[] {
    const counts = new Int32Array(this.keys.length)
    for (let row = 0; row < this.size; row += 1)
      counts[this.#keyOf(row)] = (counts[this.#keyOf(row)] ?? 0) + 1
    const rows = Array.from(counts, (count) => new Int32Array(count))
    const filled = new Int32Array(this.keys.length)
    for (let row = 0; row < this.size; row += 1) {
      const key = this.#keyOf(row)
      const at = filled[key] ?? 0
      const list = rows[key]
      if (list !== undefined) list[at] = row
      filled[key] = at + 1
    }
    return rows
  }

  callOf(row: number): number {
    return this.#times[row * TIMES] ?? NaN
  }

  returnOf(row: number): number {
    return this.#times[row * TIMES + 1] ?? NaN
  }

  /** NaN where the system does not say. */
  epochOf(row: number): number {
    return this.#times[row * TIMES + 2] ?? NaN
  }

  versionOf(row: number): number {
    return this.#times[row * TIMES + 3] ?? NaN
  }

  clockOf(row: number): number {
    return this.#times[row * TIMES + 4] ?? NaN
  }

  codedOf(row: number): Coded {
    const at = row * NUMBERS
    const numbers = this.#numbers
    const clock = this.clockOf(row)
    return {
      kind: numbers[at + 3] ?? 0,
      changes: numbers[at + 4] === 1,
      argument: numbers[at + 5] ?? 0,
      extra: numbers[at + 6] ?? 0,
      result: numbers[at + 7] ?? 0,
      clock: Number.isNaN(clock) || this.returnOf(row) === OPEN_RETURN ? -1 : clock,
    }
  }

  row(row: number): Row {
    return {
      line: this.#numbers[row * NUMBERS] ?? 0,
      process: this.#processes[this.#numbers[row * NUMBERS + 1] ?? 0] ?? '',
      key: this.keys[this.#keyOf(row)] ?? '',
      call: this.callOf(row),
      return: this.returnOf(row),
      coded: this.codedOf(row),
    }
  }

  #keyOf(row: number): number {
    return this.#numbers[row * NUMBERS + 2] ?? 0
  }

  #encode(record: HistoryRecord, line: number): Coded {
    try {
      // What certainly did not happen has no result to look at.
      return this.machine.encode(record.type === 'fail' ? { ...record, type: 'info' } : record)
    } catch (error) {
      if (error instanceof FieldProblem) throw new HistoryError(line, error.field, error.message)
      throw error
    }
  }

  #grow(): void {
    this.#capacity *= 2
    const times = new Float64Array(this.#capacity * TIMES)
    times.set(this.#times)
    this.#times = times
    const numbers = new Int32Array(this.#capacity * NUMBERS)
    numbers.set(this.#numbers)
    this.#numbers = numbers
  }
}

function idIn(ids: Map<string, number>, names: string[], name: string): number {
  let id = ids.get(name)
  if (id === undefined) {
    id = names.push(name) - 1
    ids.set(name, id)
  }
  return id
}
