// Commands of the meta group's log. They are rare: msgpackr arrays, validated where they are decoded.
import { BadFrameError, type MapNode } from '@quorate/protocol'
import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: false })

export type MetaCommand =
  /** The first command of a cluster: its first nodes; all meta replicas are minted here. Legal once. */
  | {
      readonly type: 'form'
      readonly nodes: readonly MapNode[]
      readonly shards: number
      readonly replicas: number
    }
  /** All first nodes are members of the meta group: the shards are created. Legal once, after `form`. */
  | { readonly type: 'open' }
  /** A blank node that asked to join; repeated for the same dirId it only updates the addresses. */
  | { readonly type: 'addNode'; readonly node: MapNode }

export function encodeMetaCommand(command: MetaCommand): Uint8Array {
  switch (command.type) {
    case 'form':
      return packr.pack([1, command.nodes.map(nodeArray), command.shards, command.replicas])
    case 'open':
      return packr.pack([2])
    case 'addNode':
      return packr.pack([3, nodeArray(command.node)])
  }
}

/** Throws `BadFrameError` on anything that `encodeMetaCommand` does not make. */
export function decodeMetaCommand(bytes: Uint8Array): MetaCommand {
  let decoded: unknown
  try {
    decoded = packr.unpack(bytes)
  } catch (error) {
    throw new BadFrameError('a meta command that is no msgpack', { cause: error })
  }
  if (!Array.isArray(decoded)) throw new BadFrameError('a meta command that is no array')
  const [kind, first, shards, replicas] = decoded as unknown[]
  if (kind === 1 && Array.isArray(first) && isCount(shards) && isCount(replicas))
    return { type: 'form', nodes: first.map(nodeOf), shards, replicas }
  if (kind === 2) return { type: 'open' }
  if (kind === 3) return { type: 'addNode', node: nodeOf(first) }
  throw new BadFrameError('an unknown meta command')
}

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= 1_024

export const nodeArray = (node: MapNode): unknown[] => [
  node.dirId,
  node.name,
  node.peerAddress,
  node.clientAddress,
]

export function nodeOf(value: unknown): MapNode {
  if (!Array.isArray(value)) throw new BadFrameError('a node that is no array')
  const [dirId, name, peerAddress, clientAddress] = value as unknown[]
  if (
    typeof dirId !== 'string' ||
    typeof name !== 'string' ||
    typeof peerAddress !== 'string' ||
    typeof clientAddress !== 'string'
  )
    throw new BadFrameError('a node with a field that is no text')
  return { dirId, name, peerAddress, clientAddress }
}
