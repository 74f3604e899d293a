// Whatever arrives, a decoder decodes it or throws BadFrameError: never anything else, never a wrong number inside.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BadFrameError,
  decodeAnswer,
  decodeClientFrame,
  decodeConfiguration,
  decodePeerFrame,
  decodeSections,
  decodeServerFrame,
  decodeShardMap,
  decodeValue,
  encodeAnswer,
  encodeClientFrame,
  encodeConfiguration,
  encodePeerFrame,
  encodeSection,
  encodeServerFrame,
  encodeShardMap,
  encodeValue,
  type Section,
  type SectionHeader,
  validateSection,
  validateSections,
} from '../src/index.ts'
import { answer, clientFrame, configuration, section, serverFrame, shardMap, value } from './arbitraries.ts'
import { peerFrame } from './peer-arbitraries.ts'
import { generator, mutate } from './mutate.ts'

interface Codec {
  readonly name: string
  readonly valid: fc.Arbitrary<Uint8Array>
  readonly decode: (bytes: Uint8Array) => unknown
  /** Encodes what `decode` gave. */
  readonly again: (decoded: never) => Uint8Array
  /** True for encodings of which a prefix may be valid: opaque bytes have no end of their own. */
  readonly cutsToOthers: (bytes: Uint8Array) => boolean
}

const never = () => false

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

const codecs: readonly Codec[] = [
  {
    name: 'client frames',
    valid: clientFrame.map(encodeClientFrame),
    decode: decodeClientFrame,
    again: encodeClientFrame,
    cutsToOthers: never,
  },
  {
    name: 'server frames',
    valid: serverFrame.map(encodeServerFrame),
    decode: decodeServerFrame,
    again: encodeServerFrame,
    cutsToOthers: never,
  },
  {
    name: 'peer frames',
    valid: peerFrame.map(encodePeerFrame),
    decode: decodePeerFrame,
    again: encodePeerFrame,
    cutsToOthers: never,
  },
  {
    name: 'payloads of sections',
    valid: fc
      .array(section, { minLength: 1, maxLength: 3 })
      .map((list) => concatenate(list.map(encodeSection))),
    decode: decodeSections,
    again: (list: readonly Section[]) => concatenate(list.map(encodeSection)),
    // Between two sections a payload may end.
    cutsToOthers: (payload) => validateSections(payload).length > 1,
  },
  {
    name: 'values',
    valid: value.map(encodeValue),
    decode: decodeValue,
    again: encodeValue,
    cutsToOthers: (bytes) => bytes[0] === 0,
  },
  {
    name: 'answers',
    valid: answer.map(encodeAnswer),
    decode: decodeAnswer,
    again: encodeAnswer,
    cutsToOthers: never,
  },
  {
    name: 'configurations',
    valid: configuration.map(encodeConfiguration),
    decode: decodeConfiguration,
    again: encodeConfiguration,
    cutsToOthers: never,
  },
  {
    name: 'shard maps',
    valid: shardMap.map(encodeShardMap),
    decode: decodeShardMap,
    again: encodeShardMap,
    cutsToOthers: never,
  },
]

/** undefined: refused as it should be. */
function decodeOrBadFrame(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof BadFrameError && error.code === 'BAD_FRAME') return undefined
    throw error
  }
}

describe.each(codecs)('$name', ({ valid, decode, again, cutsToOthers }) => {
  test('20,000 damaged encodings decode or throw BadFrameError, and what decodes encodes again to the same', () => {
    let refused = 0
    let runs = 0
    const property = fc.property(valid, fc.integer(), (bytes, seed) => {
      const draw = generator(seed)
      for (let run = 0; run < 200; run += 1) {
        runs += 1
        const decoded = decodeOrBadFrame(decode, mutate(bytes, draw))
        if (decoded === undefined) {
          refused += 1
          continue
        }
        const encoded = again(decoded as never)
        const twice = again(decode(encoded) as never)
        assert.equal(Buffer.compare(encoded, twice), 0, 'an encoding that decodes to something else')
      }
    })
    fc.assert(property, { numRuns: 100 })
    expect(runs).toBe(20_000)
    expect(refused).toBeGreaterThan(500)
  }, 30_000)

  test('a valid encoding cut short at any byte is refused, and so is one with a byte behind it', () => {
    const property = fc.property(valid, (bytes) => {
      if (cutsToOthers(bytes)) return
      const step = Math.max(1, Math.floor(bytes.length / 300))
      for (let length = 1; length < bytes.length; length += step) {
        assert.equal(decodeOrBadFrame(decode, bytes.subarray(0, length)), undefined, `cut to ${length}`)
      }
      assert.equal(
        decodeOrBadFrame(decode, concatenate([bytes, Uint8Array.of(0)])),
        undefined,
        'one byte more',
      )
    })
    fc.assert(property, { numRuns: 60 })
  }, 30_000)
})

test('no bytes at all are a payload without sections, and nothing else', () => {
  const empty = new Uint8Array(0)
  const decoded = codecs.map(({ name, decode }) => [name, decodeOrBadFrame(decode, empty)])
  expect(decoded.filter(([, result]) => result !== undefined)).toEqual([['payloads of sections', []]])
})

test('validateSection takes exactly what decodeSections takes, over 20,000 damaged sections', () => {
  const property = fc.property(section.map(encodeSection), fc.integer(), (bytes, seed) => {
    const draw = generator(seed)
    for (let run = 0; run < 200; run += 1) {
      const damaged = mutate(bytes, draw)
      const sections = decodeOrBadFrame(decodeSections, damaged) as Section[] | undefined
      const headers = decodeOrBadFrame(validateSections, damaged) as SectionHeader[] | undefined
      const header = decodeOrBadFrame((all) => validateSection(all, { origin: 'log' }), damaged)
      assert.equal(headers?.length, sections?.length)
      assert.equal(header !== undefined, sections?.length === 1)
    }
  })
  fc.assert(property, { numRuns: 100 })
}, 30_000)
