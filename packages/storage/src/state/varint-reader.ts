// LevelDB's variable-length integers, read from bytes that may be damaged.

/** Where a block of a table stands. */
export interface BlockHandle {
  readonly offset: number
  readonly size: number
}

/** Reads varints; a number that is none turns all that follow into NaN. */
export class VarintReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get ended(): boolean {
    return !(this.#at < this.#bytes.length)
  }

  skip(bytes: number): void {
    this.#at += bytes
  }

  number(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.#bytes[this.#at]
      if (byte === undefined) break
      this.#at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    this.#at = Number.NaN
    return Number.NaN
  }

  handle(): BlockHandle | null {
    const offset = this.number()
    const size = this.number()
    return Number.isSafeInteger(offset) && Number.isSafeInteger(size) ? { offset, size } : null
  }
}
