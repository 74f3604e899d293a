// Which key comes next: each once to fill a store, or drawn evenly by a seeded generator.

/** Null when there is no next one. */
export type NextKey = () => string | null

/** Up to so many names are made beforehand, so that making them costs the measurement nothing. */
const NAMES_MAX = 100_000

/** Of equal length, so that user bytes are a plain multiplication. */
export const KEY_BYTES = 12

export function keyName(number: number): string {
  return `key-${String(number).padStart(8, '0')}`
}

export function everyKeyOnce(count: number): NextKey {
  let next = 0
  return () => (next < count ? keyName(next++) : null)
}

export function eachOnce(keys: readonly string[]): NextKey {
  let next = 0
  return () => keys[next++] ?? null
}

export function randomKeys(count: number, seed: number): NextKey {
  const names = count <= NAMES_MAX ? Array.from({ length: count }, (_, number) => keyName(number)) : null
  const draw = xorshift32(seed)
  return () => {
    const number = draw() % count
    return names?.[number] ?? keyName(number)
  }
}

/** Marsaglia, "Xorshift RNGs" (2003); shifts 13, 17, 5. */
function xorshift32(seed: number): () => number {
  // Zero is the one state that it never leaves.
  let state = seed >>> 0 || 0x9e3779b9
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}
