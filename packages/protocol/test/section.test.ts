import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BadFrameError,
  type Command,
  type CommandSection,
  decodeSection,
  decodeSections,
  encodeSection,
  limits,
  type Section,
  sectionBytes,
  validateSection,
  validateSections,
} from '../src/index.ts'
import { clientSection, section } from './arbitraries.ts'
import { comparable } from './comparable.ts'

const text = (value: string) => new TextEncoder().encode(value)
const set = (change: Partial<Extract<Command, { op: 'set' }>> = {}): Command => ({
  op: 'set',
  sequence: 5,
  notAfter: 7,
  key: text('k'),
  value: { type: 'bytes', bytes: text('v') },
  condition: { type: 'always' },
  ttl: 0,
  ...change,
})
const commands = (...list: Command[]): CommandSection => ({
  kind: 'commands',
  group: 3,
  session: { group: 2, version: 17 },
  ackedUpTo: 4,
  commands: list,
})

test('a section comes back as it was', () => {
  const property = fc.property(section, (original) => {
    const bytes = encodeSection(original)
    expect(bytes).toHaveLength(sectionBytes(original))
    expect(comparable(decodeSection(bytes))).toEqual(comparable({ section: original, end: bytes.length }))
  })
  fc.assert(property, { numRuns: 500 })
})

test('sections concatenate, and each says where it ends', () => {
  const property = fc.property(fc.array(section, { maxLength: 5 }), (list) => {
    const encoded = list.map(encodeSection)
    const payload = Buffer.concat(encoded)
    expect(comparable(decodeSections(payload))).toEqual(comparable(list))
    expect(validateSections(payload).map(({ kind, group, bytes }) => ({ kind, group, bytes }))).toEqual(
      list.map(({ kind, group }, at) => ({ kind, group, bytes: encoded[at]?.length })),
    )
    let offset = 0
    for (const expected of list) {
      const { section: found, end } = decodeSection(payload, offset)
      expect(comparable(found)).toEqual(comparable(expected))
      offset = end
    }
    expect(offset).toBe(payload.length)
  })
  fc.assert(property, { numRuns: 100 })
})

test('the header says what the leader needs', () => {
  const property = fc.property(clientSection, (original) => {
    const bytes = encodeSection(original)
    expect(validateSection(bytes, { origin: 'client' })).toEqual({
      kind: original.kind,
      group: original.group,
      count: original.kind === 'commands' ? original.commands.length : 1,
      bytes: bytes.length,
      session: original.kind === 'openSession' ? null : 'session' in original ? original.session : null,
      deletesOnly: original.kind === 'commands' && original.commands.every(({ op }) => op === 'del'),
      pins:
        original.kind === 'commands' &&
        original.commands.some((one) => one.op === 'set' && one.evict === false),
      notAfterMax:
        original.kind === 'commands'
          ? Math.max(...original.commands.map(({ notAfter }) => notAfter))
          : original.kind === 'openSession'
            ? original.notAfter
            : 0,
    })
  })
  fc.assert(property)
})

test('the layout of a section is this, byte for byte', () => {
  const bytes = encodeSection(
    commands(set({ condition: { type: 'ifVersion', version: 2 }, ttl: 3 }), {
      op: 'incr',
      sequence: 6,
      notAfter: 7,
      key: text('n'),
      by: -1,
    }),
  )
  const hex = [
    '01 01 03000000 6c000000 0200',
    '02000000 0000000000003140 0000000000001040 0000000000001440',
    '01 05 0100 02000000 00000000 0000000000001c40 0000000000000040 0000000000000840 6b 0076',
    '03 00 0100 00000000 01000000 0000000000001c40 000000000000f0bf 6e',
  ]
  expect(Buffer.from(bytes).toString('hex')).toBe(hex.join('').replaceAll(' ', ''))
})

