// Client -> node.
import assert from 'node:assert/strict'
import { ByteReader } from '../bytes/byte-reader.ts'
import { ByteWriter } from '../bytes/byte-writer.ts'
import { FieldReader } from '../bytes/field-reader.ts'
import { packFrame, unpackFrame } from '../bytes/plain-pack.ts'
import { BadFrameError } from '../bad-frame-error.ts'
import type { ClientFrame, ClientRequest, RelaxedRead } from '../client-frame.ts'
import type { ReadSection } from '../command.ts'
import { checkedFrame, decodableFrame, frameTypeOf } from '../frame-length.ts'
import { clientFrameTypes } from '../frame-types.ts'
import { limits } from '../limits.ts'
import { decodeAdmin, encodeAdmin } from './admin-codec.ts'
import { unreachable } from '../unreachable.ts'

/** `type u8 | mapEpoch f64 | count u32`. */
export const REQUESTS_HEADER_BYTES = 13

export const WRITE = 1
export const READ = 2
export const RELAXED_READ = 3
/** `type u8 | requestId f64 | group u32`, then `length u32` (write) or `count u16` (read). */
export const WRITE_BYTES = 17
export const READ_BYTES = 15
const LEASE = 1
const STALE = 2

/** Encodes a frame in bytes of its own. Above `limits.frameBytes` it asserts: cut with `clientRequestBytes`. */
export function encodeClientFrame(frame: ClientFrame): Uint8Array {
  switch (frame.type) {
    case 'hello': {
      const fields = [frame.protocolMin, frame.protocolMax, frame.clusterId, frame.features]
      return decodableFrame(packFrame(clientFrameTypes.hello, fields), decodeClientFrame)
    }
    case 'requests':
      return encodeRequests(frame.mapEpoch, frame.requests)
    case 'status':
      return decodableFrame(packFrame(clientFrameTypes.status, [frame.requestId]), decodeClientFrame)
    case 'admin':
      return decodableFrame(encodeAdmin(frame), decodeClientFrame)
    default:
      return unreachable(frame)
  }
}

/**
 * Decodes a client's frame. Sections and keys in it are *views* of `bytes`: copy them before keeping them longer. A
 * write's section is not looked into: `validateSection` does that.
 * @throws BadFrameError for anything else than exactly one well-formed frame
 */
export function decodeClientFrame(bytes: Uint8Array): ClientFrame {
  switch (frameTypeOf(bytes)) {
    case clientFrameTypes.hello:
      return decodeHello(bytes)
    case clientFrameTypes.requests:
      return decodeRequests(bytes)
    case clientFrameTypes.status: {
      const fields = new FieldReader(unpackFrame(bytes), 1)
      return { type: 'status', requestId: fields.natural() }
    }
    case clientFrameTypes.admin:
      return decodeAdmin(bytes)
    default:
      throw new BadFrameError('an unknown type of client frame')
  }
}

/** Length that a request adds to a `requests` frame. */
export function clientRequestBytes(request: ClientRequest): number {
  if (request.type === 'write') return WRITE_BYTES + request.section.length
  const fixed = READ_BYTES + howBytes(request.how)
  return request.section.keys.reduce((length, key) => length + 2 + key.length, fixed)
}

function decodeHello(bytes: Uint8Array): ClientFrame {
  const fields = new FieldReader(unpackFrame(bytes), 4)
  const protocolMin = fields.positive()
  const protocolMax = fields.positive()
  if (protocolMin > protocolMax) fields.fail('an empty range of versions')
  const clusterId = fields.identityOrNull()
  return { type: 'hello', protocolMin, protocolMax, clusterId, features: fields.u32() }
}

