// The default codec: MessagePack, without msgpackr's own record extension, so that any MessagePack can read it.
import { QuorateError } from '@quorate/protocol'
import { Packr } from 'msgpackr'
import { type Codec, valueInvalid } from './codec.ts'
import { assertPlainData } from './plain-data.ts'

const carries = { bytes: true, nonFinite: true, bigInt: true } as const

export function createMsgpackCodec(): Codec {
  // `copyBuffers`: bytes inside a value must not be views of each other's memory.
  const packr = new Packr({ useRecords: false, copyBuffers: true })
  return {
    encode: (value) => {
      assertPlainData(value, carries)
      // Exotic objects (proxies, getters) may still throw or change between check and encoding.
      try {
        return packr.pack(value)
      } catch (error) {
        if (error instanceof QuorateError) throw error
        throw valueInvalid(error instanceof Error ? error.message : String(error))
      }
    },
    decode: (bytes) => packr.unpack(bytes) as unknown,
  }
}