test('a key `__proto__` is a key like any other', () => {
  const original = commands(set({ key: text('__proto__') }))
  expect(decodeSections(encodeSection(original))).toEqual([original])
})

test('sequences beyond 2^32 travel, as a session may live for years', () => {
  const original = commands(set({ sequence: 2 ** 40 + 1 }), set({ sequence: 2 ** 40 }))
  expect(decodeSections(encodeSection(original))).toEqual([original])
})

test('decoded keys and values are views of the payload', () => {
  const bytes = encodeSection(commands(set()))
  const { section: found } = decodeSection(bytes)
  expect(found.kind === 'commands' && found.commands[0]?.key.buffer).toBe(bytes.buffer)
})

describe('validateSection', () => {
  test.each<Section>([
    { kind: 'found', group: 1, epoch: 9, slots: new Uint8Array(2048) },
    { kind: 'tick', group: 1 },
    { kind: 'sweep', group: 1, limit: 9 },
    { kind: 'evict', group: 1, victims: [{ key: text('k'), version: 3 }] },
  ])('refuses a $kind section of a client and takes it from a log', (leaders) => {
    const bytes = encodeSection(leaders)
    expect(() => validateSection(bytes, { origin: 'client' })).toThrow(BadFrameError)
    expect(validateSection(bytes, { origin: 'log' }).kind).toBe(leaders.kind)
  })

  test.each([0, limits.sweepEntries + 1])('refuses a sweep of %s entries', (limit) => {
    const bytes = encodeSection({ kind: 'sweep', group: 1, limit: 9 })
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(12, limit, true)
    expect(() => validateSection(bytes, { origin: 'log' })).toThrow(BadFrameError)
    expect(() => decodeSections(bytes)).toThrow(BadFrameError)
    expect(() => encodeSection({ kind: 'sweep', group: 1, limit })).toThrow(/sweep/)
  })

  test.each([0, limits.evictEntries + 1])('refuses an eviction of %s entries', (count) => {
    const victims = [{ key: text('k'), version: 3 }]
    const bytes = encodeSection({ kind: 'evict', group: 1, victims })
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(12, count, true)
    expect(() => validateSection(bytes, { origin: 'log' })).toThrow(BadFrameError)
    expect(() => decodeSections(bytes)).toThrow(BadFrameError)
    const many = Array.from({ length: count }, () => ({ key: text('k'), version: 3 }))
    expect(() => encodeSection({ kind: 'evict', group: 1, victims: many })).toThrow(/eviction/)
  })

  test('refuses a touch without a ttl', () => {
    const condition = { type: 'always' } as const
    const bytes = encodeSection(
      commands({ op: 'touch', sequence: 5, notAfter: 7, key: text('k'), condition, ttl: 1 }),
    )
    expect(validateSection(bytes, { origin: 'client' }).deletesOnly).toBe(false)
    new DataView(bytes.buffer, bytes.byteOffset).setUint8(41, 0)
    expect(() => validateSection(bytes, { origin: 'client' })).toThrow(/a touch without a ttl/)
  })

  const base = encodeSection(commands(set({ condition: { type: 'ifVersion', version: 2 }, ttl: 3 })))
  const changed = (change: (view: DataView) => void) => {
    const bytes = base.slice()
    change(new DataView(bytes.buffer))
    return bytes
  }
  const COMMAND = 40
  const cases: readonly (readonly [string, Uint8Array])[] = [
    ['an unknown kind', changed((view) => view.setUint8(0, 9))],
    ['an unknown version', changed((view) => view.setUint8(1, 2))],
    ['a length that is too small', changed((view) => view.setUint32(6, base.length - 1, true))],
    ['a length that is too large', changed((view) => view.setUint32(6, base.length + 1, true))],
    ['no command', changed((view) => view.setUint16(10, 0, true))],
    ['more commands than there are', changed((view) => view.setUint16(10, 2, true))],
    ['1,001 commands', changed((view) => view.setUint16(10, 1001, true))],
    ['a session version that is no integer', changed((view) => view.setFloat64(16, 1.5, true))],
    ['ackedUpTo -0', changed((view) => view.setFloat64(24, -0, true))],
    ['a first sequence of NaN', changed((view) => view.setFloat64(32, Number.NaN, true))],
    [
      'a sequence beyond 2^53',
      changed(
        (view) => view.setFloat64(32, Number.MAX_SAFE_INTEGER, true) ?? view.setUint32(COMMAND + 8, 1, true),
      ),
    ],
    ['an unknown op', changed((view) => view.setUint8(COMMAND, 6))],
    ['an unknown flag', changed((view) => view.setUint8(COMMAND + 1, 0x15))],
    ['a key of no bytes', changed((view) => view.setUint16(COMMAND + 2, 0, true))],
    ['a key of 1,025 bytes', changed((view) => view.setUint16(COMMAND + 2, 1025, true))],
    ['a value of no bytes', changed((view) => view.setUint32(COMMAND + 4, 0, true))],
    ['a value longer than the section', changed((view) => view.setUint32(COMMAND + 4, 0xffff_ffff, true))],
    [
      'notAfter of infinity',
      changed((view) => view.setFloat64(COMMAND + 12, Number.POSITIVE_INFINITY, true)),
    ],
    ['a negative ifVersion', changed((view) => view.setFloat64(COMMAND + 20, -1, true))],
    ['a ttl of 0 that is there', changed((view) => view.setFloat64(COMMAND + 28, 0, true))],
    ['a ttl above ten years', changed((view) => view.setFloat64(COMMAND + 28, limits.ttlMs + 1, true))],
    ['a ttl that is no integer', changed((view) => view.setFloat64(COMMAND + 28, 0.5, true))],
    ['an unknown value tag', changed((view) => view.setUint8(COMMAND + 37, 2))],
    ['an integer value of a wrong length', changed((view) => view.setUint8(COMMAND + 37, 1))],
  ]
  test.each(cases)('refuses %s', (_, bytes) => {
    expect(() => validateSection(bytes, { origin: 'client' })).toThrow(BadFrameError)
    expect(() => decodeSections(bytes)).toThrow(BadFrameError)
  })
})

