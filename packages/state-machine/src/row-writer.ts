// Writes a row of known size: little endian, integers of more than 32 bits as float64.
import { assert } from './assert.ts'

export interface RowWriter {
  u8(value: number): void
  u32(value: number): void
  /** A safe integer. */
  number(value: number): void
  bytes(value: Uint8Array): void
  /** The row; asserts that exactly the announced size was written. */
  finish(): Uint8Array
}

export function rowWriter(size: number): RowWriter {
  const row = new Uint8Array(size)
  const view = new DataView(row.buffer)
  let offset = 0
  return {
    u8(value) {
      view.setUint8(offset, value)
      offset += 1
    },
    u32(value) {
      view.setUint32(offset, value, true)
      offset += 4
    },
    number(value) {
      assert(Number.isSafeInteger(value), `row: ${value} is no safe integer`)
      view.setFloat64(offset, value, true)
      offset += 8
    },
    bytes(value) {
      row.set(value, offset)
      offset += value.length
    },
    finish() {
      assert(offset === size, `row: ${offset} of ${size} bytes written`)
      return row
    },
  }
}
