import type { Random } from './random.ts'

/** 2^-53: makes a float in [0, 1) of 53 random bits. */
const UNIT = 2 ** -53

/**
 * Chance from a seed: xoshiro128** 1.1 (Blackman and Vigna 2018), its state filled by splitmix32 as its authors advise.
 * Equal seeds give equal sequences on every machine; not for secrets. `seed` is a safe integer, all of whose bits count.
 */
export function createSeededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new RangeError(`a seed is a safe integer, got ${seed}`)
  const fill = splitmix32(seed | 0, Math.floor(seed / 2 ** 32) | 0)
  let [a, b, c, d] = [fill(), fill(), fill(), fill()]
  // The one state from which the generator never leaves.
  if ((a | b | c | d) === 0) a = 1

  const word = (): number => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotateLeft(d, 11)
    return result >>> 0
  }
  return {
    next: () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) * UNIT,
    bytes: (length) => {
      const bytes = new Uint8Array(length)
      for (let at = 0, bits = 0; at < length; at += 1, bits >>>= 8) {
        if (at % 4 === 0) bits = word()
        bytes[at] = bits & 0xff
      }
      return bytes
    },
  }
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** Both halves of the seed enter the state one after the other, so that no two seeds start alike by construction. */
function splitmix32(low: number, high: number): () => number {
  let state = low
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
  const first = next()
  state = (first ^ high) | 0
  return next
}
