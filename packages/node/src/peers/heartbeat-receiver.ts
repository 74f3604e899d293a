// The receiving side of pair heartbeats: which groups a peer leads here, and which of them an answer cannot confirm.
import type { DirId, GroupId, LedGroup, PairAnswer, PairHeartbeat } from '@quorate/protocol'
import type { Replica } from '../replica/replica.ts'

interface HeardFrom {
  boot: number
  setNumber: number
  set: readonly LedGroup[]
  /** Newest sequence handled, of this boot. */
  sequence: number
}

/** One per node. Groups of a set that this node does not host under that incarnation, or whose term differs, are exceptions. */
export class HeartbeatReceiver {
  readonly #heard = new Map<DirId, HeardFrom>()
  readonly #replicaOf: (group: GroupId) => Replica | undefined

  constructor(replicaOf: (group: GroupId) => Replica | undefined) {
    this.#replicaOf = replicaOf
  }

  /** Newest sequence heard from the peer in its present boot, and that boot. */
  newest(peer: DirId): { readonly answers: number; readonly answersBoot: number } {
    const heard = this.#heard.get(peer)
    return heard === undefined
      ? { answers: 0, answersBoot: 0 }
      : { answers: heard.sequence, answersBoot: heard.boot }
  }

  /** Handles a heartbeat and makes its answer; null for a repeated or overtaken one, which changes nothing. */
  receive(
    peer: DirId,
    boot: number,
    heartbeat: PairHeartbeat,
    own: Pick<PairAnswer, 'wallMs' | 'lowOnSpace'>,
  ): PairAnswer | null {
    let heard = this.#heard.get(peer)
    if (heard === undefined || heard.boot !== boot) {
      heard = { boot, setNumber: -1, set: [], sequence: 0 }
      this.#heard.set(peer, heard)
    }
    if (heartbeat.sequence <= heard.sequence) return null
    heard.sequence = heartbeat.sequence
    if (heartbeat.ledSet !== null) this.#setChanged(heard, heartbeat.setNumber, heartbeat.ledSet)
    const answer = { type: 'heartbeatAnswer' as const, boot, sequence: heartbeat.sequence, ...own }
    // A set that was lost on the way: the answer names the one that is known, so that it is sent again.
    if (heard.setNumber !== heartbeat.setNumber)
      return { ...answer, setNumber: Math.max(heard.setNumber, 0), exceptions: [] }
    const commits = new Map(heartbeat.commits.map((one) => [one.group, one.commitIndex]))
    const exceptions: GroupId[] = []
    for (const led of heard.set) if (!this.#hear(led, commits.get(led.group) ?? 0)) exceptions.push(led.group)
    return { ...answer, setNumber: heard.setNumber, exceptions }
  }

  /** The peer is gone or rebooted: none of its groups has a leader for certain. */
  lost(peer: DirId): void {
    const heard = this.#heard.get(peer)
    if (heard === undefined) return
    this.#heard.delete(peer)
    for (const led of heard.set) this.#leaderLost(led)
  }

  #setChanged(heard: HeardFrom, setNumber: number, set: readonly LedGroup[]): void {
    if (setNumber === heard.setNumber) return
    const led = new Map(set.map((one) => [one.group, one]))
    for (const before of heard.set)
      if (led.get(before.group)?.leader !== before.leader) this.#leaderLost(before)
    heard.setNumber = setNumber
    heard.set = set
  }

  /** True if the heartbeat confirms the group: same incarnation, and its term durable here, neither older nor newer. */
  #hear(led: LedGroup, commitIndex: number): boolean {
    const replica = this.#replicaOf(led.group)
    if (replica === undefined || replica.incarnation !== led.receiver) return false
    if (condemned(replica)) return false
    replica.step({
      type: 'heartbeat',
      from: led.leader,
      term: led.term,
      commitIndex: replica.installing ? 0 : commitIndex,
    })
    // The step may just have condemned it: then it confirms nothing any more.
    const { raft } = replica
    return raft.currentTerm === led.term && raft.durableTerm === led.term && !condemned(replica)
  }

  #leaderLost(led: LedGroup): void {
    const replica = this.#replicaOf(led.group)
    if (replica?.incarnation === led.receiver) replica.step({ type: 'leaderLost', from: led.leader })
  }
}

const condemned = (replica: Replica): boolean => replica.condition === 'condemned'
