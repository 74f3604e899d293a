// The checksum that ends every value: LevelDB serves flipped bytes without a word (storage.md), so each row proves itself.
import { crc32 } from 'node:zlib'
import { asBuffer } from './row-key.ts'

export const SEAL_BYTES = 4

/** `value | crc32 u32` over the full key, which holds group and generation, and the value. */
export function sealValue(key: Uint8Array, value: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(value.length + SEAL_BYTES)
  sealed.set(value, 0)
  sealed.writeUInt32BE(crc32(value, crc32(key)), value.length)
  return sealed
}

/** The value without its checksum (a view), or null where the row is not what was written under this key. */
export function unsealValue(key: Uint8Array, sealed: Uint8Array): Uint8Array | null {
  if (sealed.length < SEAL_BYTES) return null
  const value = new Uint8Array(sealed.buffer, sealed.byteOffset, sealed.length - SEAL_BYTES)
  const expected = asBuffer(sealed).readUInt32BE(value.length)
  return crc32(value, crc32(key)) === expected ? value : null
}
