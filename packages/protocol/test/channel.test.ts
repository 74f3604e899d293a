import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  BadFrameError,
  channelOf,
  channels,
  decodePeerFrame,
  encodePeerFrame,
  type PeerFrame,
  travelsOn,
} from '../src/index.ts'
import { groupMessage, peerFrame } from './peer-arbitraries.ts'

const places: Record<PeerFrame['type'], readonly string[]> = {
  hello: [],
  welcome: [],
  unwelcome: [],
  progress: [],
  probe: ['control', 'append', 'bulk'],
  messages: ['control', 'append'],
  heartbeat: ['control'],
  heartbeatAnswer: ['control'],
  map: ['control'],
  join: ['control'],
  snapshotAnswer: ['control'],
  stateHash: ['control'],
  excluded: ['control'],
  metaReport: ['control'],
  load: ['control'],
  snapshotChunk: ['bulk'],
}

test('a frame travels on one of the three connections, a probe on each, a greeting or its answer on none', () => {
  fc.assert(
    fc.property(peerFrame, (frame) => {
      const on = channels.filter((channel) => travelsOn(frame, channel))
      const messages = frame.type === 'messages' ? frame.messages : []
      const admits = (channel: string) => messages.every((message) => channelOf(message) === channel)
      expect(on).toEqual(places[frame.type].filter(admits))
    }),
    { numRuns: 500 },
  )
})

test('messages travel together only if they go the same way, and only appends go with the data', () => {
  fc.assert(
    fc.property(fc.array(groupMessage, { minLength: 1, maxLength: 5 }), (messages) => {
      for (const channel of channels) {
        const own = messages.filter((message) => channelOf(message) === channel)
        const all = own.length === messages.length
        expect(travelsOn({ type: 'messages', messages }, channel)).toBe(all)
        expect(
          own.every(({ message }) => (message.type === 'appendRequest') === (channel === 'append')),
        ).toBe(true)
      }
    }),
  )
})

test('no progress says that more is done than was received', () => {
  const bytes = encodePeerFrame({ type: 'progress', received: 7, done: 7 })
  expect(decodePeerFrame(bytes)).toEqual({ type: 'progress', received: 7, done: 7 })
  new DataView(bytes.buffer, bytes.byteOffset).setFloat64(9, 8, true)
  expect(() => decodePeerFrame(bytes)).toThrow(BadFrameError)
  expect(() => encodePeerFrame({ type: 'progress', received: 1, done: 2 })).toThrow(/more is done/)
})
