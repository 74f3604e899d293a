// Reads the little-endian fields of the wire format from bytes that nobody has checked. Throws only BadFrameError.
import { BadFrameError } from '../bad-frame-error.ts'
import { isInteger, isMilliseconds, isNatural } from './numbers.ts'
import { ownBytes } from './own-bytes.ts'
import { hexOf, IDENTITY_BYTES, textOf } from './text.ts'

/** A read position over borrowed bytes; nothing is copied unless the method says so. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    // A Buffer's `slice` is a view; a plain Uint8Array's is a copy. The frame may be either.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#offset = offset
    if (!isNatural(offset) || offset > bytes.byteLength) this.fail('an offset outside the bytes')
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  fail(what: string): never {
    throw new BadFrameError(`${what} before offset ${this.#offset} of ${this.#bytes.length}`)
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  natural(): number {
    const value = this.#f64()
    if (!isNatural(value)) this.fail('not a safe integer from 0')
    return value
  }

  positive(): number {
    const value = this.natural()
    if (value === 0) this.fail('not a safe integer from 1')
    return value
  }

  integer(): number {
    const value = this.#f64()
    if (!isInteger(value)) this.fail('not a safe integer')
    return value
  }

  milliseconds(): number {
    const value = this.#f64()
    if (!isMilliseconds(value)) this.fail('not milliseconds')
    return value
  }

  flag(): boolean {
    const value = this.u8()
    if (value > 1) this.fail('a flag that is neither 0 nor 1')
    return value === 1
  }

  /** Bits above `mask` are of no meaning yet: refused, so that a later version can give them one. */
  flags(mask: number): number {
    const value = this.u8()
    if ((value & ~mask) !== 0) this.fail('an unknown flag')
    return value
  }

  /** Passes over bytes and returns where they begin. */
  skip(length: number): number {
    return this.#take(length)
  }

  /** A view of the frame: copy it before keeping it. */
  view(length: number): Uint8Array {
    const at = this.#take(length)
    return this.#bytes.subarray(at, at + length)
  }

  /** A copy, safe to keep: it never refers to the frame, and pins at most one slab of Node's 8 KiB pool. */
  copy(length: number): Uint8Array {
    const at = this.#take(length)
    const copy = ownBytes(length)
    copy.set(this.#bytes.subarray(at, at + length))
    return copy
  }

  text(maxBytes: number): string {
    const length = this.u16()
    if (length > maxBytes) this.fail('text above its limit')
    const text = textOf(this.view(length))
    return text ?? this.fail('text that is not well-formed UTF-8')
  }

  identity(): string {
    return hexOf(this.view(IDENTITY_BYTES))
  }

  /** Asserts that nothing follows. */
  end(): void {
    if (this.remaining !== 0) this.fail('trailing bytes')
  }

  #f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  #take(length: number): number {
    const at = this.#offset
    const end = at + length
    if (end > this.#bytes.length) this.fail(`cut short: ${length} bytes wanted`)
    this.#offset = end
    return at
  }
}
