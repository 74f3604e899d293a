// A user's value and what travels of it.
import { QuorateError, type Value, limits } from '@quorate/protocol'
import { isPlaceholder } from '../fill/placeholder.ts'
import type { Codec } from './codec.ts'
import { jsonCodec } from './json.ts'
import { createMsgpackCodec } from './msgpack.ts'
import { rawCodec } from './raw.ts'

export type CodecName = 'msgpack' | 'json' | 'raw'

export function resolveCodec(codec: CodecName | Codec | undefined): Codec {
  switch (codec) {
    case undefined:
    case 'msgpack':
      return createMsgpackCodec()
    case 'json':
      return jsonCodec
    case 'raw':
      return rawCodec
    default:
      if (typeof codec === 'object' && typeof codec.encode === 'function') return codec
      throw new QuorateError(
        'ARGUMENT_INVALID',
        'not-done',
        'codec is msgpack, json, raw or an object with encode and decode',
      )
  }
}

/**
 * Whatever the codec, a safe integer travels as an integer, so that `incr` after `set(5)` works.
 * @throws QuorateError `VALUE_INVALID` or `VALUE_TOO_LARGE`, `not-done`.
 */
export function encodeUserValue(value: unknown, codec: Codec): Value {
  if (Number.isSafeInteger(value) && !Object.is(value, -0))
    return { type: 'integer', integer: value as number }
  const encoded = codec.encode(value)
  if (encoded.byteLength > limits.valueBytes) {
    throw new QuorateError(
      'VALUE_TOO_LARGE',
      'not-done',
      `a value has at most ${limits.valueBytes} bytes, this one ${encoded.byteLength}`,
      { hint: 'split it, or store a reference to where it lies' },
    )
  }
  if (isPlaceholder(encoded))
    throw new QuorateError('VALUE_INVALID', 'not-done', 'these bytes mark a key that is being loaded')
  // Perhaps the caller's own array: the draft is a copy before the operation returns to the caller.
  return { type: 'bytes', bytes: encoded }
}

/** @throws QuorateError `VALUE_INVALID`, `not-done`, if the bytes are not of this codec. */
export function decodeUserValue(value: Value, codec: Codec): unknown {
  if (value.type === 'integer') return value.integer
  try {
    return codec.decode(value.bytes)
  } catch (error) {
    throw new QuorateError(
      'VALUE_INVALID',
      'not-done',
      'the stored bytes cannot be decoded with this codec',
      {
        cause: error,
        hint: 'read the key with the codec it was written with',
      },
    )
  }
}
