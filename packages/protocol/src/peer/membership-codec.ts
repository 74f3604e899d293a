// What nodes tell each other about members of groups, besides the groups' own messages.
import { FieldReader } from '../bytes/field-reader.ts'
import { packFrame, unpackFrame } from '../bytes/plain-pack.ts'
import { peerFrameTypes } from '../frame-types.ts'
import { limits } from '../limits.ts'
import type { PeerFrame } from '../peer-frame.ts'

type Frame<Type extends PeerFrame['type']> = Extract<PeerFrame, { type: Type }>

export function encodeExcluded({ group, to, configurationIndex }: Frame<'excluded'>): Uint8Array {
  return packFrame(peerFrameTypes.excluded, [group, to, configurationIndex])
}

export function decodeExcluded(bytes: Uint8Array): Frame<'excluded'> {
  const fields = new FieldReader(unpackFrame(bytes), 3)
  const group = fields.u32()
  const to = fields.positive()
  return { type: 'excluded', group, to, configurationIndex: fields.natural() }
}

export function encodeMetaReport({ command }: Frame<'metaReport'>): Uint8Array {
  return packFrame(peerFrameTypes.metaReport, [command])
}

/** The command is the host's to decode. */
export function decodeMetaReport(bytes: Uint8Array): Frame<'metaReport'> {
  const fields = new FieldReader(unpackFrame(bytes), 1)
  const command = fields.copy()
  if (command.length > limits.messageBytes) fields.fail('a meta command that is too long')
  return { type: 'metaReport', command }
}

export function encodeLoad({ leads }: Frame<'load'>): Uint8Array {
  return packFrame(peerFrameTypes.load, [leads])
}

export function decodeLoad(bytes: Uint8Array): Frame<'load'> {
  return { type: 'load', leads: new FieldReader(unpackFrame(bytes), 1).u32() }
}
