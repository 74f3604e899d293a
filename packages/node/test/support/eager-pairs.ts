// Pair heartbeats as one would write them first: every group is stepped with every heartbeat and every answer, at once.
import type { DirId, GroupId, LedGroup, PairAnswer, PairHeartbeat } from '@quorate/protocol'
import type { QuietReplica } from '../../src/peers/quiet-replica.ts'

interface Heard {
  setNumber: number
  set: readonly LedGroup[]
  readonly commits: Map<GroupId, number>
  sequence: number
}

interface Sent {
  readonly round: number
  readonly sentAt: number
  readonly setNumber: number
  readonly set: readonly LedGroup[]
}

interface Pair {
  sequence: number
  setNumber: number
  set: readonly LedGroup[]
  confirmedSet: number
  readonly sent: Map<number, Sent>
}

type Led = LedGroup & { readonly commitIndex: number }

/** The model that the product is held against. Commit indexes go along in every heartbeat. */
export class EagerPairs {
  readonly #heard = new Map<DirId, Heard>()
  readonly #pairs = new Map<DirId, Pair>()
  readonly #replicas: ReadonlyMap<GroupId, QuietReplica>
  readonly #nodeOf: (replica: number) => DirId

  constructor(replicas: ReadonlyMap<GroupId, QuietReplica>, nodeOf: (replica: number) => DirId) {
    this.#replicas = replicas
    this.#nodeOf = nodeOf
  }

  receive(peer: DirId, boot: number, heartbeat: PairHeartbeat): PairAnswer | null {
    const heard = this.#heard.get(peer) ?? { setNumber: -1, set: [], commits: new Map(), sequence: 0 }
    this.#heard.set(peer, heard)
    const { sequence, setNumber, ledSet, commits } = heartbeat
    if (sequence <= heard.sequence) return null
    heard.sequence = sequence
    if (ledSet !== null && setNumber !== heard.setNumber) {
      const led = new Map(ledSet.map((one) => [one.group, one]))
      const before = heard.set
      heard.setNumber = setNumber
      heard.set = ledSet
      for (const one of before) if (led.get(one.group)?.leader !== one.leader) this.#leaderLost(one)
    }
    const answer = { type: 'heartbeatAnswer' as const, boot, sequence, wallMs: 0, lowOnSpace: false }
    if (heard.setNumber !== setNumber)
      return { ...answer, setNumber: Math.max(heard.setNumber, 0), exceptions: [] }
    for (const { group, commitIndex } of commits) heard.commits.set(group, commitIndex)
    const exceptions = heard.set
      .filter((one) => !this.#hear(one, heard.commits.get(one.group) ?? 0))
      .map(({ group }) => group)
    return { ...answer, setNumber, exceptions }
  }

  lost(peer: DirId): void {
    for (const led of this.#heard.get(peer)?.set ?? []) this.#leaderLost(led)
    this.#heard.delete(peer)
  }

  reconnected(peer: DirId): void {
    this.#pair(peer).confirmedSet = 0
  }

  make(peer: DirId, round: number, now: number): PairHeartbeat {
    const pair = this.#pair(peer)
    const led = this.#led(peer)
    const set = led.map(({ group, term, leader, receiver }) => ({ group, term, leader, receiver }))
    if (JSON.stringify(set) !== JSON.stringify(pair.set)) {
      pair.setNumber += 1
      pair.set = set
    }
    pair.sequence += 1
    const { sequence, setNumber } = pair
    pair.sent.set(sequence, { round, sentAt: now, setNumber, set })
    return {
      type: 'heartbeat',
      answers: 0,
      answersBoot: 0,
      syncedLog: 0,
      wallMs: 0,
      setNumber,
      sequence,
      confirmedAge: 0,
      ledSet: pair.confirmedSet === setNumber ? null : set,
      commits: led.map(({ group, commitIndex }) => ({ group, commitIndex, capped: false })),
    }
  }

  answered(peer: DirId, answer: PairAnswer): void {
    const pair = this.#pair(peer)
    const sent = pair.sent.get(answer.sequence)
    for (const sequence of pair.sent.keys()) if (sequence <= answer.sequence) pair.sent.delete(sequence)
    if (sent === undefined) return
    if (sent.setNumber !== answer.setNumber) {
      if (sent.setNumber === pair.setNumber) pair.confirmedSet = 0
      return
    }
    if (sent.setNumber === pair.setNumber) pair.confirmedSet = pair.setNumber
    const { round, sentAt } = sent
    for (const { group, leader, receiver: from, term } of sent.set) {
      const replica = this.#replicas.get(group)
      if (answer.exceptions.includes(group) || replica?.incarnation !== leader) continue
      replica.step({ type: 'confirmed', from, term, round, sentAt })
    }
  }

  #led(peer: DirId): Led[] {
    const led: Led[] = []
    for (const { raft, group, incarnation, condition } of this.#replicas.values()) {
      if (raft.role !== 'leader' || condition !== 'live') continue
      const { voters, outgoing, learners } = raft.configuration
      for (const receiver of new Set([...voters, ...outgoing, ...learners])) {
        if (receiver === incarnation || this.#nodeOf(receiver) !== peer) continue
        const commitIndex = Math.min(raft.commitIndex, raft.matchIndexOf(receiver) ?? 0)
        led.push({ group, term: raft.currentTerm, leader: incarnation, receiver, commitIndex })
      }
    }
    return led
  }

  #hear(led: LedGroup, commitIndex: number): boolean {
    const replica = this.#replicas.get(led.group)
    if (replica?.incarnation !== led.receiver || replica.condition === 'condemned') return false
    replica.step({
      type: 'heartbeat',
      from: led.leader,
      term: led.term,
      commitIndex: replica.installing ? 0 : commitIndex,
    })
    return replica.raft.currentTerm === led.term && replica.raft.durableTerm === led.term
  }

  #leaderLost(led: LedGroup): void {
    const replica = this.#replicas.get(led.group)
    if (replica?.incarnation === led.receiver) replica.step({ type: 'leaderLost', from: led.leader })
  }

  #pair(peer: DirId): Pair {
    let pair = this.#pairs.get(peer)
    if (pair === undefined) {
      pair = { sequence: 0, setNumber: 0, set: [], confirmedSet: -1, sent: new Map() }
      this.#pairs.set(peer, pair)
    }
    return pair
  }
}
