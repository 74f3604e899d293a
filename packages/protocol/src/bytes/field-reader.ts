// Takes the fields of an unpacked rare frame one by one, each checked by hand. Throws only BadFrameError.
import { BadFrameError } from '../bad-frame-error.ts'
import { isNatural, U32_MAX } from './numbers.ts'
import { isIdentity } from './text.ts'

export class FieldReader {
  readonly #fields: readonly unknown[]
  #at = 0

  /** `fields` must be an array of exactly `length` fields. */
  constructor(fields: unknown, length: number) {
    if (!Array.isArray(fields)) throw new BadFrameError('not an array of fields')
    this.#fields = fields
    if (fields.length !== length) this.fail(`${length} fields expected`)
  }

  fail(what: string): never {
    throw new BadFrameError(`${what} before field ${this.#at} of ${this.#fields.length}`)
  }

  natural(max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#next()
    if (!isNatural(value) || value > max) this.fail('an integer out of range')
    return value
  }

  positive(max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.natural(max)
    if (value === 0) this.fail('an integer out of range')
    return value
  }

  u32(): number {
    return this.natural(U32_MAX)
  }

  flag(): boolean {
    const value = this.#next()
    if (typeof value !== 'boolean') this.fail('not a boolean')
    return value
  }

  /** Text of `minBytes` to `maxBytes` in UTF-8. */
  text(minBytes: number, maxBytes: number): string {
    const value = this.#next()
    if (typeof value !== 'string') this.fail('not text')
    const length = Buffer.byteLength(value)
    if (length < minBytes || length > maxBytes) this.fail('text length out of range')
    return value
  }

  identity(): string {
    const value = this.#next()
    if (!isIdentity(value)) this.fail('not 32 lower-case hex digits')
    return value
  }

  identityOrNull(): string | null {
    const value = this.#next()
    if (value !== null && !isIdentity(value)) this.fail('neither nil nor 32 lower-case hex digits')
    return value
  }

  /** One of `words`. */
  word<Word extends string>(words: readonly Word[]): Word {
    const value = this.#next()
    return words.find((word) => word === value) ?? this.fail('an unknown word')
  }

  /** Bytes of their own, safe to keep: msgpackr returns views. */
  copy(): Uint8Array {
    return new Uint8Array(this.view())
  }

  view(): Uint8Array {
    const value = this.#next()
    if (!(value instanceof Uint8Array)) this.fail('not binary')
    return value
  }

  array(): readonly unknown[] {
    const value = this.#next()
    if (!Array.isArray(value)) this.fail('not an array')
    return value
  }

  #next(): unknown {
    const value = this.#fields[this.#at]
    this.#at += 1
    return value
  }
}
