// CRC-32C (Castagnoli), which LevelDB's files use and node:zlib lacks; table-driven, four bytes at a step.

const MASK_DELTA = 0xa282_ead8
const POLYNOMIAL = 0x82f6_3b78
const TABLES: Tables = buildTables()

type Tables = readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array]

export function crc32c(bytes: Uint8Array): number {
  const [last, third, second, first] = TABLES
  let crc = 0xffff_ffff
  let at = 0
  for (const end = bytes.length - 3; at < end; at += 4) {
    crc ^=
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    crc =
      (first[crc & 0xff] ?? 0) ^
      (second[(crc >>> 8) & 0xff] ?? 0) ^
      (third[(crc >>> 16) & 0xff] ?? 0) ^
      (last[crc >>> 24] ?? 0)
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ (last[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0)
  return ~crc >>> 0
}

/** As LevelDB stores it (util/crc32c.h), so that a checksum over checksums stays useful. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes)
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0
}

/** The first table steps over one byte; each further one is the one before it with a byte of zeros behind. */
function buildTables(): Tables {
  const base = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ POLYNOMIAL
    return crc
  })
  const behind = (table: Uint32Array): Uint32Array =>
    table.map((crc) => (crc >>> 8) ^ (base[crc & 0xff] ?? 0))
  const second = behind(base)
  const third = behind(second)
  return [base, second, third, behind(third)]
}
