// What travels comes back equal; what would not is refused before it is sent.
import { limits } from '@quorate/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { QuorateError, connect } from '../src/index.ts'
import { type CodecName, decodeUserValue, encodeUserValue, resolveCodec } from '../src/values/value.ts'
import { createFakeCluster } from './fake-cluster.ts'
import { createScripted, ending } from './scripted.ts'

const roundTrip = (value: unknown, name: CodecName): unknown => {
  const codec = resolveCodec(name)
  const { type, ...rest } = encodeUserValue(value, codec)
  // As it comes out of a frame: bytes of its own.
  const sent =
    'bytes' in rest
      ? { type: 'bytes' as const, bytes: new Uint8Array(rest.bytes) }
      : { type: 'integer' as const, ...rest }
  expect(sent.type).toBe(type)
  return decodeUserValue(sent, codec)
}

const codeOf = (value: unknown, name: CodecName): string => {
  try {
    encodeUserValue(value, resolveCodec(name))
    return 'accepted'
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error
    expect(error.outcome).toBe('not-done')
    return error.code
  }
}

const cyclic: Record<string, unknown> = {}
cyclic['self'] = { cyclic }
const sparse: unknown[] = []
sparse[2] = 1
const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)])

describe('refused before it is sent', () => {
  const nowhere: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['undefined inside', { a: [undefined] }],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a symbol key', { [Symbol('s')]: 1 }],
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['a Date', new Date(0)],
    ['a RegExp', /x/],
    ['an Error', new Error('x')],
    [
      'a class instance',
      new (class Point {
        readonly x = 1
      })(),
    ],
    ['an object without prototype', Object.create(null)],
    ['-0', -0],
    ['-0 inside', { a: [-0] }],
    ['a cycle', cyclic],
    ['a sparse array', sparse],
    ['an array with properties', Object.assign([1], { extra: 2 })],
    ['an own __proto__ key', JSON.parse('{"__proto__": 1}')],
    ['a lone surrogate', 'a\ud800b'],
    ['a lone surrogate in a key', { 'a\udc00': 1 }],
    ['a hidden property', Object.defineProperty({}, 'hidden', { value: 1 })],
    ['a Float64Array', new Float64Array(2)],
    ['an ArrayBuffer', new ArrayBuffer(2)],
    ['a boxed number', new Number(5)],
    ['a BigInt of more than 64 bits', 2n ** 64n],
    ['nesting deeper than 100', deep(101)],
    ['a subclass of Array', new (class Points extends Array<number> {})()],
  ]
  test.each(nowhere)('%s, by msgpack and json', (_name, value) => {
    expect([codeOf(value, 'msgpack'), codeOf(value, 'json')]).toEqual(['VALUE_INVALID', 'VALUE_INVALID'])
  })

  test.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['bytes', Uint8Array.of(1)],
    ['a BigInt', 5n],
  ] as const)('%s, by json alone', (_name, value) => {
    expect([codeOf([value], 'msgpack'), codeOf([value], 'json')]).toEqual(['accepted', 'VALUE_INVALID'])
    expect(roundTrip([value], 'msgpack')).toStrictEqual([value])
  })

  test.each([
    ['text', 'x'],
    ['an object', {}],
    ['a fraction', 1.5],
    ['-0', -0],
    ['null', null],
  ] as const)('%s, by raw', (_name, value) => {
    expect(codeOf(value, 'raw')).toBe('VALUE_INVALID')
  })

  test('says where in the value', () => {
    expect(() => encodeUserValue({ user: { tags: ['a', undefined] } }, resolveCodec('msgpack'))).toThrow(
      'undefined at value.user.tags[1] would not come back equal',
    )
  })

  test('a value above 1 MiB is VALUE_TOO_LARGE, also one that only its sharing makes large', () => {
    expect(codeOf(new Uint8Array(limits.valueBytes), 'raw')).toBe('accepted')
    expect(codeOf(new Uint8Array(limits.valueBytes + 1), 'raw')).toBe('VALUE_TOO_LARGE')
    expect(codeOf('x'.repeat(limits.valueBytes), 'msgpack')).toBe('VALUE_TOO_LARGE')
    let shared: unknown[] = []
    for (let level = 0; level < 60; level += 1) shared = [shared, shared]
    expect(codeOf(shared, 'msgpack')).toBe('VALUE_TOO_LARGE')
  })

  test('refused values and keys end as not-done without a frame', async () => {
    const scripted = await createScripted()
    const { cache, cluster } = scripted
    expect(await ending(cache.set('key', undefined))).toEqual({ code: 'VALUE_INVALID', outcome: 'not-done' })
    expect(await ending(cache.set('', 1))).toEqual({ code: 'KEY_INVALID', outcome: 'not-done' })
    expect(await ending(cache.get('x'.repeat(1025)))).toEqual({ code: 'KEY_INVALID', outcome: 'not-done' })
    expect(await ending(cache.get(new Uint8Array(0)))).toEqual({ code: 'KEY_INVALID', outcome: 'not-done' })
    expect(await ending(cache.get('\ud800'))).toEqual({ code: 'KEY_INVALID', outcome: 'not-done' })
    expect(await ending(cache.getMany(['a', '']))).toEqual({ code: 'KEY_INVALID', outcome: 'not-done' })
    expect(await ending(cache.incr('key', 0.5))).toEqual({ code: 'ARGUMENT_INVALID', outcome: 'not-done' })
    expect(await ending(cache.set('key', 1, { ifVersion: 0 }))).toEqual({
      code: 'ARGUMENT_INVALID',
      outcome: 'not-done',
    })
    expect(await ending(cache.set('key', 1, { ifAbsent: true, ifPresent: true }))).toEqual({
      code: 'ARGUMENT_INVALID',
      outcome: 'not-done',
    })
    await cluster.time.advance(100)
    expect(scripted.cluster.asked).toEqual([])
  })
})

