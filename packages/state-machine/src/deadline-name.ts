/**
 * A deadline and the name of its key as one text, so that texts sort as (deadline, key): eight characters of a byte each for
 * the deadline, most significant first, then the name. As bytes it is the key of a row of kind `deadline`.
 */
import { limits } from '@quorate/protocol'
import { BadStateError } from './bad-state-error.ts'
import { keyName, nameKey } from './key-name.ts'

const DEADLINE_BYTES = 8
const TWO_TO_32 = 0x1_0000_0000

export function deadlineName(deadline: number, name: string): string {
  const high = Math.floor(deadline / TWO_TO_32)
  const low = deadline >>> 0
  return (
    String.fromCharCode(
      high >>> 24,
      (high >>> 16) & 0xff,
      (high >>> 8) & 0xff,
      high & 0xff,
      low >>> 24,
      (low >>> 16) & 0xff,
      (low >>> 8) & 0xff,
      low & 0xff,
    ) + name
  )
}

/** Ms; 0 for a text that is too short to hold one. */
export function deadlineOf(text: string): number {
  if (text.length < DEADLINE_BYTES) return 0
  return word(text, 0) * TWO_TO_32 + word(text, 4)
}

export function nameOf(text: string): string {
  return text.slice(DEADLINE_BYTES)
}

export function deadlineRowKey(text: string): Uint8Array {
  return nameKey(text)
}

/** @throws BadStateError where the bytes are no deadline and key. */
export function decodeDeadlineRowKey(key: Uint8Array): string {
  const text = keyName(key)
  const deadline = deadlineOf(text)
  const nameBytes = text.length - DEADLINE_BYTES
  if (!Number.isSafeInteger(deadline) || deadline === 0 || nameBytes < 1 || nameBytes > limits.keyBytes)
    throw new BadStateError(`deadline row: key of ${key.length} bytes, deadline ${deadline}`)
  return text
}

function word(text: string, at: number): number {
  return (
    ((text.charCodeAt(at) << 24) |
      (text.charCodeAt(at + 1) << 16) |
      (text.charCodeAt(at + 2) << 8) |
      text.charCodeAt(at + 3)) >>>
    0
  )
}
