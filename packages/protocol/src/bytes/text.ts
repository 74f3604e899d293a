// Well-formed text and identities on the wire.
import { isUtf8 } from 'node:buffer'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()
const IDENTITY = /^[0-9a-f]{32}$/
/** With the flag u a surrogate pair is one code point, so this finds lone surrogates only. */
const LONE_SURROGATE = /\p{Surrogate}/u

/** Bytes of an identity (cluster id, dirId) on the wire. */
export const IDENTITY_BYTES = 16

/** False for text with a lone surrogate: UTF-8 cannot hold it and it would come back as another text. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}

/** 32 lower-case hex digits. */
export function isIdentity(value: unknown): value is string {
  return typeof value === 'string' && IDENTITY.test(value)
}

/** UTF-8 of well-formed text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Null where the bytes are not well-formed UTF-8. */
export function textOf(bytes: Uint8Array): string | null {
  return isUtf8(bytes) ? decoder.decode(bytes) : null
}

/** Lower-case hex of any bytes. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

export function bytesOfHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