function encodeRequests(mapEpoch: number, requests: readonly ClientRequest[]): Uint8Array {
  const length = requests.reduce((sum, request) => sum + clientRequestBytes(request), REQUESTS_HEADER_BYTES)
  const writer = new ByteWriter(length)
  writer.u8(clientFrameTypes.requests, 'frame type')
  writer.natural(mapEpoch, 'mapEpoch')
  writer.u32(requests.length, 'requests')
  for (const request of requests) writeRequest(writer, request)
  return checkedFrame(writer.finish())
}

function writeRequest(writer: ByteWriter, request: ClientRequest): void {
  writer.u8(typeOf(request), 'request type')
  writer.natural(request.requestId, 'requestId')
  if (request.type === 'write') {
    writer.u32(request.group, 'group')
    writer.u32(request.section.length, 'section length')
    writer.raw(request.section)
    return
  }
  if (request.how !== undefined) writeHow(writer, request.how)
  const { group, keys } = request.section
  if (keys.length === 0 || keys.length > limits.sectionCommands) assert.fail(`a read of ${keys.length} keys`)
  writer.u32(group, 'group')
  writer.u16(keys.length, 'keys')
  for (const key of keys) {
    if (key.length === 0 || key.length > limits.keyBytes) assert.fail(`a key of ${key.length} bytes`)
    writer.u16(key.length, 'key length')
    writer.raw(key)
  }
}

function typeOf(request: ClientRequest): number {
  if (request.type === 'write') return WRITE
  return request.how === undefined ? READ : RELAXED_READ
}

/** `consistency u8`, and of a stale read `hasMaxAge u8`, `maxAge f64`. */
/** Longer than what `writeHow` writes never is. */
export const HOW_BYTES_MAX = 10

function howBytes(how: RelaxedRead | undefined): number {
  if (how === undefined) return 0
  if (how.consistency === 'lease') return 1
  return how.maxAge === null ? 2 : 10
}

export function writeHow(writer: ByteWriter, how: RelaxedRead): void {
  writer.u8(how.consistency === 'lease' ? LEASE : STALE, 'consistency')
  if (how.consistency === 'lease') return
  writer.flag(how.maxAge !== null)
  if (how.maxAge !== null) writer.milliseconds(how.maxAge, 'maxAge')
}

function decodeRequests(bytes: Uint8Array): ClientFrame {
  const reader = new ByteReader(bytes, 1)
  const mapEpoch = reader.natural()
  const requests: ClientRequest[] = []
  for (let left = reader.u32(); left > 0; left -= 1) requests.push(readRequest(reader))
  reader.end()
  return { type: 'requests', mapEpoch, requests }
}

function readRequest(reader: ByteReader): ClientRequest {
  const type = reader.u8()
  const requestId = reader.natural()
  switch (type) {
    case WRITE: {
      const group = reader.u32()
      const length = reader.u32()
      if (length > limits.sectionBytes) reader.fail('a section above its limit')
      return { type: 'write', requestId, group, section: reader.view(length) }
    }
    case READ:
      return { type: 'read', requestId, section: readReadSection(reader) }
    case RELAXED_READ: {
      const how = readHow(reader)
      return { type: 'read', requestId, how, section: readReadSection(reader) }
    }
    default:
      return reader.fail('an unknown type of request')
  }
}

function readHow(reader: ByteReader): RelaxedRead {
  switch (reader.u8()) {
    case LEASE:
      return { consistency: 'lease' }
    case STALE:
      return { consistency: 'stale', maxAge: reader.flag() ? reader.milliseconds() : null }
    default:
      return reader.fail('an unknown consistency')
  }
}

function readReadSection(reader: ByteReader): ReadSection {
  const group = reader.u32()
  const count = reader.u16()
  if (count === 0 || count > limits.sectionCommands) reader.fail('a number of keys out of range')
  const keys: Uint8Array[] = []
  for (let left = count; left > 0; left -= 1) {
    const length = reader.u16()
    if (length === 0 || length > limits.keyBytes) reader.fail('a key length out of range')
    keys.push(reader.view(length))
  }
  return { group, keys }
}
