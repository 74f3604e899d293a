// Key -> slot, as Redis Cluster does it, so that existing clients can route (Redis Cluster specification, key distribution model).
import { limits } from './limits.ts'

const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** CRC-16/XMODEM: polynomial 0x1021, initial value 0, not reflected. */
const POLYNOMIAL = 0x1021

const table: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 8
  for (let bit = 0; bit < 8; bit += 1) {
    remainder = (remainder & 0x8000) === 0 ? remainder << 1 : (remainder << 1) ^ POLYNOMIAL
  }
  return remainder
})

/** CRC-16/XMODEM of `bytes[start..end)`; of `123456789` it is 0x31C3. */
export function crc16(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0
  for (let at = start; at < end; at += 1) {
    crc = ((crc << 8) ^ (table[((crc >> 8) ^ (bytes[at] ?? 0)) & 0xff] ?? 0)) & 0xffff
  }
  return crc
}

/**
 * The slot (0..16383) of a key: crc16 of its hash tag, or of the whole key, mod 16384. The hash tag is what stands
 * between the first `{` and the first `}` behind it; an empty one counts as none.
 */
export function slotOf(key: Uint8Array): number {
  return slotAt(key, 0, key.length)
}

/** As `slotOf`, of the key bytes[at..at + length). */
export function slotAt(bytes: Uint8Array, at: number, length: number): number {
  const end = at + length
  let crc = 0
  for (let place = at; place < end; place += 1) {
    const byte = bytes[place] ?? 0
    if (byte === OPEN_BRACE) return slotOfTag(bytes, at, end, place)
    crc = ((crc << 8) ^ (table[(crc >> 8) ^ byte] ?? 0)) & 0xffff
  }
  return crc % limits.slots
}

/** Of a key whose first `{` is at `open`. */
function slotOfTag(bytes: Uint8Array, at: number, end: number, open: number): number {
  let close = open + 1
  while (close < end && bytes[close] !== CLOSE_BRACE) close += 1
  const isTag = close < end && close > open + 1
  return (isTag ? crc16(bytes, open + 1, close) : crc16(bytes, at, end)) % limits.slots
}
