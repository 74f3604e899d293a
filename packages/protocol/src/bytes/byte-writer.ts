// Writes the little-endian fields of the wire format. What does not fit its field is a programming mistake: it asserts.
import assert from 'node:assert/strict'
import { ownBytes } from './own-bytes.ts'
import { isInteger, isMilliseconds, isNatural, U16_MAX, U32_MAX, U8_MAX } from './numbers.ts'
import { bytesOfHex, isIdentity, isWellFormed, utf8 } from './text.ts'

/** A buffer with a write position. `finish` gives what was written and ends the writer. */
export class ByteWriter {
  #scratch: Scratch
  #bytes: Uint8Array
  #view: DataView
  #offset = 0

  /** The capacity is a guess: more is made where it does not suffice. `own`: for a writer that lives long and never finishes. */
  constructor(capacityBytes: number, memory: 'scratch' | 'own' = 'scratch') {
    this.#scratch = memory === 'own' ? makeScratch(capacityBytes) : takeScratch(capacityBytes)
    this.#bytes = this.#scratch.bytes
    this.#view = this.#scratch.view
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

  /** Bytes that another writer wrote, from its offset `start` to `end`. */
  copy(from: ByteWriter, start: number, end: number): void {
    this.raw(from.written(start, end))
  }

  /** A view of what was written: it changes with the writer. */
  written(start: number, end: number): Uint8Array {
    if (start < 0 || start > end || end > this.#offset) assert.fail(`nobody wrote ${start} to ${end}`)
    return this.#bytes.subarray(start, end)
  }

  /** Writes over an earlier `u32`. */
  replaceU32(at: number, value: number, field: string): void {
    if (!isNatural(value) || value > U32_MAX) failNumber(value, field)
    if (at + 4 > this.#offset) assert.fail(`nobody wrote ${field} yet`)
    this.#view.setUint32(at, value, true)
  }

  /** Writes over an earlier `natural`. */
  replaceNatural(at: number, value: number, field: string): void {
    if (!isNatural(value)) failNumber(value, field)
    if (at + 8 > this.#offset) assert.fail(`nobody wrote ${field} yet`)
    this.#view.setFloat64(at, value, true)
  }

  /** Forgets what was written; the memory stays. */
  rewind(): void {
    this.#offset = 0
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

  /** What was written, in bytes of its own. Nothing may be written behind it. */
  finish(): Uint8Array {
    const length = this.#offset
    const own = ownBytes(length)
    own.set(this.#bytes.subarray(0, length))
    giveBack(this.#scratch)
    this.#offset = Number.POSITIVE_INFINITY
    return own
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
    if (this.#offset === Number.POSITIVE_INFINITY) assert.fail('a writer was used behind its end')
    const grown = makeScratch(Math.max(this.#offset, this.#bytes.length * 2))
    grown.bytes.set(this.#bytes)
    this.#scratch = grown
    this.#bytes = grown.bytes
    this.#view = grown.view
  }
}

interface Scratch {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/**
 * Where writers work. Fresh memory off V8's heap costs 0.7 us and its zeros; with scratch used again a writer pays for one
 * copy of what it wrote, of exactly that size. Writers nest, so there is more than one; a writer that failed keeps its own.
 */
const free: Scratch[] = []
const SCRATCH_BYTES_MIN = 65_536
/** Larger ones are rare and not worth keeping. */
const SCRATCH_BYTES_KEPT_MAX = 8_388_608
const SCRATCHES_KEPT_MAX = 4

function takeScratch(capacityBytes: number): Scratch {
  const last = free.pop()
  if (last !== undefined && last.bytes.length >= capacityBytes) return last
  return makeScratch(Math.max(capacityBytes, SCRATCH_BYTES_MIN))
}

function makeScratch(capacityBytes: number): Scratch {
  const bytes = Buffer.allocUnsafeSlow(capacityBytes)
  return {
    bytes: new Uint8Array(bytes.buffer),
    view: new DataView(bytes.buffer),
  }
}

function giveBack(scratch: Scratch): void {
  if (free.length < SCRATCHES_KEPT_MAX && scratch.bytes.length <= SCRATCH_BYTES_KEPT_MAX) free.push(scratch)
}

function failNumber(value: unknown, field: string): never {
  assert.fail(`${field} does not fit its field on the wire: ${String(value)}`)
}
