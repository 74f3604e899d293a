// Reads a row that came from the store: everything is checked, and nothing it returns shares memory with the row.
import { BadStateError } from './bad-state-error.ts'

export interface RowReader {
  u8(): number
  u32(): number
  /** A safe integer at or above `least`. */
  number(least?: number): number
  /** A copy of the next `length` bytes. */
  bytes(length: number): Uint8Array
  readonly remaining: number
  /** Rejects trailing bytes. */
  end(): void
}

export function rowReader(row: Uint8Array, name: string): RowReader {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength)
  let offset = 0
  const take = (length: number): number => {
    if (offset + length > row.length) throw new BadStateError(`${name}: ${row.length} bytes are too few`)
    offset += length
    return offset - length
  }
  return {
    u8: () => view.getUint8(take(1)),
    u32: () => view.getUint32(take(4), true),
    number(least = 0) {
      const value = view.getFloat64(take(8), true)
      // One encoding for each number: -0 is never written.
      if (!Number.isSafeInteger(value) || value < least || Object.is(value, -0))
        throw new BadStateError(`${name}: number ${value}`)
      return value
    },
    // A Buffer's own `slice` would share memory and keep the store's whole block alive.
    bytes: (length) => {
      const from = take(length)
      return new Uint8Array(row.subarray(from, from + length))
    },
    get remaining() {
      return row.length - offset
    },
    end() {
      if (offset !== row.length) throw new BadStateError(`${name}: ${row.length - offset} bytes too many`)
    },
  }
}
