/**
 * Hashes for comparing replicas, not against attackers: two independent 32-bit lanes of MurmurHash3 (Appleby, public
 * domain), combined by sums, so that the order in which a state was built does not show (rule 21).
 */
export interface Hash {
  readonly low: number
  readonly high: number
}

/** Seeds of the two lanes. Part of what replicas must agree on. */
export const laneSeeds = { low: 0x9747b28c, high: 0x3c6ef372 } as const

/** A sum of hashes; adding and subtracting in any order gives the same. */
export interface HashSum {
  low: number
  high: number
}

export function emptySum(): HashSum {
  return { low: 0, high: 0 }
}

export function addHash(sum: HashSum, hash: Hash): void {
  sum.low = (sum.low + hash.low) >>> 0
  sum.high = (sum.high + hash.high) >>> 0
}

export function subtractHash(sum: HashSum, hash: Hash): void {
  sum.low = (sum.low - hash.low) >>> 0
  sum.high = (sum.high - hash.high) >>> 0
}

/** One lane over bytes, continuing from `hash`. */
export function hashBytes(hash: number, bytes: Uint8Array): number {
  const words = bytes.length >>> 2
  let lane = hash
  for (let word = 0; word < words; word++) {
    const at = word << 2
    lane = mixWord(
      lane,
      (bytes[at] ?? 0) |
        ((bytes[at + 1] ?? 0) << 8) |
        ((bytes[at + 2] ?? 0) << 16) |
        ((bytes[at + 3] ?? 0) << 24),
    )
  }
  let tail = 0
  for (let at = bytes.length - 1; at >= words << 2; at--) tail = (tail << 8) | (bytes[at] ?? 0)
  // The length makes [1] and [1, 0] different.
  return mixWord(mixWord(lane, tail), bytes.length)
}

/** What two lanes are while they are fed; used again by whoever hashes much. */
export interface Lanes {
  low: number
  high: number
}

/** Both lanes over bytes in one walk; each becomes what `hashBytes` would have made of it. */
export function hashBytesInto(lanes: Lanes, bytes: Uint8Array): void {
  hashRangeInto(lanes, bytes, 0, bytes.length)
}

/** As `hashBytesInto`, over bytes[at..at + length). */
export function hashRangeInto(lanes: Lanes, bytes: Uint8Array, at: number, length: number): void {
  let { low, high } = lanes
  const end = at + length
  const whole = at + (length & ~3)
  for (let from = at; from < whole; from += 4) {
    const word = scrambled(
      (bytes[from] ?? 0) |
        ((bytes[from + 1] ?? 0) << 8) |
        ((bytes[from + 2] ?? 0) << 16) |
        ((bytes[from + 3] ?? 0) << 24),
    )
    low = mixed(low, word)
    high = mixed(high, word)
  }
  let tail = 0
  for (let from = end - 1; from >= whole; from--) tail = (tail << 8) | (bytes[from] ?? 0)
  const [last, size] = [scrambled(tail), scrambled(length)]
  lanes.low = mixed(mixed(low, last), size)
  lanes.high = mixed(mixed(high, last), size)
}

/** As `hashRangeInto`, and copies the bytes on the way: each is read once. */
export function copyAndHashInto(
  lanes: Lanes,
  from: DataView,
  fromAt: number,
  length: number,
  to: DataView,
  toAt: number,
): void {
  let { low, high } = lanes
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    const bytes = from.getInt32(fromAt + at, true)
    to.setInt32(toAt + at, bytes, true)
    const word = scrambled(bytes)
    low = mixed(low, word)
    high = mixed(high, word)
  }
  let tail = 0
  for (let at = length - 1; at >= whole; at--) {
    const byte = from.getUint8(fromAt + at)
    to.setUint8(toAt + at, byte)
    tail = (tail << 8) | byte
  }
  const last = scrambled(tail)
  const size = scrambled(length)
  lanes.low = mixed(mixed(low, last), size)
  lanes.high = mixed(mixed(high, last), size)
}

/** Both lanes over a safe integer. */
export function hashNumberInto(lanes: Lanes, value: number): void {
  const lowWord = scrambled(value >>> 0)
  const highWord = scrambled(Math.floor(value / 0x1_0000_0000) | 0)
  lanes.low = mixed(mixed(lanes.low, lowWord), highWord)
  lanes.high = mixed(mixed(lanes.high, lowWord), highWord)
}

/** One lane over a safe integer, continuing from `hash`. */
export function hashNumber(hash: number, value: number): number {
  return mixWord(mixWord(hash, value >>> 0), Math.floor(value / 0x1_0000_0000) | 0)
}

/** Ends a lane: every input bit reaches every output bit. */
export function finishHash(hash: number): number {
  let lane = hash
  lane = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b)
  lane = Math.imul(lane ^ (lane >>> 13), 0xc2b2ae35)
  return (lane ^ (lane >>> 16)) >>> 0
}

export function hashOf(numbers: readonly number[], bytes: readonly Uint8Array[]): Hash {
  return { low: laneOf(laneSeeds.low, numbers, bytes), high: laneOf(laneSeeds.high, numbers, bytes) }
}

function laneOf(seed: number, numbers: readonly number[], bytes: readonly Uint8Array[]): number {
  let lane: number = seed
  for (const number of numbers) lane = hashNumber(lane, number)
  for (const run of bytes) lane = hashBytes(lane, run)
  return finishHash(lane)
}

/** 16 hex digits. */
export function hashText(hash: Hash): string {
  return hash.high.toString(16).padStart(8, '0') + hash.low.toString(16).padStart(8, '0')
}

function mixWord(hash: number, word: number): number {
  return mixed(hash, scrambled(word))
}

/** The part of mixing a word in that does not depend on the lane. */
function scrambled(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

function mixed(hash: number, word: number): number {
  const lane = hash ^ word
  return (Math.imul((lane << 13) | (lane >>> 19), 5) + 0xe6546b64) | 0
}
