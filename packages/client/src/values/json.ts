// JSON in UTF-8: for values that other languages read.
import type { Codec } from './codec.ts'
import { assertPlainData } from './plain-data.ts'

const carries = { bytes: false, nonFinite: false, bigInt: false } as const
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export const jsonCodec: Codec = {
  encode: (value) => {
    assertPlainData(value, carries)
    return encoder.encode(JSON.stringify(value))
  },
  decode: (bytes) => JSON.parse(decoder.decode(bytes)) as unknown,
}
