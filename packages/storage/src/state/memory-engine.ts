// The memory twin of LevelDB: the same port, answers after a random delay and so in random order.
import type { Random, Timers } from '@quorate/runtime'
import type { MemoryDirectory, RowOperation } from './memory-directory.ts'
import { ReadLimit } from './read-limit.ts'
import type { RawRow, RowBatch, RowEngine, RowView } from './row-engine.ts'

export interface MemoryEngineOptions {
  readonly timers: Timers
  readonly random: Random
  /** Bounds in ms of what an operation takes; read at each. */
  readonly latency: () => { readonly minMs: number; readonly maxMs: number }
}

/** As LevelDB's engine. */
const READS_IN_FLIGHT_MAX = 4
const VIEW_READ_BYTES = 64 * 1024

export class MemoryEngine implements RowEngine {
  readonly #directory: MemoryDirectory
  readonly #options: MemoryEngineOptions
  /** A crash gives the directory a new number; what belongs to an older one never answers. */
  readonly #incarnation: number
  readonly #reads: ReadLimit = new ReadLimit(READS_IN_FLIGHT_MAX)

  constructor(directory: MemoryDirectory, options: MemoryEngineOptions) {
    this.#directory = directory
    this.#options = options
    this.#incarnation = directory.incarnation
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    // LevelDB answers from some moment between question and answer: both ends are tried.
    const read = (): (Uint8Array | undefined)[] => keys.map((key) => this.#directory.rows.get(key)?.slice())
    return this.#reads.run(() => {
      const early = this.#options.random.next() < 0.5 ? read() : null
      return this.#later(() => early ?? read())
    })
  }

  newBatch(): RowBatch {
    const operations: RowOperation[] = []
    return {
      put: (key, value) => {
        operations.push([key, new Uint8Array(value)])
      },
      del: (key) => {
        operations.push([key, null])
      },
      write: () => this.#write(operations),
      discard: async () => {},
    }
  }

  openView(from: Uint8Array, to: Uint8Array): RowView {
    const rows = this.#directory.rows.range(from, to)
    let at = 0
    return {
      next: (rowsMax) =>
        this.#reads.run(() =>
          this.#later(() => {
            const page = takePage(rows, at, rowsMax)
            at += page.length
            return page
          }),
        ),
      seek: (key) => {
        at = firstAtOrAbove(rows, key)
      },
      close: async () => {},
    }
  }

  verifyFiles(): Promise<string | null> {
    return this.#later(() => null)
  }

  endOfTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.timers.endOfTurn(() => {
        if (this.#alive()) resolve()
      })
    })
  }

  async close(): Promise<void> {
    await this.#later(() => {
      this.#directory.locked = false
      this.#directory.incarnation += 1
    })
  }

  async #write(operations: readonly RowOperation[]): Promise<void> {
    const directory = this.#directory
    directory.begin(operations)
    await this.#later(() => {
      if (directory.failWriteIn > 0) {
        directory.failWriteIn -= 1
        if (directory.failWriteIn === 0) {
          // As with a real failed write, nobody knows what a later start will find.
          if (this.#options.random.next() < 0.5) directory.becomeVisible()
          directory.complete()
          throw new Error('EIO: the write was made to fail')
        }
      }
      directory.becomeVisible()
    })
    await this.#later(() => directory.complete())
  }

  #later<Result>(act: () => Result): Promise<Result> {
    const { timers, random } = this.#options
    const { minMs, maxMs } = this.#options.latency()
    return new Promise((resolve, reject) => {
      timers.after(minMs + random.next() * (maxMs - minMs), () => {
        if (!this.#alive()) return
        try {
          resolve(act())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  #alive(): boolean {
    return this.#directory.incarnation === this.#incarnation
  }
}

function firstAtOrAbove(rows: readonly RawRow[], key: Uint8Array): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const row = rows[middle]
    if (row !== undefined && Buffer.compare(row[0], key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function takePage(rows: readonly RawRow[], from: number, rowsMax: number): RawRow[] {
  const page: RawRow[] = []
  let bytes = 0
  for (let at = from; at < rows.length && page.length < rowsMax && bytes <= VIEW_READ_BYTES; at += 1) {
    const row = rows[at]
    if (row === undefined) break
    page.push([row[0], row[1].slice()])
    bytes += row[0].length + row[1].length
  }
  return page
}
