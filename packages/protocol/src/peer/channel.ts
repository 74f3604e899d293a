// Which of the three connections of a link a frame travels on: so that nothing urgent ever waits behind data.
import type { Channel, GroupMessage, PeerFrame } from '../peer-frame.ts'
import { unreachable } from '../unreachable.ts'

export const channels: readonly Channel[] = ['control', 'append', 'bulk']

/**
 * Appends without entries go the way of those with entries: one that overtook the others would find them missing and be
 * rejected, and everything on its way would be sent again.
 */
export function channelOf({ message }: GroupMessage): Channel {
  return message.type === 'appendRequest' ? 'append' : 'control'
}

/** Whether a frame of a link that is open may come on this connection. Greetings and `progress` never do. */
export function travelsOn(frame: PeerFrame, channel: Channel): boolean {
  switch (frame.type) {
    case 'probe':
      return true
    case 'messages':
      return channel !== 'bulk' && frame.messages.every((message) => channelOf(message) === channel)
    case 'snapshotChunk':
      return channel === 'bulk'
    case 'heartbeat':
    case 'heartbeatAnswer':
    case 'map':
    case 'join':
    case 'snapshotAnswer':
    case 'stateHash':
    case 'excluded':
    case 'metaReport':
    case 'load':
      return channel === 'control'
    case 'hello':
    case 'welcome':
    case 'unwelcome':
    case 'progress':
      return false
    default:
      return unreachable(frame)
  }
}
