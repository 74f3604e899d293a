// The receiving side of pair heartbeats: which groups a peer leads here, and which of them an answer cannot confirm.
import {
  type DirId,
  type GroupId,
  type LedGroup,
  limits,
  type PairAnswer,
  type PairHeartbeat,
} from '@quorate/protocol'
import { AGE_UNKNOWN } from './led-groups.ts'
import { FirstCommits } from './first-commits.ts'
import { faultOfLed, PeerFault } from './peer-fault.ts'
import type { Missed, QuietReplica } from './quiet-replica.ts'

/** A group of a peer's led set. */
interface Following {
  readonly led: LedGroup
  readonly from: HeardFrom
  /** As the newest heartbeat said: capped by what this replica is known to hold. */
  commitIndex: number
  /** The age of a stale read cannot be told: this replica is not known to hold all that is committed. */
  capped: boolean
  /** Sequence of the newest heartbeat of the pair that the replica was stepped with. */
  stepped: number
}

interface HeardFrom {
  readonly peer: DirId
  readonly boot: number
  setNumber: number
  set: Map<GroupId, Following>
  /** Of the set those that must be stepped at every heartbeat: they do not follow it, or have not yet. */
  readonly loud: Set<Following>
  /** Newest sequence handled, of this boot. */
  sequence: number
  /** The newest heartbeat about the set that is known here, and when it came. */
  heardSequence: number
  heardAt: number
  /** Nothing came for the shortest election timeout: every group runs its own election timer. */
  silent: boolean
  /** Send time of the own message that it answered, null if it answered none of this boot; and the age it brought. */
  answeredSentAt: number | null
  confirmedAge: number
}

export interface ReceiverParts {
  readonly replicaOf: (group: GroupId) => QuietReplica | undefined
  /** Monotonic ms. */
  readonly now: () => number
  /** When the own heartbeat of that sequence left for the peer, in this boot; null if that is forgotten. */
  readonly sentAt: (peer: DirId, boot: number, sequence: number) => number | null
  /** Whether, by the map, the peer hosts that replica: only of its own replicas it may speak (F4). */
  readonly hosts: (peer: DirId, group: GroupId, replica: number) => boolean
  /** The replica has an election timer of its own again. */
  readonly attend: (replica: QuietReplica) => void
}

/**
 * One per node. Groups of a set that this node does not host under that incarnation, has condemned, or whose durable
 * term is another one, are exceptions.
 *
 * A group whose replica follows the set's leader in the set's term is *quiet*: a heartbeat that brings nothing new does
 * not step it. Whatever else is stepped in it finds the newest heartbeat stepped before, at the moment it came
 * (`missed`), so that deference, election timers and leases are those of a replica that was stepped every time.
 */
export class HeartbeatReceiver {
  readonly #heard = new Map<DirId, HeardFrom>()
  readonly #quiet = new Map<GroupId, Following>()
  readonly #parts: ReceiverParts
  readonly #firstCommits = new FirstCommits()

  constructor(parts: ReceiverParts) {
    this.#parts = parts
  }

  /** Newest sequence heard from the peer in its present boot, and that boot. */
  newest(peer: DirId): { readonly answers: number; readonly answersBoot: number } {
    const heard = this.#heard.get(peer)
    return heard === undefined
      ? { answers: 0, answersBoot: 0 }
      : { answers: heard.sequence, answersBoot: heard.boot }
  }