test('a value of 1 MiB passes and one byte more does not', () => {
  const largest = commands(set({ value: { type: 'bytes', bytes: new Uint8Array(limits.valueBytes) } }))
  const bytes = encodeSection(largest)
  expect(validateSection(bytes, { origin: 'client' }).bytes).toBe(bytes.length)
  const tooLarge = commands(set({ value: { type: 'bytes', bytes: new Uint8Array(limits.valueBytes + 1) } }))
  expect(() => encodeSection(tooLarge)).toThrow(/a value of 1048577 bytes/)
  const grown = new Uint8Array(bytes.length + 1)
  grown.set(bytes)
  const view = new DataView(grown.buffer)
  view.setUint32(6, grown.length, true)
  view.setUint32(44, limits.valueBytes + 2, true)
  expect(() => validateSection(grown, { origin: 'client' })).toThrow(/a value length out of range/)
})

test.each([
  ['1,001 commands', commands(...Array.from({ length: 1001 }, () => set()))],
  ['no commands', commands()],
  ['an empty key', commands(set({ key: new Uint8Array(0) }))],
  ['a fractional notAfter', commands(set({ notAfter: 1.5 }))],
  ['a sequence of NaN', commands(set({ sequence: Number.NaN }))],
  ['a ttl above ten years', commands(set({ ttl: limits.ttlMs + 1 }))],
  ['an integer that is not safe', commands(set({ value: { type: 'integer', integer: 2 ** 53 } }))],
])('to encode a section with %s is a programming mistake', (_, wrong) => {
  expect(() => encodeSection(wrong)).toThrow(/./)
  expect(() => encodeSection(wrong)).not.toThrow(BadFrameError)
})
