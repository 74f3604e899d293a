import { QuorateError } from '@quorate/protocol'

/** Turns a user's values into bytes and back. Safe integers never reach it: they travel as integers, for `incr`. */
export interface Codec {
  /** Throws `QuorateError` `VALUE_INVALID` (see `valueInvalid`) for what would not come back equal. */
  encode(value: unknown): Uint8Array
  /** `bytes` are the caller's own copy: the result may refer to them. */
  decode(bytes: Uint8Array): unknown
}

/** The refusal of a value before anything was sent. `path` says where in the value: `.user.tags[3]`. */
export function valueInvalid(what: string, path = ''): QuorateError {
  const where = path === '' ? '' : ` at value${path}`
  return new QuorateError('VALUE_INVALID', 'not-done', `${what}${where} would not come back equal`, {
    hint: 'store plain data: null, booleans, numbers, strings, arrays, plain objects, and Uint8Array unless the codec is json',
  })
}
