// Accesses to measure eviction policies with: generated, so that whoever doubts the table can make it again.

/** Keys by number, in the order of access. */
export interface PolicyTrace {
  readonly name: string
  readonly accesses: Int32Array
}

const KEYS = 100_000
/** Of which a cache has room for so many. */
export const CAPACITY = 5_000

export function policyTraces(length: number): PolicyTrace[] {
  const skewed = (alpha: number): Int32Array => zipf(alpha, length, random(7))
  return [
    ...[0.8, 0.9, 1, 1.1].map((alpha) => ({ name: `Zipf ${alpha}`, accesses: skewed(alpha) })),
    { name: 'Zipf 0.9 with scans', accesses: withScans(skewed(0.9)) },
    { name: 'Zipf 0.9 that shifts', accesses: shifting(skewed(0.9)) },
    { name: 'a loop over 1.2 x the cache', accesses: loop(length, Math.floor(CAPACITY * 1.2)) },
  ]
}

/** Mulberry32: 32 bits of state, the same everywhere. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function zipf(alpha: number, length: number, next: () => number): Int32Array {
  const sums = new Float64Array(KEYS)
  let sum = 0
  for (let rank = 0; rank < KEYS; rank++) sums[rank] = sum += 1 / (rank + 1) ** alpha
  return Int32Array.from({ length }, () => rankOf(sums, next() * sum))
}

function rankOf(sums: Float64Array, wanted: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sums[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return low
}

/** Every so often somebody reads as many keys once as two caches hold. */
function withScans(accesses: Int32Array): Int32Array {
  const scan = 2 * CAPACITY
  return accesses.map((key, at) => (at % (5 * scan) < scan ? KEYS + at : key))
}

/** What is popular is something else, four times. */
function shifting(accesses: Int32Array): Int32Array {
  const period = Math.ceil(accesses.length / 5)
  return accesses.map((key, at) => (key + Math.floor(at / period) * 20_011) % KEYS)
}

function loop(length: number, keys: number): Int32Array {
  return Int32Array.from({ length }, (_, at) => at % keys)
}
