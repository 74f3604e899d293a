// Changes of members, asked for over a client connection.
import { FieldReader } from '../bytes/field-reader.ts'
import { packFrame, unpackFrame } from '../bytes/plain-pack.ts'
import type { AdminRequest, ClientFrame, ServerFrame } from '../client-frame.ts'
import { clientFrameTypes, serverFrameTypes } from '../frame-types.ts'
import { limits } from '../limits.ts'

type AdminFrame = Extract<ClientFrame, { type: 'admin' }>
type AdminAnswer = Extract<ServerFrame, { type: 'admin' }>

const actions = ['assign', 'cancel', 'remove'] as const

/** Every request as `requestId, action, group, change, names`. */
export function encodeAdmin({ requestId, request }: AdminFrame): Uint8Array {
  switch (request.action) {
    case 'assign':
      return packFrame(clientFrameTypes.admin, [requestId, 'assign', request.group, 0, request.nodes])
    case 'cancel':
      return packFrame(clientFrameTypes.admin, [requestId, 'cancel', request.group, request.change, []])
    case 'remove':
      return packFrame(clientFrameTypes.admin, [requestId, 'remove', 0, 0, [request.node]])
  }
}

export function decodeAdmin(bytes: Uint8Array): AdminFrame {
  const fields = new FieldReader(unpackFrame(bytes), 5)
  const requestId = fields.natural()
  const action = fields.word(actions)
  const group = fields.u32()
  const change = fields.natural()
  const listed = fields.array()
  if (listed.length > limits.configurationReplicas) fields.fail('too many nodes')
  const names = new FieldReader(listed, listed.length)
  const nodes = listed.map(() => names.text(1, limits.nameBytes))
  return { type: 'admin', requestId, request: requestOf(fields, { action, group, change, nodes }) }
}

function requestOf(
  fields: FieldReader,
  given: {
    readonly action: AdminRequest['action']
    readonly group: number
    readonly change: number
    readonly nodes: readonly string[]
  },
): AdminRequest {
  const { action, group, change, nodes } = given
  const [node] = nodes
  if (action === 'assign' && change === 0) return { action, group, nodes }
  if (action === 'cancel' && node === undefined) return { action, group, change }
  if (action === 'remove' && node !== undefined && nodes.length === 1 && group === 0 && change === 0)
    return { action, node }
  return fields.fail(`fields that do not belong to ${action}`)
}

export function encodeAdminAnswer({ requestId, change, reason }: AdminAnswer): Uint8Array {
  return packFrame(serverFrameTypes.admin, [requestId, change ?? 0, reason])
}

export function decodeAdminAnswer(bytes: Uint8Array): AdminAnswer {
  const fields = new FieldReader(unpackFrame(bytes), 3)
  const requestId = fields.natural()
  const change = fields.natural()
  const reason = fields.text(0, limits.messageBytes)
  return { type: 'admin', requestId, change: change === 0 ? null : change, reason }
}
