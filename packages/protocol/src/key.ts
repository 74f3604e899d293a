// Keys: 1 byte to 1 KiB of bytes; as text at the API, as bytes everywhere else.
import { isWellFormed, utf8 } from './bytes/text.ts'
import { QuorateError } from './errors.ts'
import { limits } from './limits.ts'

/**
 * UTF-8 of a key's text.
 * @throws QuorateError `KEY_INVALID`, `not-done`: empty, above 1,024 bytes, or with a lone surrogate.
 */
export function encodeKey(text: string): Uint8Array {
  if (typeof text !== 'string') throw invalidKey('a key must be a string')
  // No character takes less than one byte: a huge text is refused before it is copied.
  if (text.length > limits.keyBytes) throw invalidKey(`a key has at most ${limits.keyBytes} bytes`)
  const key = asciiBytes(text) ?? utf8(text)
  if (key.length !== text.length && !isWellFormed(text)) throw invalidKey('a key must be well-formed Unicode')
  assertKey(key)
  return key
}

/**
 * Passes for a key of 1 to 1,024 bytes.
 * @throws QuorateError `KEY_INVALID`, `not-done`.
 */
export function assertKey(key: Uint8Array): void {
  if (key.length === 0) throw invalidKey('a key has at least one byte')
  if (key.length > limits.keyBytes)
    throw invalidKey(`a key has at most ${limits.keyBytes} bytes, not ${key.length}`)
}

/** Most keys are ASCII, where a loop beats the encoder; null where this one is not. */
function asciiBytes(text: string): Uint8Array | null {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit > 0x7f) return null
    bytes[at] = unit
  }
  return bytes
}

function invalidKey(message: string): QuorateError {
  return new QuorateError('KEY_INVALID', 'not-done', message, {
    hint: `keys are well-formed strings (or bytes) of 1 to ${limits.keyBytes} bytes in UTF-8`,
  })
}
