import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BadFrameError,
  clientReplyBytesMax,
  clientRequestBytes,
  decodeClientFrame,
  decodePeerFrame,
  decodeServerFrame,
  encodeClientFrame,
  encodePeerFrame,
  encodeSection,
  encodeServerFrame,
  groupMessageBytesMax,
  limits,
  MESSAGES_HEADER_BYTES,
  type RelaxedRead,
  REPLIES_HEADER_BYTES,
  REQUESTS_HEADER_BYTES,
  rowChecksum,
} from '../src/index.ts'
import { clientFrame, clientSection, key, relaxedRead, reply, serverFrame } from './arbitraries.ts'
import { comparable } from './comparable.ts'
import { groupMessage, peerFrame } from './peer-arbitraries.ts'

/** The same bytes elsewhere in a larger buffer, as a network hands them out. */
function asView(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]).subarray(6, 6 + bytes.length)
}

test('every client frame comes back as it was', () => {
  fc.assert(
    fc.property(clientFrame, (frame) => {
      expect(comparable(decodeClientFrame(asView(encodeClientFrame(frame))))).toEqual(comparable(frame))
    }),
    { numRuns: 500 },
  )
})

test('every server frame comes back as it was, and nothing in it depends on the frame', () => {
  fc.assert(
    fc.property(serverFrame, (frame) => {
      const bytes = asView(encodeServerFrame(frame))
      const decoded = decodeServerFrame(bytes)
      bytes.fill(0xee)
      expect(comparable(decoded)).toEqual(comparable(frame))
    }),
    { numRuns: 500 },
  )
})

test('every peer frame comes back as it was, and nothing in it depends on the frame', () => {
  fc.assert(
    fc.property(peerFrame, (frame) => {
      const bytes = asView(encodePeerFrame(frame))
      const decoded = decodePeerFrame(bytes)
      bytes.fill(0xee)
      expect(comparable(decoded)).toEqual(comparable(frame))
    }),
    { numRuns: 800 },
  )
})

test('E5 every reply keeps its requestId and its own answers, in whatever order and company it travels', () => {
  const replies = fc.uniqueArray(reply, { maxLength: 12, selector: ({ requestId }) => requestId })
  fc.assert(
    fc.property(replies, fc.infiniteStream(fc.nat(2)), (list, cuts) => {
      const received = new Map<number, unknown>()
      let batch: typeof list = []
      const flush = () => {
        const frame = decodeServerFrame(encodeServerFrame({ type: 'replies', mapEpoch: 1, replies: batch }))
        for (const each of frame.type === 'replies' ? frame.replies : []) {
          expect(received.has(each.requestId)).toBe(false)
          received.set(each.requestId, each)
        }
        batch = []
      }
      for (const each of list) {
        batch.push(each)
        if (cuts.next().value === 0) flush()
      }
      flush()
      expect(comparable([...received])).toEqual(comparable(list.map((each) => [each.requestId, each])))
    }),
  )
})

test('a frame is never longer than the lengths of its parts say', () => {
  const write = clientSection.map((section) => ({
    type: 'write' as const,
    requestId: 1,
    group: 1,
    section: encodeSection(section),
  }))
  const read = fc
    .tuple(fc.array(key, { minLength: 1 }), fc.option(relaxedRead, { nil: undefined }))
    .map(([keys, how]) => ({
      type: 'read' as const,
      requestId: 1,
      section: { group: 1, keys },
      ...(how === undefined ? {} : { how }),
    }))
  const lists = fc.tuple(
    fc.array(fc.oneof(write, read), { maxLength: 4 }),
    fc.array(reply, { maxLength: 4 }),
    fc.array(groupMessage, { maxLength: 4 }),
  )
  const sum = (lengths: readonly number[]) => lengths.reduce((total, length) => total + length, 0)
  fc.assert(
    fc.property(lists, ([requests, replies, messages]) => {
      const requestsLength = REQUESTS_HEADER_BYTES + sum(requests.map(clientRequestBytes))
      expect(encodeClientFrame({ type: 'requests', mapEpoch: 3, requests })).toHaveLength(requestsLength)
      const repliesMax = REPLIES_HEADER_BYTES + sum(replies.map(clientReplyBytesMax))
      expect(encodeServerFrame({ type: 'replies', mapEpoch: 3, replies }).length).toBeLessThanOrEqual(
        repliesMax,
      )
      const messagesMax = MESSAGES_HEADER_BYTES + sum(messages.map(groupMessageBytesMax))
      expect(encodePeerFrame({ type: 'messages', messages }).length).toBeLessThanOrEqual(messagesMax)
    }),
  )
})

