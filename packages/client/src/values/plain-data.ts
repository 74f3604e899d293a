// Refuses what would not come back equal, before anything is sent.
import { QuorateError, limits } from '@quorate/protocol'
import { valueInvalid } from './codec.ts'

/** What a codec can carry beyond what JSON has. */
export interface Carries {
  readonly bytes: boolean
  readonly nonFinite: boolean
  readonly bigInt: boolean
}

/** Deeper data overflows the stack of encoders, here or in another client. */
const DEPTH_MAX = 100
const LONE_SURROGATE = /\p{Surrogate}/u
const INT64_MIN = -(2n ** 63n)
const UINT64_MAX = 2n ** 64n - 1n

/**
 * Passes for plain data that the codec brings back deeply equal.
 * @throws QuorateError `VALUE_INVALID` or (more parts than a value may have bytes) `VALUE_TOO_LARGE`, `not-done`.
 */
export function assertPlainData(value: unknown, carries: Carries): void {
  new PlainDataCheck(carries).check(value)
}

class PlainDataCheck {
  readonly #carries: Carries
  readonly #ancestors: object[] = []
  /** Where the walk is; made into words only for a refusal. */
  readonly #path: (string | number)[] = []
  /** Every part takes a byte at least; an object that occurs often is encoded as often. */
  #parts = 0

  constructor(carries: Carries) {
    this.#carries = carries
  }

  check(value: unknown): void {
    this.#parts += 1
    if (this.#parts > limits.valueBytes) {
      throw new QuorateError('VALUE_TOO_LARGE', 'not-done', `a value has at most ${limits.valueBytes} bytes`)
    }
    switch (typeof value) {
      case 'boolean':
        return
      case 'string':
        if (LONE_SURROGATE.test(value)) this.#refuse('a string with a lone surrogate')
        return
      case 'number':
        if (Object.is(value, -0)) this.#refuse('-0')
        if (!this.#carries.nonFinite && !Number.isFinite(value)) this.#refuse(String(value))
        return
      case 'bigint':
        if (!this.#carries.bigInt) this.#refuse('a BigInt')
        if (value < INT64_MIN || value > UINT64_MAX) this.#refuse('a BigInt of more than 64 bits')
        return
      case 'object':
        if (value !== null) this.#checkObject(value)
        return
      case 'undefined':
      case 'symbol':
      case 'function':
        this.#refuse(value === undefined ? 'undefined' : `a ${typeof value}`)
    }
  }

  #checkObject(value: object): void {
    if (value instanceof Uint8Array) {
      if (!this.#carries.bytes) this.#refuse('a Uint8Array')
      return
    }
    if (this.#ancestors.includes(value)) this.#refuse('a cycle')
    if (this.#ancestors.length === DEPTH_MAX) this.#refuse(`data nested deeper than ${DEPTH_MAX}`)
    this.#ancestors.push(value)
    if (Array.isArray(value)) this.#checkArray(value)
    else this.#checkRecord(value)
    this.#ancestors.pop()
  }

  #checkArray(value: readonly unknown[]): void {
    if (Object.getPrototypeOf(value) !== Array.prototype) this.#refuse('an instance of a class')
    for (let index = 0; index < value.length; index += 1) {
      this.#path.push(index)
      if (!Object.hasOwn(value, index)) this.#refuse('a hole in an array')
      this.check(value[index])
      this.#path.pop()
    }
    // Its own keys are the indexes and `length`; another one would be dropped.
    if (Reflect.ownKeys(value).length !== value.length + 1) this.#refuse('an array with properties')
  }

  #checkRecord(value: object): void {
    if (Object.getPrototypeOf(value) !== Object.prototype) this.#refuse(describe(value))
    const keys = Object.keys(value)
    if (Reflect.ownKeys(value).length !== keys.length) this.#refuse('a symbol or hidden property')
    for (const key of keys) {
      this.#path.push(key)
      if (key === '__proto__') this.#refuse('a property named __proto__')
      if (LONE_SURROGATE.test(key)) this.#refuse('a property name with a lone surrogate')
      this.check((value as Record<string, unknown>)[key])
      this.#path.pop()
    }
  }

  #refuse(what: string): never {
    const path = this.#path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    throw valueInvalid(what, path.join(''))
  }
}

function describe(value: object): string {
  if (Object.getPrototypeOf(value) === null) return 'an object without a prototype'
  const { constructor } = value
  return `an instance of ${typeof constructor === 'function' ? constructor.name : 'a class'}`
}
