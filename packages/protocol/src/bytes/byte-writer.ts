// Writes the little-endian fields of the wire format. What does not fit its field is a programming mistake: it asserts.
import assert from 'node:assert/strict'
import { isInteger, isMilliseconds, isNatural, U16_MAX, U32_MAX, U8_MAX } from './numbers.ts'
import { bytesOfHex, isIdentity, isWellFormed, utf8 } from './text.ts'

/** A buffer with a write position. With the exact size as capacity nothing is ever copied. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #offset = 0

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(Math.max(capacityBytes, 16))
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#offset
  }

  u8(value: number, field: string): void {
    if (!isNatural(value) || value > U8_MAX) failNumber(value, field)
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }

  u16(value: number, field: string): void {
    if (!isNatural(value) || value > U16_MAX) failNumber(value, field)
    const at = this.#reserve(2)
    this.#view.setUint16(at, value, true)
  }

  u32(value: number, field: string): void {
    if (!isNatural(value) || value > U32_MAX) failNumber(value, field)
    const at = this.#reserve(4)
    this.#view.setUint32(at, value, true)
  }

  /** A safe integer from 0, as float64. */
  natural(value: number, field: string): void {
    if (!isNatural(value)) failNumber(value, field)
    this.#f64(value)
  }

  /** A safe integer from 1, as float64. */
  positive(value: number, field: string): void {
    if (!isNatural(value) || value === 0) failNumber(value, field)
    this.#f64(value)
  }

  /** A safe integer of either sign, as float64. */
  integer(value: number, field: string): void {
    if (!isInteger(value)) failNumber(value, field)
    this.#f64(value)
  }

  milliseconds(value: number, field: string): void {
    if (!isMilliseconds(value)) failNumber(value, field)
    this.#f64(value)
  }

  flag(value: boolean): void {
    this.#view.setUint8(this.#reserve(1), value ? 1 : 0)
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** `length u16 | UTF-8`. */
  text(text: string, maxBytes: number, field: string): void {
    const bytes = utf8(text)
    if (!isWellFormed(text) || bytes.length > maxBytes) {
      assert.fail(`${field} must be well-formed text of at most ${maxBytes} bytes, not ${bytes.length}`)
    }
    this.u16(bytes.length, field)
    this.raw(bytes)
  }

  /** 16 bytes of 32 hex digits. */
  identity(id: string, field: string): void {
    if (!isIdentity(id)) assert.fail(`${field} must be 32 lower-case hex digits, not ${JSON.stringify(id)}`)
    this.raw(bytesOfHex(id))
  }

  /** What was written, in a buffer of its own. */
  finish(): Uint8Array {
    return this.#offset === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, this.#offset)
  }

  #f64(value: number): void {
    const at = this.#reserve(8)
    this.#view.setFloat64(at, value, true)
  }

  #reserve(length: number): number {
    const at = this.#offset
    this.#offset = at + length
    if (this.#offset > this.#bytes.length) this.#grow()
    return at
  }

  #grow(): void {
    const grown = new Uint8Array(Math.max(this.#offset, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

function failNumber(value: unknown, field: string): never {
  assert.fail(`${field} does not fit its field on the wire: ${String(value)}`)
}
