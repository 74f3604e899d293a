// Node -> client.
import assert from 'node:assert/strict'
import { answerBytesMax, positionZero, readAnswer, writeAnswer } from '../answer.ts'
import { BadFrameError } from '../bad-frame-error.ts'
import { ByteReader } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { FieldReader } from '../bytes/field-reader.ts'
import { packFrame, unpackFrame } from '../bytes/plain-pack.ts'
import type { ClientReply, ServerFrame } from '../client-frame.ts'
import type { Answer } from '../command.ts'
import { type ErrorCode, errorCodes } from '../errors.ts'
import { checkedFrame, decodableFrame, frameTypeOf } from '../frame-length.ts'
import { serverFrameTypes } from '../frame-types.ts'
import { limits } from '../limits.ts'
import { decodeShardMap, encodeShardMap } from '../map/shard-map-codec.ts'
import { decodeAdminAnswer, encodeAdminAnswer } from './admin-codec.ts'
import { unreachable } from '../unreachable.ts'

/** `type u8 | mapEpoch f64 | count u32`. */
export const REPLIES_HEADER_BYTES = 13

const ANSWERS = 1
const REFUSED = 2
const OPEN = 3
const AGED_ANSWERS = 4
/** `type u8 | requestId f64 | leaderTime f64 | count u16`. */
const ANSWERS_BYTES = 19
/** `hasAge u8 | age f64`. */
const AGE_BYTES_MAX = 9
/** Codes are ASCII words. */
const CODE_BYTES = 64

/** Encodes a frame in bytes of its own. Above `limits.frameBytes` it asserts: cut with `clientReplyBytesMax`. */
export function encodeServerFrame(frame: ServerFrame): Uint8Array {
  return frame.type === 'replies'
    ? encodeReplies(frame.mapEpoch, frame.replies)
    : decodableFrame(packServerFrame(frame), decodeServerFrame)
}

function packServerFrame(frame: Exclude<ServerFrame, { type: 'replies' }>): Uint8Array {
  switch (frame.type) {
    case 'welcome': {
      const { protocol, clusterId, node, boot, features, map } = frame
      const fields = [protocol, clusterId, node, boot, features, encodeShardMap(map)]
      return packFrame(serverFrameTypes.welcome, fields)
    }
    case 'unwelcome':
      return packFrame(serverFrameTypes.unwelcome, [frame.code, frame.message])
    case 'map':
      return packFrame(serverFrameTypes.map, [encodeShardMap(frame.map)])
    case 'status':
      return packFrame(serverFrameTypes.status, [frame.requestId, frame.json])
    case 'admin':
      return encodeAdminAnswer(frame)
    default:
      return unreachable(frame)
  }
}

/**
 * Decodes a node's frame. Everything in it is safe to keep: values are copies.
 * @throws BadFrameError for anything else than exactly one well-formed frame
 */
export function decodeServerFrame(bytes: Uint8Array): ServerFrame {
  switch (frameTypeOf(bytes)) {
    case serverFrameTypes.welcome:
      return decodeWelcome(bytes)
    case serverFrameTypes.unwelcome: {
      const fields = new FieldReader(unpackFrame(bytes), 2)
      const code = fields.word(errorCodes)
      return { type: 'unwelcome', code, message: fields.text(0, limits.messageBytes) }
    }
    case serverFrameTypes.replies:
      return decodeReplies(bytes)
    case serverFrameTypes.map: {
      const fields = new FieldReader(unpackFrame(bytes), 1)
      return { type: 'map', map: decodeShardMap(fields.view()) }
    }
    case serverFrameTypes.status: {
      const fields = new FieldReader(unpackFrame(bytes), 2)
      const requestId = fields.natural()
      return { type: 'status', requestId, json: fields.text(0, limits.frameBytes) }
    }
    case serverFrameTypes.admin:
      return decodeAdminAnswer(bytes)
    default:
      throw new BadFrameError('an unknown type of server frame')
  }
}

/** An upper bound of the length that a reply adds to a `replies` frame. */
export function clientReplyBytesMax(reply: ClientReply): number {
  if (reply.type !== 'answers') return 1 + 8 + 2 + CODE_BYTES + 1 + 2 + limits.addressBytes + 1 + 8
  return reply.answers.reduce(
    (length, answer) => length + answerBytesMax(answer),
    ANSWERS_BYTES + AGE_BYTES_MAX,
  )
}

