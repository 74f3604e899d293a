// Messages between nodes as somebody who listens on the wire sees them: those that decide who leads and what is kept.
import { decodePeerFrame, type GroupMessage, type PeerFrame } from '@quorate/protocol'

export interface ObservedMessage {
  readonly timeMs: number
  readonly from: string
  readonly to: string
  readonly group: number
  readonly text: string
}

/** Null where the bytes are no frame between nodes: whoever receives them judges them. */
export function readPeerFrame(bytes: Uint8Array): PeerFrame | null {
  try {
    return decodePeerFrame(bytes)
  } catch {
    return null
  }
}

/** Those of a frame, which may be none. */
export function observeFrame(timeMs: number, from: string, to: string, frame: PeerFrame): ObservedMessage[] {
  const told: ObservedMessage[] = []
  const tell = (group: number, text: string | null): void => {
    if (text !== null) told.push({ timeMs, from, to, group, text })
  }
  if (frame.type === 'messages') for (const message of frame.messages) tell(message.group, describe(message))
  else if (frame.type === 'snapshotChunk' && frame.last)
    tell(frame.group, `snapshot up to ${frame.snapshot.index} t${frame.term}`)
  else if (frame.type === 'snapshotAnswer' && frame.outcome !== 'more')
    tell(frame.group, `snapshot ${frame.outcome}`)
  return told
}

function describe({ message }: GroupMessage): string | null {
  switch (message.type) {
    case 'voteRequest':
      return `${message.preVote ? 'pre-vote' : 'vote'}? t${message.term} log ${message.lastIndex}@t${message.lastTerm}`
    case 'voteReply':
      return `${message.preVote ? 'pre-vote' : 'vote'} ${message.granted ? 'granted' : 'refused'} t${message.term}`
    case 'appendRequest': {
      const { previousIndex, entries, term, commitIndex } = message
      if (entries.length === 0) return null
      return `append ${previousIndex + 1}..${previousIndex + entries.length} t${term} commit ${commitIndex}`
    }
    case 'appendAccepted':
      return `holds ..${message.matchIndex} t${message.term}`
    case 'appendRejected':
      return `rejects ${message.rejectedIndex} t${message.term}`
    case 'timeoutNow':
      return `campaign now t${message.term}`
    case 'termNotice':
      return `newer term t${message.term}`
  }
}
