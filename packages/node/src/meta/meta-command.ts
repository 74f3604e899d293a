// Commands of the meta group's log. They are rare: msgpackr arrays, validated where they are decoded.
import { BadFrameError, type DirId, limits, type MapNode } from '@quorate/protocol'
import { Packr } from 'msgpackr'

const packr = new Packr({ useRecords: false })

export type MetaCommand =
  /** The first command of a cluster: its first nodes; all meta replicas are minted here. Legal once. */
  | {
      readonly type: 'form'
      readonly nodes: readonly MapNode[]
      readonly shards: number
      readonly replicas: number
      /** What the entries of all shards together may take, bytes; 0 = no limit. */
      readonly bytesMax: number
    }
  /** All first nodes are members of the meta group: the shards are created. Legal once, after `form`. */
  | { readonly type: 'open' }
  /** A blank node that asked to join; repeated for the same dirId it only updates the addresses. */
  | { readonly type: 'addNode'; readonly node: MapNode }
  | MembershipCommand
  | MembershipReport

/** Asked for by an operator or planned by the controller. */
export type MembershipCommand =
  /** The group shall be on these nodes. Refused while another change of it is open. */
  | { readonly type: 'assign'; readonly group: number; readonly nodes: readonly DirId[] }
  /** The open change with this id shall be undone, if the group's log still can. */
  | { readonly type: 'cancel'; readonly group: number; readonly change: number }
  /** A node without shards gets none any more and leaves the map as soon as it is in no group. */
  | { readonly type: 'removeNode'; readonly dirId: DirId }

/** What the leader of a group says of the open change of its group. */
export type MembershipReport =
  /** It carries the change out in this term; from here on reports of earlier terms count for nothing. */
  | { readonly type: 'claim'; readonly group: number; readonly change: number; readonly term: number }
  /** The group's committed configuration has these voters and nobody else: what its log decided. */
  | {
      readonly type: 'settle'
      readonly group: number
      readonly change: number
      readonly term: number
      readonly voters: readonly number[]
    }

export function encodeMetaCommand(command: MetaCommand): Uint8Array {
  switch (command.type) {
    case 'form':
      return packr.pack([1, command.nodes.map(nodeArray), command.shards, command.replicas, command.bytesMax])
    case 'open':
      return packr.pack([2])
    case 'addNode':
      return packr.pack([3, nodeArray(command.node)])
    case 'assign':
      return packr.pack([4, command.group, command.nodes])
    case 'cancel':
      return packr.pack([5, command.group, command.change])
    case 'removeNode':
      return packr.pack([6, command.dirId])
    case 'claim':
      return packr.pack([7, command.group, command.change, command.term])
    case 'settle':
      return packr.pack([8, command.group, command.change, command.term, command.voters])
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
  const [kind, first, second, third, fourth = 0] = decoded as unknown[]
  if (kind === 1 && Array.isArray(first) && isCount(second) && isCount(third) && isNatural(fourth))
    return { type: 'form', nodes: first.map(nodeOf), shards: second, replicas: third, bytesMax: fourth }
  if (kind === 2) return { type: 'open' }
  if (kind === 3) return { type: 'addNode', node: nodeOf(first) }
  if (kind === 6 && typeof first === 'string') return { type: 'removeNode', dirId: first }
  return membershipOf(decoded as unknown[]) ?? unknown()
}

/** Of a peer, which may only report. Throws `BadFrameError` on anything else. */
export function decodeMembershipReport(bytes: Uint8Array): MembershipReport {
  const command = decodeMetaCommand(bytes)
  if (command.type !== 'claim' && command.type !== 'settle')
    throw new BadFrameError(`a report that is a command to ${command.type}`)
  return command
}

function membershipOf([kind, group, second, term, voters]: unknown[]): MetaCommand | null {
  if (!isNatural(group)) return null
  if (kind === 4 && isListOf(second, (one) => typeof one === 'string'))
    return { type: 'assign', group, nodes: second as string[] }
  if (!isNatural(second)) return null
  if (kind === 5) return { type: 'cancel', group, change: second }
  if (!isNatural(term)) return null
  if (kind === 7) return { type: 'claim', group, change: second, term }
  if (kind === 8 && isListOf(voters, isNatural))
    return { type: 'settle', group, change: second, term, voters: voters as number[] }
  return null
}

function unknown(): never {
  throw new BadFrameError('an unknown meta command')
}

const isNatural = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const isListOf = (value: unknown, isOne: (one: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.length <= limits.configurationReplicas && value.every(isOne)

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
