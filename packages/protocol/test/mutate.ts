// Damages bytes in the ways that find careless decoders: a function of its seed.

const oddFloats = [
  Number.NaN,
  -0,
  -1,
  0.5,
  2 ** 53,
  -(2 ** 53),
  Number.POSITIVE_INFINITY,
  1e300,
  Number.MIN_VALUE,
]
const oddBytes = [
  0x00, 0x01, 0x7f, 0x80, 0x81, 0xc0, 0xc1, 0xc4, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xd4, 0xd6, 0xdc, 0xdd, 0xde,
  0xdf, 0xff,
]

/** A small generator (mulberry32), in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function mutate(valid: Uint8Array, draw: () => number): Uint8Array {
  const below = (limit: number) => Math.floor(draw() * limit)
  if (draw() < 0.1)
    return Uint8Array.from({ length: below(80) }, (_, at) => (at === 0 ? (valid[0] ?? 0) : below(256)))
  if (draw() < 0.15) return valid.slice(0, below(valid.length))
  if (draw() < 0.1) return Uint8Array.of(...valid, ...Array.from({ length: 1 + below(4) }, () => below(256)))
  const mutated = valid.slice()
  for (let left = 1 + below(3); left > 0; left -= 1) damage(mutated, below)
  return mutated
}

/** Where a frame is long, its head is the part with the structure. */
function damage(bytes: Uint8Array, below: (limit: number) => number): void {
  if (bytes.length === 0) return
  const at = below(below(2) === 0 ? Math.min(bytes.length, 40) : bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const kind = below(5)
  if (kind === 0 && at + 8 <= bytes.length) view.setFloat64(at, oddFloats[below(oddFloats.length)] ?? 0, true)
  else if (kind === 1 && at + 8 <= bytes.length) view.setFloat64(at, oddFloats[below(oddFloats.length)] ?? 0)
  else if (kind === 2 && at + 4 <= bytes.length)
    view.setUint32(at, below(3) === 0 ? 0xffff_ffff : below(2 ** 32), true)
  else if (kind === 3) bytes[at] = oddBytes[below(oddBytes.length)] ?? 0
  else bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
}