describe('comes back equal', () => {
  const plain = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant(null),
      fc.boolean(),
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(
        fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 5, noNullPrototype: true },
      ),
    ),
  })).value

  test.each(['msgpack', 'json'] as const)('any plain data through %s', (name) => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(roundTrip(value, name)).toStrictEqual(value)
      }),
    )
  })

  test('anything at all comes back equal through msgpack or is refused', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withObjectString: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
      withUnicodeString: true,
      withBoxedValues: true,
    })
    fc.assert(
      fc.property(anything, (value) => {
        // Refused values are not compared: a sparse array may claim to be four billion long.
        const accepted = codeOf(value, 'msgpack') === 'accepted'
        const [back, sent] = accepted ? [roundTrip(value, 'msgpack'), value] : []
        expect(back).toStrictEqual(sent)
      }),
      { numRuns: 300 },
    )
  })

  test('safe integers travel as integers whatever the codec, larger numbers through it', () => {
    for (const name of ['msgpack', 'json', 'raw'] as const) {
      expect(encodeUserValue(Number.MAX_SAFE_INTEGER, resolveCodec(name))).toEqual({
        type: 'integer',
        integer: Number.MAX_SAFE_INTEGER,
      })
    }
    for (const number of [2 ** 53, -(2 ** 60), 1e300, 0.1, Number.MIN_VALUE]) {
      expect(roundTrip(number, 'msgpack')).toBe(number)
      expect(roundTrip(number, 'json')).toBe(number)
    }
  })

  test('bytes come back as copies, a Buffer as a Uint8Array', () => {
    const bytes = Uint8Array.of(1, 2, 3)
    expect(roundTrip(bytes, 'raw')).toStrictEqual(bytes)
    expect(roundTrip(bytes, 'msgpack')).toStrictEqual(bytes)
    expect(roundTrip({ bytes }, 'msgpack')).toStrictEqual({ bytes })
    expect(roundTrip(Buffer.from(bytes), 'msgpack')).toStrictEqual(bytes)
    expect(roundTrip(Buffer.from(bytes), 'raw')).toStrictEqual(bytes)
  })

  test('what the caller changes after the call is not what was stored', async () => {
    const cluster = await createFakeCluster()
    const { time } = cluster
    const cache = await time.until(connect(cluster.addresses, { runtime: cluster.runtime, codec: 'raw' }))
    const key = Uint8Array.of(65)
    const value = Uint8Array.of(1, 2)
    const written = cache.set(key, value)
    key.fill(0)
    value.fill(0)
    await time.until(written)
    expect(await time.until(cache.get('A'))).toEqual(Uint8Array.of(1, 2))
  })

  test('bytes of another codec are an error, not a wrong value', async () => {
    const cluster = await createFakeCluster()
    const { time, runtime } = cluster
    const raw = await time.until(connect(cluster.addresses, { runtime, codec: 'raw' }))
    await time.until(raw.set('key', Uint8Array.of(0xff, 0xff)))
    for (const codec of ['msgpack', 'json'] as const) {
      const cache = await time.until(connect(cluster.addresses, { runtime, codec }))
      expect(await time.until(ending(cache.get('key')))).toEqual({
        code: 'VALUE_INVALID',
        outcome: 'not-done',
      })
    }
  })

  test('a codec of one’s own is used, and what is none is refused', async () => {
    const rot: { encode(value: unknown): Uint8Array; decode(bytes: Uint8Array): unknown } = {
      encode: (value) => Uint8Array.from(String(value), (char) => char.charCodeAt(0) ^ 1),
      decode: (bytes) => String.fromCharCode(...bytes.map((byte) => byte ^ 1)),
    }
    const codec = resolveCodec(rot)
    expect(decodeUserValue(encodeUserValue('abc', codec), codec)).toBe('abc')
    expect(await ending(connect('a:1', { codec: 'yaml' as 'json' }))).toEqual({
      code: 'ARGUMENT_INVALID',
      outcome: 'not-done',
    })
  })
})
