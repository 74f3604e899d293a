/**
 * Where a key lies in this process's tables: HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"),
 * keyed, so that nobody who does not know the seed can choose keys that all fall into one place. Never part of replicated
 * state, and nothing that replicas must agree on follows from it.
 */
export interface KeySeed {
  /** 32 bits each. */
  readonly low: number
  readonly high: number
}

const TWO_TO_32 = 0x1_0000_0000

/** From a number in [0, 1) that nobody outside knows, all 53 bits of it. */
export function keySeedOf(random: number): KeySeed {
  const upper = random * TWO_TO_32
  const low = Math.floor(upper)
  return { low: low | 0, high: ((upper - low) * TWO_TO_32) | 0 }
}

/** Of bytes[at..at + length); a signed 32-bit integer. */
export function keyHash({ low, high }: KeySeed, bytes: Uint8Array, at: number, length: number): number {
  let v0 = low
  let v1 = high
  let v2 = 0x6c796765 ^ low
  let v3 = 0x74656462 ^ high
  const end = at + length
  const whole = at + (length & ~3)
  let from = at
  for (let rounds = (length >>> 2) + 4; rounds > 0; rounds--) {
    let word = 0
    if (rounds === 3) v2 ^= 0xff
    else if (rounds > 4) {
      word =
        (bytes[from] ?? 0) |
        ((bytes[from + 1] ?? 0) << 8) |
        ((bytes[from + 2] ?? 0) << 16) |
        ((bytes[from + 3] ?? 0) << 24)
      from += 4
    } else if (rounds === 4) {
      word = length << 24
      for (let last = end - 1; last >= whole; last--) word |= (bytes[last] ?? 0) << ((last - whole) << 3)
    }
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return v1 ^ v3
}