  /**
   * Handles a heartbeat and makes its answer; null for a repeated or overtaken one, which changes nothing. Throws
   * `PeerFault` for what no correct peer sends.
   */
  receive(
    peer: DirId,
    boot: number,
    heartbeat: PairHeartbeat,
    own: Pick<PairAnswer, 'wallMs' | 'lowOnSpace'>,
  ): PairAnswer | null {
    let heard = this.#heard.get(peer)
    if (heard === undefined || heard.boot !== boot) {
      if (heard !== undefined) this.lost(peer)
      heard = newlyHeard(peer, boot)
      this.#heard.set(peer, heard)
    }
    if (heartbeat.sequence <= heard.sequence) return null
    heard.sequence = heartbeat.sequence
    if (heartbeat.ledSet !== null) this.#setChanged(heard, heartbeat.setNumber, heartbeat.ledSet)
    const answer = { type: 'heartbeatAnswer' as const, boot, sequence: heartbeat.sequence, ...own }
    // A set that was lost on the way: the answer names the one that is known, so that it is sent again.
    if (heard.setNumber !== heartbeat.setNumber)
      return { ...answer, setNumber: Math.max(heard.setNumber, 0), exceptions: [] }
    heard.answeredSentAt = this.#parts.sentAt(peer, heartbeat.answersBoot, heartbeat.answers)
    heard.confirmedAge = heartbeat.confirmedAge
    return { ...answer, setNumber: heard.setNumber, exceptions: this.#hear(heard, heartbeat.commits) }
  }

  /** The peer is gone or rebooted: none of its groups has a leader for certain. */
  lost(peer: DirId): void {
    const heard = this.#heard.get(peer)
    if (heard === undefined) return
    for (const following of heard.set.values()) this.#leaderLost(following)
    this.#heard.delete(peer)
  }

  /** The replica's term, role, leader, condition or existence changed: the next heartbeat looks at it again. */
  changed(group: GroupId): void {
    const following = this.#quiet.get(group)
    if (following === undefined) return
    // What was promised in an answer is known to the replica before anything else can happen to it.
    if (following.from.heardSequence > following.stepped) this.#parts.replicaOf(group)?.catchUp()
    this.#beginLoud(following)
  }

  /** The newest heartbeat of its leader's node, if the replica was not stepped with it. */
  missed(group: GroupId): Missed | null {
    const following = this.#quiet.get(group)
    if (following === undefined || following.from.heardSequence <= following.stepped) return null
    const { led, from } = following
    following.stepped = from.heardSequence
    // Commit indexes are not missed: what is new of them is stepped when it comes.
    return {
      input: { type: 'heartbeat', from: led.leader, term: led.term, commitIndex: 0 },
      at: from.heardAt,
    }
  }

  /** Its leader's node has been heard within the shortest election timeout: its own timer need not run. */
  hushed(group: GroupId): boolean {
    const following = this.#quiet.get(group)
    return following !== undefined && !following.from.silent
  }

  /** Called at every tick: the groups of a node that has fallen silent run their own timers, as from when it was heard. */
  noticeSilence(): void {
    const { now, replicaOf, attend } = this.#parts
    for (const heard of this.#heard.values()) {
      if (heard.silent || now() - heard.heardAt < limits.electionTimeoutMsMin) continue
      heard.silent = true
      for (const following of heard.set.values()) {
        const { group } = following.led
        const replica = replicaOf(group)
        if (replica === undefined || this.#quiet.get(group) !== following) continue
        replica.catchUp()
        attend(replica)
      }
    }
  }

  /**
   * Upper bound in ms of how old the state at `appliedIndex` may be, by what the leader's node last said; null if that
   * cannot be told (time.md, stale reads).
   */
  staleAge(group: GroupId, appliedIndex: number): number | null {
    const following = this.#quiet.get(group)
    if (following === undefined || following.capped || appliedIndex < following.commitIndex) return null
    const { answeredSentAt, confirmedAge } = following.from
    if (answeredSentAt === null || confirmedAge === AGE_UNKNOWN) return null
    return this.#parts.now() - answeredSentAt + confirmedAge
  }

  /** The replica has applied what its leader, at some time in this life, said to be all that was committed. */
  hasCaughtUp(incarnation: number, appliedIndex: number): boolean {
    return this.#firstCommits.reached(incarnation, appliedIndex)
  }

  /** Exceptions of the set. Only groups that are not quiet, and those that the heartbeat says something new of, are stepped. */
  #hear(heard: HeardFrom, commits: PairHeartbeat['commits']): GroupId[] {
    heard.heardSequence = heard.sequence
    heard.heardAt = this.#parts.now()
    heard.silent = false
    for (const { group, commitIndex, capped } of commits) {
      const following = heard.set.get(group)
      if (following === undefined) continue
      following.commitIndex = commitIndex
      following.capped = capped
      if (this.#quiet.get(group) !== following) continue
      this.#noteCommit(following)
      const replica = this.#parts.replicaOf(group)
      if (replica === undefined || commitIndex <= replica.raft.commitIndex) continue
      // The step to come is this very heartbeat.
      following.stepped = heard.heardSequence
      this.#beginLoud(following)
    }
    const exceptions: GroupId[] = []
    for (const following of heard.loud) if (!this.#step(following)) exceptions.push(following.led.group)
    return exceptions
  }

  #beginLoud(following: Following): void {
    const { group } = following.led
    if (this.#quiet.get(group) !== following) return
    this.#quiet.delete(group)
    following.from.loud.add(following)
  }

  /** True if the heartbeat confirms the group: same incarnation, and its term durable here, neither older nor newer. */
  #step(following: Following): boolean {
    const { led, from, commitIndex } = following
    const replica = this.#parts.replicaOf(led.group)
    if (replica === undefined || replica.incarnation !== led.receiver || isSilent(replica)) return false
    if (!this.#parts.hosts(from.peer, led.group, led.leader)) return false
    const { installing, raft } = replica
    const fault = faultOfLed(raft, led.leader, led.term, commitIndex)
    if (fault !== null) throw new PeerFault(fault)
    replica.step({
      type: 'heartbeat',
      from: led.leader,
      term: led.term,
      commitIndex: installing ? 0 : commitIndex,
    })
    // The step may just have condemned it: then it confirms nothing any more.
    if (raft.currentTerm !== led.term || raft.durableTerm !== led.term || isSilent(replica)) return false
    if (raft.role === 'follower' && raft.leader === led.leader && !installing) {
      following.stepped = from.heardSequence
      from.loud.delete(following)
      this.#quiet.set(led.group, following)
      this.#noteCommit(following)
    }
    return true
  }

  /** Only of a group that follows: another leader's word may be of an earlier term. */
  #noteCommit({ led, commitIndex, capped }: Following): void {
    if (!capped) this.#firstCommits.told(led.receiver, commitIndex)
  }

  #setChanged(heard: HeardFrom, setNumber: number, set: readonly LedGroup[]): void {
    if (setNumber === heard.setNumber) return
    const before = heard.set
    heard.setNumber = setNumber
    heard.set = new Map()
    for (const led of set) {
      const known = before.get(led.group)
      if (known !== undefined && sameLed(known.led, led)) {
        heard.set.set(led.group, known)
        continue
      }
      const following = { led, from: heard, commitIndex: 0, capped: true, stepped: 0 }
      heard.set.set(led.group, following)
      heard.loud.add(following)
    }
    for (const following of before.values()) {
      const now = heard.set.get(following.led.group)
      if (now === following) continue
      if (now?.led.leader !== following.led.leader) this.#leaderLost(following)
      this.#forget(following)
    }
  }

  #leaderLost(following: Following): void {
    const { led } = following
    const replica = this.#parts.replicaOf(led.group)
    if (replica?.incarnation === led.receiver) replica.step({ type: 'leaderLost', from: led.leader })
    this.#forget(following)
  }

  /** After what it missed of it was stepped. */
  #forget(following: Following): void {
    const { group } = following.led
    if (this.#quiet.get(group) === following) {
      this.#parts.replicaOf(group)?.catchUp()
      this.#quiet.delete(group)
    }
    following.from.loud.delete(following)
  }
}

const newlyHeard = (peer: DirId, boot: number): HeardFrom => ({
  peer,
  boot,
  setNumber: -1,
  set: new Map(),
  loud: new Set(),
  sequence: 0,
  heardSequence: 0,
  heardAt: -Infinity,
  silent: false,
  answeredSentAt: null,
  confirmedAge: AGE_UNKNOWN,
})

/** Condemned or removed: it says nothing, also not that it heard. */
const isSilent = ({ condition }: QuietReplica): boolean =>
  condition === 'condemned' || condition === 'removed'

const sameLed = (left: LedGroup, right: LedGroup): boolean =>
  left.term === right.term && left.leader === right.leader && left.receiver === right.receiver
