// Encodings that are whole and consistent in themselves, and only beyond a limit.
import { Packr } from 'msgpackr'
import { expect, test } from 'vitest'
import {
  BadFrameError,
  type Command,
  decodeClientFrame,
  decodePeerFrame,
  decodeSections,
  encodeClientFrame,
  encodePeerFrame,
  encodeSection,
  limits,
  validateSection,
} from '../src/index.ts'

const SECTION_LENGTH_AT = 6
const SECTION_COUNT_AT = 10
const FIRST_COMMAND_AT = 40
const del: Command = {
  op: 'del',
  sequence: 0,
  notAfter: 0,
  key: Uint8Array.of(1),
  condition: { type: 'always' },
}

function deletes(count: number): Uint8Array {
  const commands = Array.from({ length: count }, () => del)
  return encodeSection({
    kind: 'commands',
    group: 1,
    session: { group: 1, version: 1 },
    ackedUpTo: 0,
    commands,
  })
}

function patched(bytes: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = bytes.slice()
  change(new DataView(copy.buffer, copy.byteOffset))
  return copy
}

test('1,000 commands are a section and 1,001 are not', () => {
  const largest = deletes(1000)
  expect(validateSection(largest, { origin: 'client' }).count).toBe(1000)
  const oneMore = new Uint8Array(Buffer.concat([largest, deletes(1).subarray(FIRST_COMMAND_AT)]))
  const section = patched(oneMore, (view) => {
    view.setUint32(SECTION_LENGTH_AT, oneMore.length, true)
    view.setUint16(SECTION_COUNT_AT, 1001, true)
  })
  expect(() => validateSection(section, { origin: 'client' })).toThrow(/a section count out of range/)
  expect(() => decodeSections(section)).toThrow(/a section count out of range/)
})

test('a del has no value', () => {
  const section = patched(deletes(1), (view) => view.setUint32(FIRST_COMMAND_AT + 4, 1, true))
  expect(() => validateSection(section, { origin: 'client' })).toThrow(/a value where the op has none/)
})

/** A `requests` frame with one request of `type`, of which only the body is left to say. */
function request(type: number, body: Uint8Array): Uint8Array {
  const head = encodeClientFrame({ type: 'requests', mapEpoch: 0, requests: [] })
  new DataView(head.buffer, head.byteOffset).setUint32(9, 1, true)
  return new Uint8Array(Buffer.concat([head, Uint8Array.of(type), new Uint8Array(8), body]))
}

test('a section of 3 MiB may come in a frame and one byte more may not', () => {
  const write = (length: number) => {
    const body = new Uint8Array(8 + length)
    new DataView(body.buffer, body.byteOffset).setUint32(4, length, true)
    return request(1, body)
  }
  expect(decodeClientFrame(write(limits.sectionBytes)).type).toBe('requests')
  expect(() => decodeClientFrame(write(limits.sectionBytes + 1))).toThrow(/a section above its limit/)
})

test('a read has 1 to 1,000 keys of 1 to 1,024 bytes', () => {
  const read = (count: number, keyLength: number) => {
    const body = new Uint8Array(6 + count * (2 + keyLength))
    const view = new DataView(body.buffer, body.byteOffset)
    view.setUint16(4, count, true)
    for (let at = 0; at < count; at += 1) view.setUint16(6 + at * (2 + keyLength), keyLength, true)
    return request(2, body)
  }
  expect(decodeClientFrame(read(1, 1)).type).toBe('requests')
  expect(decodeClientFrame(read(1000, 1024)).type).toBe('requests')
  expect(() => decodeClientFrame(read(0, 1))).toThrow(/a number of keys/)
  expect(() => decodeClientFrame(read(1001, 1))).toThrow(/a number of keys/)
  expect(() => decodeClientFrame(read(1, 0))).toThrow(/a key length/)
  expect(() => decodeClientFrame(read(1, 1025))).toThrow(/a key length/)
})

test('a hello names a range of versions that is not empty', () => {
  const hello = (min: number, max: number) =>
    Uint8Array.of(1, ...new Packr({ useRecords: false }).pack([min, max, null, 0]))
  expect(decodeClientFrame(hello(1, 7))).toMatchObject({ protocolMin: 1, protocolMax: 7 })
  expect(() => decodeClientFrame(hello(2, 1))).toThrow(BadFrameError)
  expect(() => decodeClientFrame(hello(0, 1))).toThrow(BadFrameError)
})

test('no entry of an append has an index beyond 2^53 - 1', () => {
  const previousIndex = Number.MAX_SAFE_INTEGER - 1
  const frame = encodePeerFrame({
    type: 'messages',
    messages: [
      {
        group: 1,
        from: 1,
        to: 2,
        message: {
          type: 'appendRequest',
          term: 1,
          previousIndex,
          previousTerm: 1,
          commitIndex: 0,
          entries: [{ index: previousIndex + 1, term: 1, bytes: 0 }],
        },
        payloads: [{ type: 'noop', stamp: 0, payload: new Uint8Array(0) }],
      },
    ],
  })
  expect(decodePeerFrame(frame).type).toBe('messages')
  // `type u8 | count u32`, then `type u8 | group u32 | from f64 | to f64 | term f64 | previousIndex f64`.
  const beyond = patched(frame, (view) => view.setFloat64(34, Number.MAX_SAFE_INTEGER, true))
  expect(() => decodePeerFrame(beyond)).toThrow(/an entry index/)
})
