// Bytes as they are.
import { type Codec, valueInvalid } from './codec.ts'

export const rawCodec: Codec = {
  encode: (value) => {
    if (!(value instanceof Uint8Array))
      throw valueInvalid('with the raw codec anything but bytes and safe integers')
    return value
  },
  decode: (bytes) => bytes,
}