describe('reads that are not plain', () => {
  const section = { group: 7, keys: [new Uint8Array([9])] }
  const plain = { type: 'read' as const, requestId: 1, section }
  const relaxed = (how: RelaxedRead): Uint8Array =>
    encodeClientFrame({ type: 'requests', mapEpoch: 3, requests: [{ ...plain, how }] })

  test('have a type of request of their own, so that a node which does not know them refuses instead of misreading', () => {
    const frame = encodeClientFrame({ type: 'requests', mapEpoch: 3, requests: [plain] })
    expect(frame[REQUESTS_HEADER_BYTES]).toBe(2)
    expect(relaxed({ consistency: 'lease' })[REQUESTS_HEADER_BYTES]).toBe(3)
    expect(relaxed({ consistency: 'stale', maxAge: null })[REQUESTS_HEADER_BYTES]).toBe(3)
  })

  test('answers without an age are byte for byte what a client of before them knows', () => {
    const first = (age?: number | null): number | undefined =>
      encodeServerFrame({
        type: 'replies',
        mapEpoch: 3,
        replies: [
          {
            type: 'answers',
            requestId: 1,
            leaderTime: 2,
            answers: [],
            ...(age === undefined ? {} : { age }),
          },
        ],
      })[REPLIES_HEADER_BYTES]
    expect(first()).toBe(1)
    expect(first(null)).toBe(4)
    expect(first(17.5)).toBe(4)
  })

  test.each([
    ['an unknown consistency', 9, 3],
    ['no consistency', 9, 0],
    ['a flag that is none', 10, 2],
    ['a negative age', 18, 0xc0],
  ])('%s is a bad frame', (_, at, byte) => {
    const frame = relaxed({ consistency: 'stale', maxAge: 250.5 })
    frame[REQUESTS_HEADER_BYTES + at] = byte
    expect(() => decodeClientFrame(frame)).toThrow(BadFrameError)
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    'an age of %d cannot be asked for',
    (maxAge) => {
      expect(() => relaxed({ consistency: 'stale', maxAge })).toThrow(/maxAge/)
    },
  )
})

test('answers of one epoch and time name them once', () => {
  const done = {
    type: 'applied',
    position: { epoch: 9, version: 1, t: 5 },
    result: { type: 'done' },
  } as const
  const length = (count: number) =>
    encodeServerFrame({
      type: 'replies',
      mapEpoch: 1,
      replies: [
        { type: 'answers', requestId: 1, leaderTime: 5, answers: Array.from({ length: count }, () => done) },
      ],
    }).length
  expect(length(11) - length(1)).toBe(10 * 9)
})

test('the payloads of a decoded append do not keep the frame', () => {
  const payload = new Uint8Array(10).fill(1)
  const bytes = encodePeerFrame({
    type: 'messages',
    messages: [
      {
        group: 1,
        from: 1,
        to: 2,
        message: {
          type: 'appendRequest',
          term: 1,
          previousIndex: 0,
          previousTerm: 0,
          commitIndex: 0,
          entries: [{ index: 1, term: 1, bytes: 10 }],
        },
        payloads: [{ type: 'commands', stamp: 1, payload }],
      },
    ],
  })
  const frame = decodePeerFrame(bytes)
  expect(frame.type === 'messages' && frame.messages[0]?.payloads[0]?.payload.buffer).not.toBe(bytes.buffer)
})

test('a frame above 4 MiB is a programming mistake of the encoder', () => {
  const section = new Uint8Array(limits.sectionBytes)
  const request = { type: 'write', requestId: 1, group: 1, section } as const
  expect(encodeClientFrame({ type: 'requests', mapEpoch: 1, requests: [request] }).length).toBeLessThan(
    limits.frameBytes,
  )
  expect(() => encodeClientFrame({ type: 'requests', mapEpoch: 1, requests: [request, request] })).toThrow(
    /a frame of/,
  )
})

test('a rare frame with a field beyond its limits is a programming mistake of the encoder', () => {
  expect(() => encodeServerFrame({ type: 'unwelcome', code: 'CLOSED', message: 'x'.repeat(5000) })).toThrow(
    /no decoder takes/,
  )
  expect(() => encodeClientFrame({ type: 'status', requestId: 0.5 })).toThrow(/not a safe integer/)
})

test('the checksum of a row depends on kind, slot, key, value and where the key ends', () => {
  const text = (value: string) => new TextEncoder().encode(value)
  const row = { kind: 1, slot: 2, key: text('ab'), value: text('cd') }
  const sums = [
    row,
    { ...row, kind: 2 },
    { ...row, slot: 3 },
    { ...row, key: text('abc'), value: text('d') },
    { ...row, key: text('xb') },
    { ...row, value: text('ce') },
  ].map(rowChecksum)
  expect(new Set(sums).size).toBe(sums.length)
  expect(rowChecksum({ ...row })).toBe(sums[0])
  expect(sums[0]).toBe(538_946_401)
})
