// What stands at a key while somebody loads its value: its version is the lease's fencing token.
import type { Value } from '@quorate/protocol'

/** 0xc1 begins nothing in MessagePack, and no UTF-8 either. */
const MARK = Uint8Array.of(0xc1, ...new TextEncoder().encode('quorate fill'))
const BYTES = MARK.byteLength + 8

/** `leaseUntil`: log time, ms, until which the one who wrote it is left to load. */
export function placeholder(leaseUntil: number): Value {
  const bytes = new Uint8Array(BYTES)
  bytes.set(MARK)
  new DataView(bytes.buffer).setFloat64(MARK.byteLength, leaseUntil)
  return { type: 'bytes', bytes }
}

/** Null: it is a user's value. */
export function leaseUntilIn(value: Value): number | null {
  if (value.type !== 'bytes' || !isPlaceholder(value.bytes)) return null
  const { buffer, byteOffset } = value.bytes
  return new DataView(buffer, byteOffset).getFloat64(MARK.byteLength)
}

export function isPlaceholder(bytes: Uint8Array): boolean {
  return (
    bytes.byteLength === BYTES && bytes[0] === MARK[0] && MARK.every((byte, index) => bytes[index] === byte)
  )
}
