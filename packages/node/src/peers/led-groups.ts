// Which of the groups led here a peer has to hear of, and how far it may commit (shards.md, pair heartbeat).
import type { DirId } from '@quorate/protocol'
import type { MapHolder } from '../map-holder.ts'
import type { Replica } from '../replica/replica.ts'
import type { Led } from './pair-heartbeats.ts'

/** Ascending by group. A commit index is capped by what the receiver is known to hold, so that a higher one proves a loss. */
export function ledGroups(replicas: Iterable<Replica>, map: MapHolder, peer: DirId): Led[] {
  const led: Led[] = []
  for (const { raft, group, incarnation, condition } of replicas) {
    if (raft.role !== 'leader' || condition !== 'live') continue
    const { voters, outgoing, learners } = raft.configuration
    for (const receiver of new Set([...voters, ...outgoing, ...learners])) {
      if (receiver === incarnation || map.nodeOf(group, receiver) !== peer) continue
      const match = raft.matchIndexOf(receiver) ?? 0
      led.push({
        group,
        term: raft.currentTerm,
        leader: incarnation,
        receiver,
        commitIndex: Math.min(raft.commitIndex, match),
        capped: match < raft.commitIndex,
      })
    }
  }
  return led.toSorted((left, right) => left.group - right.group)
}
