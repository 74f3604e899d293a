// Cores on three nodes, stepped eagerly or by the product's quiet groups: one schedule, chance by hash, everything noted.
import type { DirId, GroupId, PairAnswer, PairHeartbeat } from '@quorate/protocol'
import { createRaft, type Effects, type Envelope, type Input, type Message, type Raft } from '@quorate/raft'
import { QuietGroups } from '../../src/quiet-groups.ts'
import type { QuietReplica } from '../../src/peers/quiet-replica.ts'
import { EagerPairs } from './eager-pairs.ts'

type Body<T> = T extends unknown ? Omit<T, 'now' | 'draw'> : never
type AnyInput = Body<Input>

export const NODES = 3
const BEAT_MS = 50

/** Uniform in [0, 1), a function of what it is for: the same event has the same chance in both worlds. */
export function chance(seed: number, what: string): number {
  let hash = seed | 0
  for (let at = 0; at < what.length; at += 1) hash = Math.imul(hash ^ what.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32
}

const dirOf = (node: number): DirId => `n${node}`
const nodeOf = (replica: number): number => replica % 10
const replicaAt = (group: GroupId, node: number): number => group * 10 + node

class TestReplica implements QuietReplica {
  readonly group: GroupId
  readonly incarnation: number
  readonly raft: Raft
  condition: 'live' | 'stopped' | 'condemned' = 'live'
  installing = false
  readonly #world: QuietWorld
  readonly #node: TestNode

  constructor(world: QuietWorld, node: TestNode, group: GroupId) {
    this.#world = world
    this.#node = node
    this.group = group
    this.incarnation = replicaAt(group, node.id)
    const voters = Array.from({ length: NODES }, (_, at) => replicaAt(group, at))
    this.raft = createRaft({
      self: this.incarnation,
      startedAt: 0,
      draw: chance(world.seed, `start ${this.incarnation}`),
      recovered: {
        hardState: { currentTerm: 0, votedFor: null },
        compacted: { index: 0, term: 0 },
        terms: [],
        lastIndex: 0,
        configurations: [
          { index: 0, configuration: { voters, outgoing: [], learners: [], learnersNext: [] } },
        ],
        commitIndex: 0,
        appliedIndex: 0,
      },
    })
  }

  step(input: AnyInput): void {
    if (this.condition === 'condemned') return
    this.catchUp()
    this.#stepAt(input, this.#world.now)
  }

  catchUp(): void {
    if (this.condition === 'condemned') return
    for (const { input, at } of this.#node.quiet?.missed(this.group) ?? []) this.#stepAt(input, at)
  }

  condemn(): void {
    this.condition = 'condemned'
    this.#node.quiet?.changed(this.group)
  }

  #stepAt(input: AnyInput, now: number): void {
    const { seed } = this.#world
    this.#world.steps += 1
    const draw = chance(seed, `${input.type} ${this.incarnation} ${now}`)
    const effects = this.raft.step({ ...input, now, draw })
    this.#node.quiet?.stepped(this)
    this.#carryOut(effects)
  }

  #carryOut(effects: Effects): void {
    const world = this.#world
    if (effects.status !== null) this.#node.quiet?.changed(this.group)
    world.note(this, effects)
    if (effects.persist !== null) {
      const { number } = effects.persist
      world.sync(this, number, effects.sendAfterPersist)
    } else world.after(this, effects.sendAfterPersist)
    for (const envelope of effects.send) world.send(this, envelope)
    if (effects.commitIndex !== null) this.step({ type: 'applied', index: effects.commitIndex })
  }
}

class TestNode {
  readonly id: number
  readonly replicas = new Map<GroupId, TestReplica>()
  readonly quiet: QuietGroups<TestReplica> | null
  readonly eager: EagerPairs
  round = 0
  pausedUntil = 0

