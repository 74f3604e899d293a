// Who dials whom: hello, its answers, and a new node's wish to join.
import { FieldReader } from '../bytes/field-reader.ts'
import { packFrame, unpackFrame } from '../bytes/plain-pack.ts'
import { peerFrameTypes } from '../frame-types.ts'
import { limits } from '../limits.ts'
import type { PeerFrame, PeerHello, PeerRefusal } from '../peer-frame.ts'
import { channels } from './channel.ts'

type Frame<Type extends PeerFrame['type']> = Extract<PeerFrame, { type: Type }>

const refusals: readonly PeerRefusal[] = [
  'WRONG_CLUSTER',
  'WRONG_NODE',
  'RESTORED',
  'BANNED',
  'REMOVED',
  'PROTOCOL_VERSION',
  'BAD_FRAME',
]

export function encodePeerHello(frame: PeerHello): Uint8Array {
  return packFrame(peerFrameTypes.hello, [
    frame.protocolMin,
    frame.protocolMax,
    frame.features,
    frame.clusterId,
    frame.dirId,
    frame.boot,
    frame.name,
    frame.peerAddress,
    frame.clientAddress,
    frame.to,
    frame.mapEpoch,
    frame.recoveredLog,
    frame.channel,
    frame.link,
  ])
}

export function decodePeerHello(bytes: Uint8Array): PeerHello {
  const fields = new FieldReader(unpackFrame(bytes), 14)
  const protocolMin = fields.positive()
  const protocolMax = fields.positive()
  if (protocolMin > protocolMax) fields.fail('an empty range of versions')
  return {
    type: 'hello',
    protocolMin,
    protocolMax,
    features: fields.u32(),
    clusterId: fields.identityOrNull(),
    dirId: fields.identity(),
    boot: fields.natural(),
    name: fields.text(1, limits.nameBytes),
    peerAddress: fields.text(1, limits.addressBytes),
    clientAddress: fields.text(1, limits.addressBytes),
    to: fields.identityOrNull(),
    mapEpoch: fields.natural(),
    recoveredLog: fields.natural(),
    channel: fields.word(channels),
    link: fields.positive(),
  }
}

export function encodePeerWelcome(frame: Frame<'welcome'>): Uint8Array {
  const { dirId, boot, clusterId, protocol, mapEpoch } = frame
  return packFrame(peerFrameTypes.welcome, [dirId, boot, clusterId, protocol, mapEpoch])
}

export function decodePeerWelcome(bytes: Uint8Array): Frame<'welcome'> {
  const fields = new FieldReader(unpackFrame(bytes), 5)
  return {
    type: 'welcome',
    dirId: fields.identity(),
    boot: fields.natural(),
    clusterId: fields.identityOrNull(),
    protocol: fields.positive(),
    mapEpoch: fields.natural(),
  }
}

export function encodePeerUnwelcome(frame: Frame<'unwelcome'>): Uint8Array {
  return packFrame(peerFrameTypes.unwelcome, [frame.code, frame.message])
}

export function decodePeerUnwelcome(bytes: Uint8Array): Frame<'unwelcome'> {
  const fields = new FieldReader(unpackFrame(bytes), 2)
  return { type: 'unwelcome', code: fields.word(refusals), message: fields.text(0, limits.messageBytes) }
}

export function encodeJoin(frame: Frame<'join'>): Uint8Array {
  const { name, dirId, peerAddress, clientAddress } = frame
  return packFrame(peerFrameTypes.join, [name, dirId, peerAddress, clientAddress])
}

export function decodeJoin(bytes: Uint8Array): Frame<'join'> {
  const fields = new FieldReader(unpackFrame(bytes), 4)
  return {
    type: 'join',
    name: fields.text(1, limits.nameBytes),
    dirId: fields.identity(),
    peerAddress: fields.text(1, limits.addressBytes),
    clientAddress: fields.text(1, limits.addressBytes),
  }
}
