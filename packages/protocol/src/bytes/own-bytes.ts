// Memory for bytes that outlive the frame they came from or go into.

/** V8 keeps arrays up to 64 bytes on its heap; a larger one of its own costs 0.7 us, a piece of the pool 0.15 us. */
const POOLED_BYTES_MIN = 65
const POOLED_BYTES_MAX = 1024

/** Unwritten bytes: the caller fills all of them. A small array pins at most one slab of Node's 8 KiB pool. */
export function ownBytes(length: number): Uint8Array {
  if (length < POOLED_BYTES_MIN) return new Uint8Array(length)
  const bytes = length > POOLED_BYTES_MAX ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length)
}