function decodeWelcome(bytes: Uint8Array): ServerFrame {
  const fields = new FieldReader(unpackFrame(bytes), 6)
  const protocol = fields.positive()
  const clusterId = fields.identity()
  const node = fields.text(1, limits.nameBytes)
  const boot = fields.natural()
  const features = fields.u32()
  return { type: 'welcome', protocol, clusterId, node, boot, features, map: decodeShardMap(fields.view()) }
}

function encodeReplies(mapEpoch: number, replies: readonly ClientReply[]): Uint8Array {
  const capacity = replies.reduce((sum, reply) => sum + clientReplyBytesMax(reply), REPLIES_HEADER_BYTES)
  const writer = new ByteWriter(capacity)
  writer.u8(serverFrameTypes.replies, 'frame type')
  writer.natural(mapEpoch, 'mapEpoch')
  writer.u32(replies.length, 'replies')
  for (const reply of replies) writeReply(writer, reply)
  return checkedFrame(writer.finish())
}

function writeReply(writer: ByteWriter, reply: ClientReply): void {
  if (reply.type === 'answers') {
    writer.u8(reply.age === undefined ? ANSWERS : AGED_ANSWERS, 'reply type')
    writer.natural(reply.requestId, 'requestId')
    if (reply.age !== undefined) writeAge(writer, reply.age)
    writeAnswers(writer, reply.leaderTime, reply.answers)
    return
  }
  writer.u8(reply.type === 'refused' ? REFUSED : OPEN, 'reply type')
  writer.natural(reply.requestId, 'requestId')
  writer.text(reply.code, CODE_BYTES, 'code')
  writer.flag(reply.leader !== null)
  if (reply.leader !== null) writer.text(reply.leader, limits.addressBytes, 'leader')
  if (reply.type === 'open') return
  writer.flag(reply.leaderTime !== undefined)
  if (reply.leaderTime !== undefined) writer.natural(reply.leaderTime, 'leaderTime')
}

function writeAge(writer: ByteWriter, age: number | null): void {
  writer.flag(age !== null)
  if (age !== null) writer.milliseconds(age, 'age')
}

function writeAnswers(writer: ByteWriter, leaderTime: number, answers: readonly Answer[]): void {
  if (answers.length > limits.sectionCommands) assert.fail(`${answers.length} answers in a reply`)
  writer.natural(leaderTime, 'leaderTime')
  writer.u16(answers.length, 'answers')
  let previous = positionZero
  for (const answer of answers) {
    writeAnswer(writer, answer, previous)
    previous = answer.position
  }
}

function decodeReplies(bytes: Uint8Array): ServerFrame {
  const reader = new ByteReader(bytes, 1)
  const mapEpoch = reader.natural()
  const replies: ClientReply[] = []
  for (let left = reader.u32(); left > 0; left -= 1) replies.push(readReply(reader))
  reader.end()
  return { type: 'replies', mapEpoch, replies }
}

function readReply(reader: ByteReader): ClientReply {
  const type = reader.u8()
  const requestId = reader.natural()
  switch (type) {
    case ANSWERS: {
      const leaderTime = reader.natural()
      return { type: 'answers', requestId, leaderTime, answers: readAnswers(reader) }
    }
    case AGED_ANSWERS: {
      const age = reader.flag() ? reader.milliseconds() : null
      const leaderTime = reader.natural()
      return { type: 'answers', requestId, leaderTime, answers: readAnswers(reader), age }
    }
    case REFUSED:
    case OPEN: {
      const code = readCode(reader)
      const leader = reader.flag() ? reader.text(limits.addressBytes) : null
      if (type === OPEN) return { type: 'open', requestId, code, leader }
      if (!reader.flag()) return { type: 'refused', requestId, code, leader }
      return { type: 'refused', requestId, code, leader, leaderTime: reader.natural() }
    }
    default:
      return reader.fail('an unknown type of reply')
  }
}

function readAnswers(reader: ByteReader): Answer[] {
  const count = reader.u16()
  if (count > limits.sectionCommands) reader.fail('a number of answers out of range')
  const answers: Answer[] = []
  let previous = positionZero
  for (let left = count; left > 0; left -= 1) {
    const answer = readAnswer(reader, previous)
    answers.push(answer)
    previous = answer.position
  }
  return answers
}

function readCode(reader: ByteReader): ErrorCode {
  const text = reader.text(CODE_BYTES)
  return errorCodes.find((code) => code === text) ?? reader.fail('an unknown error code')
}
