// Checksums that depend on the place: a misplaced, foreign or left-over record is not valid (G11).
import zlib from 'node:zlib'

/**
 * The start value for what lies at `offset` of `segment`. A CRC with another start value differs for certain, and both
 * multipliers are odd: within a segment no two offsets share one.
 */
export function seedAt(directorySeed: number, segment: number, offset: number): number {
  return (directorySeed ^ Math.imul(segment, 0x9e3779b1) ^ Math.imul(offset, 0x85ebca6b)) >>> 0
}

export function seedOf(dirId: Uint8Array): number {
  return zlib.crc32(dirId)
}

export function checksum(bytes: Uint8Array, start: number): number {
  return zlib.crc32(bytes, start)
}
