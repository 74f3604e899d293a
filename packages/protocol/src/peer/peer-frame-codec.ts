// Node -> node.
import { BadFrameError } from '../bad-frame-error.ts'
import { ByteReader } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { FieldReader } from '../bytes/field-reader.ts'
import { packFrame, unpackFrame } from '../bytes/plain-pack.ts'
import { checkedFrame, decodableFrame, frameTypeOf } from '../frame-length.ts'
import { peerFrameTypes } from '../frame-types.ts'
import { decodeShardMap, encodeShardMap } from '../map/shard-map-codec.ts'
import type { GroupMessage, PeerFrame } from '../peer-frame.ts'
import { groupMessageBytesMax, readGroupMessage, writeGroupMessage } from './group-message-codec.ts'
import {
  decodeHeartbeat,
  decodeHeartbeatAnswer,
  encodeHeartbeat,
  encodeHeartbeatAnswer,
} from './heartbeat-codec.ts'
import {
  decodeJoin,
  decodePeerHello,
  decodePeerUnwelcome,
  decodePeerWelcome,
  encodeJoin,
  encodePeerHello,
  encodePeerUnwelcome,
  encodePeerWelcome,
} from './introduction-codec.ts'
import { decodeProbe, decodeProgress, encodeProbe, encodeProgress } from './progress-codec.ts'
import {
  decodeSnapshotAnswer,
  decodeSnapshotChunk,
  encodeSnapshotAnswer,
  encodeSnapshotChunk,
} from './snapshot-codec.ts'
import {
  decodeExcluded,
  decodeLoad,
  decodeMetaReport,
  encodeExcluded,
  encodeLoad,
  encodeMetaReport,
} from './membership-codec.ts'
import { unreachable } from '../unreachable.ts'

/** `type u8 | count u32`. */
export const MESSAGES_HEADER_BYTES = 5

/** A state hash, in hex digits. */
const HASH_DIGITS_MAX = 128
const HASH = /^[0-9a-f]+$/

/**
 * Encodes a frame in bytes of its own. Above `limits.frameBytes` it asserts: cut with `groupMessageBytesMax` and
 * `snapshotRowBytesMax`.
 */
export function encodePeerFrame(frame: PeerFrame): Uint8Array {
  switch (frame.type) {
    case 'hello':
      return decodableFrame(encodePeerHello(frame), decodePeerHello)
    case 'welcome':
      return decodableFrame(encodePeerWelcome(frame), decodePeerWelcome)
    case 'unwelcome':
      return decodableFrame(encodePeerUnwelcome(frame), decodePeerUnwelcome)
    case 'messages':
      return encodeMessages(frame.messages)
    case 'heartbeat':
      return checkedFrame(encodeHeartbeat(frame))
    case 'heartbeatAnswer':
      return checkedFrame(encodeHeartbeatAnswer(frame))
    case 'map':
      return checkedFrame(packFrame(peerFrameTypes.map, [encodeShardMap(frame.map)]))
    case 'join':
      return decodableFrame(encodeJoin(frame), decodeJoin)
    case 'snapshotChunk':
      return encodeSnapshotChunk(frame)
    case 'snapshotAnswer':
      return decodableFrame(encodeSnapshotAnswer(frame), decodeSnapshotAnswer)
    case 'stateHash':
      return decodableFrame(encodeStateHash(frame), decodeStateHash)
    case 'probe':
      return encodeProbe(frame)
    case 'progress':
      return encodeProgress(frame)
    case 'excluded':
      return decodableFrame(encodeExcluded(frame), decodeExcluded)
    case 'metaReport':
      return decodableFrame(encodeMetaReport(frame), decodeMetaReport)
    case 'load':
      return decodableFrame(encodeLoad(frame), decodeLoad)
    default:
      return unreachable(frame)
  }
}

/**
 * Decodes a peer's frame. Everything in it is safe to keep: payloads and rows are copies of their own.
 * Payloads of commands are not looked into: `validateSections` does that.
 * @throws BadFrameError for anything else than exactly one well-formed frame
 */
export function decodePeerFrame(bytes: Uint8Array): PeerFrame {
  switch (frameTypeOf(bytes)) {
    case peerFrameTypes.hello:
      return decodePeerHello(bytes)
    case peerFrameTypes.welcome:
      return decodePeerWelcome(bytes)
    case peerFrameTypes.unwelcome:
      return decodePeerUnwelcome(bytes)
    case peerFrameTypes.messages:
      return decodeMessages(bytes)
    case peerFrameTypes.heartbeat:
      return decodeHeartbeat(bytes)
    case peerFrameTypes.heartbeatAnswer:
      return decodeHeartbeatAnswer(bytes)
    case peerFrameTypes.map:
      return { type: 'map', map: decodeShardMap(new FieldReader(unpackFrame(bytes), 1).view()) }
    case peerFrameTypes.join:
      return decodeJoin(bytes)
    case peerFrameTypes.snapshotChunk:
      return decodeSnapshotChunk(bytes)
    case peerFrameTypes.snapshotAnswer:
      return decodeSnapshotAnswer(bytes)
    case peerFrameTypes.stateHash:
      return decodeStateHash(bytes)
    case peerFrameTypes.probe:
      return decodeProbe(bytes)
    case peerFrameTypes.progress:
      return decodeProgress(bytes)
    case peerFrameTypes.excluded:
      return decodeExcluded(bytes)
    case peerFrameTypes.metaReport:
      return decodeMetaReport(bytes)
    case peerFrameTypes.load:
      return decodeLoad(bytes)
    default:
      throw new BadFrameError('an unknown type of peer frame')
  }
}

function encodeMessages(messages: readonly GroupMessage[]): Uint8Array {
  const capacity = messages.reduce(
    (sum, message) => sum + groupMessageBytesMax(message),
    MESSAGES_HEADER_BYTES,
  )
  const writer = new ByteWriter(capacity)
  writer.u8(peerFrameTypes.messages, 'frame type')
  writer.u32(messages.length, 'messages')
  for (const message of messages) writeGroupMessage(writer, message)
  return checkedFrame(writer.finish())
}

function decodeMessages(bytes: Uint8Array): PeerFrame {
  const reader = new ByteReader(bytes, 1)
  const messages: GroupMessage[] = []
  for (let left = reader.u32(); left > 0; left -= 1) messages.push(readGroupMessage(reader))
  reader.end()
  return { type: 'messages', messages }
}

function encodeStateHash(frame: Extract<PeerFrame, { type: 'stateHash' }>): Uint8Array {
  return packFrame(peerFrameTypes.stateHash, [frame.group, frame.from, frame.index, frame.hash])
}

function decodeStateHash(bytes: Uint8Array): PeerFrame {
  const fields = new FieldReader(unpackFrame(bytes), 4)
  const group = fields.u32()
  const from = fields.positive()
  const index = fields.natural()
  const hash = fields.text(1, HASH_DIGITS_MAX)
  if (!HASH.test(hash)) fields.fail('a hash that is not lower-case hex')
  return { type: 'stateHash', group, from, index, hash }
}