  constructor(world: QuietWorld, id: number, groups: number) {
    this.id = id
    this.eager = new EagerPairs(this.replicas, (replica) => dirOf(nodeOf(replica)))
    this.quiet = world.lazy
      ? new QuietGroups<TestReplica>({
          now: () => world.now,
          self: () => dirOf(id),
          boot: () => 1,
          replicaOf: (group) => this.replicas.get(group),
          nodeOf: (_, replica) => dirOf(nodeOf(replica)),
          look: () => 'tick',
        })
      : null
    for (let group = 1; group <= groups; group += 1) {
      const replica = new TestReplica(world, this, group)
      this.replicas.set(group, replica)
      this.quiet?.stepped(replica)
    }
  }
}

interface Event {
  readonly at: number
  /** Orders events of one moment the same way in both worlds. */
  readonly key: string
  readonly node: number
  readonly run: () => void
}

export interface Fault {
  readonly kind:
    | 'cut'
    | 'pause'
    | 'propose'
    | 'read'
    | 'transfer'
    | 'reconnect'
    | 'change'
    | 'install'
    | 'stepDown'
  readonly at: number
  readonly node: number
  readonly other: number
  readonly group: number
  readonly ms: number
}

export class QuietWorld {
  readonly seed: number
  readonly lazy: boolean
  readonly nodes: TestNode[]
  readonly trace = new Map<number, string[]>()
  /** Steps of all cores. */
  steps = 0
  /** Ages of stale reads that were told, each checked against what was committed. */
  readonly ages: number[] = []
  now = 0
  #loss: number
  #tags = 0
  readonly #events: Event[] = []
  /** When each index was first known as committed, by group. */
  readonly #commits = new Map<GroupId, { readonly at: number; readonly index: number }[]>()
  readonly #cuts: { readonly from: number; readonly to: number; readonly until: number }[] = []
  /** What waits for a sync, by replica, with the number of the persist. */
  readonly #held = new Map<number, { readonly number: number; readonly envelopes: Envelope[] }[]>()

  constructor(seed: number, lazy: boolean, groups: number, loss: number) {
    this.seed = seed
    this.lazy = lazy
    this.#loss = loss
    this.nodes = Array.from({ length: NODES }, (_, id) => new TestNode(this, id, groups))
    for (const { id } of this.nodes) {
      this.#every(`tick ${id}`, id, Math.floor(chance(seed, `tick ${id}`) * BEAT_MS), () => this.#tick(id))
      this.#every(`beat ${id}`, id, Math.floor(chance(seed, `beat ${id}`) * BEAT_MS), () => this.#beat(id))
    }
  }

  run(untilMs: number): void {
    for (let next = this.#events[0]; next !== undefined && next.at <= untilMs; next = this.#events[0]) {
      this.#events.shift()
      this.now = next.at
      const { pausedUntil } = this.#node(next.node)
      if (pausedUntil > this.now) this.#schedule({ ...next, at: pausedUntil, key: `${next.at} ${next.key}` })
      else next.run()
    }
    this.now = untilMs
  }

  /** Ends all loss. */
  heal(): void {
    this.#loss = 0
  }

  plan(fault: Fault): void {
    const key = `fault ${fault.kind} ${fault.node} ${fault.other} ${fault.group} ${fault.ms}`
    this.#schedule({ at: fault.at, key, node: fault.node, run: () => this.#strike(fault) })
  }

  send(from: TestReplica, { to, message }: Envelope): void {
    const what = `${from.incarnation} ${to} ${JSON.stringify(message)}`
    this.#deliver(nodeOf(from.incarnation), nodeOf(to), what, () =>
      this.#receive(from.incarnation, to, message),
    )
  }

  sync(replica: TestReplica, number: number, envelopes: readonly Envelope[]): void {
    const held = this.#held.get(replica.incarnation) ?? []
    this.#held.set(replica.incarnation, held)
    held.push({ number, envelopes: [...envelopes] })
    const draw = chance(this.seed, `sync ${replica.incarnation} ${number}`)
    const at = this.now + 1 + Math.floor(draw * (draw > 0.95 ? 500 : 10))
    const key = `sync ${replica.incarnation} ${number}`
    this.#schedule({ at, key, node: nodeOf(replica.incarnation), run: () => this.#synced(replica, number) })
  }

  /** Leaves when everything written before is durable. */
  after(replica: TestReplica, envelopes: readonly Envelope[]): void {
    const last = this.#held.get(replica.incarnation)?.at(-1)
    if (last !== undefined) last.envelopes.push(...envelopes)
    else for (const envelope of envelopes) this.send(replica, envelope)
  }

  /** What the world can see of a step. */
  note(replica: TestReplica, effects: Effects): void {
    const commits = this.#commits.get(replica.group) ?? []
    this.#commits.set(replica.group, commits)
    const { commitIndex } = effects
    if (commitIndex !== null && commitIndex > (commits.at(-1)?.index ?? 0))
      commits.push({ at: this.now, index: commitIndex })
    const { persist, appended: _, send, sendAfterPersist, ...rest } = effects
    const seen = [persist?.hardState, send, sendAfterPersist, rest]
    const silent = JSON.stringify(seen) === JSON.stringify([persist?.hardState, [], [], nothing])
    if (silent && persist === null) return
    const trace = this.trace.get(replica.incarnation) ?? []
    this.trace.set(replica.incarnation, trace)
    trace.push(`${this.now} ${JSON.stringify(seen)}`)
  }

  /** Who leads, in which term, and when everybody's patience ends. */
  facts(): unknown[] {
    return this.nodes.flatMap(({ replicas }) =>
      [...replicas.values()].map((replica) => {
        // It acts no more, so that nothing is to be known of its timers.
        if (replica.condition === 'condemned') return [replica.incarnation]
        replica.catchUp()
        const { role, currentTerm, leader, commitIndex, lastIndex, silentAt } = replica.raft
        return [replica.incarnation, role, currentTerm, leader, commitIndex, lastIndex, silentAt]
      }),
    )
  }

  leaders(group: GroupId): TestReplica[] {
    return this.nodes.flatMap(({ replicas }) => {
      const replica = replicas.get(group)
      return replica !== undefined && replica.raft.role === 'leader' ? [replica] : []
    })
  }

  #node(id: number): TestNode {
    const node = this.nodes[id]
    if (node === undefined) throw new Error(`no node ${id}`)
    return node
  }

  #strike({ kind, node: id, other, group, ms }: Fault): void {
    const node = this.#node(id)
    const replica = node.replicas.get(group)
    if (replica === undefined) return
    switch (kind) {
      case 'cut':
        return void this.#cuts.push({ from: id, to: other, until: this.now + ms })
      case 'pause':
        node.pausedUntil = this.now + ms
        return
      case 'propose':
        return replica.step({ type: 'propose', bytes: 1 })
      case 'read':
        replica.step({ type: 'read', round: node.round + 1, tag: (this.#tags += 1) })
        return this.#beat(id)
      case 'transfer':
        return replica.step({ type: 'transferLeadership', to: replicaAt(group, other) })
      case 'reconnect':
        if (id === other) return
        for (const each of [node.quiet?.receiver ?? node.eager]) each.lost(dirOf(other))
        for (const each of [this.#node(other)]) (each.quiet?.heartbeats ?? each.eager).reconnected(dirOf(id))
        return
      case 'change':
        return replica.step({
          type: 'proposeConfiguration',
          voters: [0, 1, 2].filter((at) => ms % 3 !== 0 || at !== other).map((at) => replicaAt(group, at)),
          learners: ms % 3 === 0 && ms % 2 === 0 ? [replicaAt(group, other)] : [],
        })
      case 'install':
        replica.installing = !replica.installing
        return
      case 'stepDown':
        return ms % 20 === 0 ? replica.condemn() : replica.step({ type: 'stepDown' })
    }
  }

  #tick(id: number): void {
    const node = this.#node(id)
    if (node.quiet !== null) {
      node.quiet.tick()
      for (const replica of node.replicas.values()) this.#checkAge(node.quiet, replica)
      return
    }
    for (const replica of node.replicas.values())
      if (replica.condition === 'live' && !replica.installing) replica.step({ type: 'tick' })
  }

  /** What was committed anywhere before the age that a replica tells must be applied there. */
  #checkAge(quiet: QuietGroups<TestReplica>, { group, incarnation, raft }: TestReplica): void {
    const age = quiet.staleAge(group, raft.commitIndex)
    if (age === null) return
    this.ages.push(age)
    const before = (this.#commits.get(group) ?? []).findLast(({ at }) => at < this.now - age)
    if (before !== undefined && before.index > raft.commitIndex)
      throw new Error(
        `${this.now}: ${incarnation} has ${raft.commitIndex}, says ${age} ms, but ${before.index} was committed at ${before.at}`,
      )
  }

  #beat(id: number): void {
    const node = this.#node(id)
    const confirmedAge = node.quiet?.refreshLed() ?? 0
    node.round += 1
    for (const { id: to } of this.nodes) {
      if (to === id) continue
      const heard = node.quiet?.receiver.newest(dirOf(to)) ?? { answers: 0, answersBoot: 0 }
      const about = { ...heard, syncedLog: 0, wallMs: 0, confirmedAge }
      const heartbeat =
        node.quiet?.heartbeats.make(dirOf(to), node.round, about) ??
        node.eager.make(dirOf(to), node.round, this.now)
      this.#deliver(id, to, `heartbeat ${id} ${to} ${heartbeat.sequence}`, () =>
        this.#heard(id, to, heartbeat),
      )
    }
  }

  #heard(from: number, to: number, heartbeat: PairHeartbeat): void {
    const node = this.#node(to)
    const own = { wallMs: 0, lowOnSpace: false }
    const answer =
      node.quiet === null
        ? node.eager.receive(dirOf(from), 1, heartbeat)
        : node.quiet.receiver.receive(dirOf(from), 1, heartbeat, own)
    if (answer !== null)
      this.#deliver(to, from, `answer ${to} ${from} ${answer.sequence}`, () =>
        this.#answered(from, to, answer),
      )
  }

  #answered(id: number, from: number, answer: PairAnswer): void {
    const { quiet, eager } = this.#node(id)
    if (quiet === null) eager.answered(dirOf(from), answer)
    else if (quiet.heartbeats.answered(dirOf(from), answer)) quiet.confirmed()
  }

  #receive(from: number, to: number, message: Message): void {
    const replica = this.#node(nodeOf(to)).replicas.get(Math.floor(to / 10))
    if (replica === undefined || replica.installing) return
    replica.step({ type: 'message', from, message })
  }

  #synced(replica: TestReplica, number: number): void {
    const held = this.#held.get(replica.incarnation) ?? []
    const done = held.filter((one) => one.number <= number)
    this.#held.set(
      replica.incarnation,
      held.filter((one) => one.number > number),
    )
    replica.step({ type: 'persisted', number })
    for (const { envelopes } of done) for (const envelope of envelopes) this.send(replica, envelope)
  }

  #deliver(from: number, to: number, what: string, run: () => void): void {
    const draw = chance(this.seed, `${this.now} ${what}`)
    const cut = this.#cuts.some((one) => one.from === from && one.to === to && one.until > this.now)
    if (cut || draw < this.#loss) return
    const slow = chance(this.seed, `slow ${this.now} ${what}`)
    const at = this.now + 1 + Math.floor(slow * (slow > 0.97 ? 400 : 8))
    this.#schedule({ at, key: what, node: to, run })
  }

  #every(key: string, node: number, at: number, run: () => void): void {
    const again = (): void => {
      run()
      this.#every(key, node, this.now + BEAT_MS, run)
    }
    this.#schedule({ at, key, node, run: again })
  }

  #schedule(event: Event): void {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#events[middle]
      if (other !== undefined && (other.at < event.at || (other.at === event.at && other.key <= event.key)))
        low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, event)
  }
}

const nothing = {
  dropped: null,
  commitIndex: null,
  reads: [],
  readsDropped: [],
  snapshotWanted: [],
  status: null,
}
