// A cluster of cores under one clock: a network that does what it is told, and properties checked after every step.
import type { Configuration, Effects, Envelope, RaftLimits } from '../../src/index.ts'
import { Host, entryAt } from './host.ts'
import type { Checkpoint, InputBody } from './host.ts'
import { Properties, assertAppendOnly, broken } from './properties.ts'

export type Parcel =
  | { readonly kind: 'message'; readonly message: Envelope['message']; readonly payloads: readonly string[] }
  | {
      readonly kind: 'heartbeat'
      readonly term: number
      readonly commitIndex: number
      readonly round: number
      readonly sentAt: number
    }
  | { readonly kind: 'confirmed'; readonly term: number; readonly round: number; readonly sentAt: number }
  | { readonly kind: 'snapshot'; readonly snapshot: Checkpoint }

export interface Packet {
  readonly from: number
  readonly to: number
  readonly parcel: Parcel
}

export interface WorldOptions {
  readonly voters: readonly number[]
  readonly learners?: readonly number[]
  readonly limits?: Partial<RaftLimits>
  /** Chance of the cores: each call gives the next number in [0, 1). */
  readonly draw: () => number
}

/** As often as the pair heartbeat. */
const CALM_TICK_MS = 50

/** More messages than any calm exchange needs. */
const ENDLESS = 20_000

export function configurationOf(voters: readonly number[], learners: readonly number[] = []): Configuration {
  return { voters, outgoing: [], learners, learnersNext: [] }
}

export class World {
  now = 0
  /** False: only `apply` applies. */
  appliesAtOnce = true
  readonly hosts = new Map<number, Host>()
  packets: Packet[] = []
  readonly properties = new Properties()
  /** Released reads: tag to index. */
  readonly reads = new Map<number, number>()
  readonly readsDropped = new Set<number>()
  /** What the runs did, for floors: steps with a lease somewhere, and those of them in which others want to lead. */
  readonly seen = { leases: 0, contestedLeases: 0, installations: 0, changes: 0, transfers: 0 }
  /** Snapshots that arrived: a second copy may come at any time later. */
  readonly #oldSnapshots: { readonly from: number; readonly to: number; readonly snapshot: Checkpoint }[] = []
  readonly #options: WorldOptions
  readonly #readFloors = new Map<number, number>()
  #tags = 0
  #payloads = 0
  /** Told of every step; transcripts are made of it. */
  onStep: (host: Host, input: InputBody, effects: Effects) => void = () => undefined

  constructor(options: WorldOptions) {
    this.#options = options
    for (const id of [...options.voters, ...(options.learners ?? [])]) {
      this.addHost(id, configurationOf(options.voters, options.learners))
    }
  }

  /** A joiner starts with nobody in its configuration: it waits to be told. */
  addHost(id: number, initial: Configuration = configurationOf([])): void {
    const host =
      this.#options.limits === undefined ? new Host(id, initial) : new Host(id, initial, this.#options.limits)
    this.hosts.set(id, host)
    host.start(this.now, this.#options.draw())
  }

  host(id: number): Host {
    const host = this.hosts.get(id)
    if (host === undefined) throw new Error(`no host ${id}`)
    return host
  }

  get leaders(): Host[] {
    return [...this.hosts.values()].filter(({ raft }) => raft?.role === 'leader')
  }

  step(id: number, input: InputBody, payloads: readonly string[] = []): Effects | null {
    const host = this.host(id)
    const { raft } = host
    if (raft === null) return null
    const { role, currentTerm, commitIndex, configuration } = raft
    const effects = raft.step({ ...input, now: this.now, draw: this.#options.draw() })
    const firstWritten = effects.persist?.entries[0]?.index
    if (
      firstWritten !== undefined &&
      role === 'leader' &&
      raft.role === 'leader' &&
      raft.currentTerm === currentTerm
    ) {
      assertAppendOnly(host, firstWritten)
    }
    if (raft.commitIndex < commitIndex) broken(`commit of ${id} goes back`)
    if (raft.currentTerm < currentTerm) broken(`term of ${id} goes back`)
    this.#leave(host, host.take(effects, this.#payloadsFor(effects, input, payloads)))
    for (const { index } of effects.persist?.entries ?? []) {
      const entry = entryAt(host.log, index)
      if (entry !== null) this.properties.appended(host, entry)
    }
    if (raft.role === 'leader') this.properties.leads(host, raft.currentTerm)
    // The configuration before the step decided: one that the step itself appended may need fewer disks.
    if (effects.commitIndex !== null) {
      this.properties.commits(host, effects.commitIndex, this.hosts, configuration)
    }
    this.#finishReads(effects)
    this.#observe(effects)
    this.onStep(host, input, effects)
    for (const peer of effects.snapshotWanted) this.#sendSnapshot(host, peer)
    if (effects.commitIndex !== null && this.appliesAtOnce) this.apply(id)
    return effects
  }

  apply(id: number): void {
    const host = this.host(id)
    if (host.raft === null || host.raft.commitIndex <= host.appliedIndex) return
    host.apply(host.raft.commitIndex)
    this.step(id, { type: 'applied', index: host.appliedIndex })
  }

  propose(id: number, bytes = 10): Effects | null {
    return this.step(id, { type: 'propose', bytes })
  }

  read(id: number): number {
    const host = this.host(id)
    const tag = ++this.#tags
    this.#readFloors.set(tag, this.properties.committedIndex)
    this.step(id, { type: 'read', round: host.round + 1, tag })
    return tag
  }

  /** One heartbeat to each member, if the host leads; begins a read round. */
  heartbeat(id: number): void {
    const host = this.host(id)
    const { raft } = host
    if (raft?.role !== 'leader') return
    const round = ++host.round
    for (const peer of this.hosts.keys()) {
      const matchIndex = raft.matchIndexOf(peer)
      if (matchIndex === null) continue
      const commitIndex = Math.min(raft.commitIndex, matchIndex)
      this.#post(id, peer, {
        kind: 'heartbeat',
        term: raft.currentTerm,
        commitIndex,
        round,
        sentAt: this.now,
      })
    }
  }

  /** Ends `count` pending writes of a host. */
  sync(id: number, count = Infinity): void {
    const host = this.host(id)
    for (let done = 0; done < count; done++) {
      if (host.raft === null) return
      const ended = host.sync()
      if (ended === null) return
      this.#leave(host, ended.released)
      this.step(id, { type: 'persisted', number: ended.number })
    }
  }

  crash(id: number, survivors = 0): void {
    this.host(id).crash(survivors)
  }

  restart(id: number): void {
    const host = this.host(id)
    if (host.raft === null) host.start(this.now, this.#options.draw())
  }

  /** Makes a checkpoint and lets the log go behind it, but for so many entries. */
  compact(id: number, kept = 0): void {
    const host = this.host(id)
    const checkpoint = host.checkpoint()
    const index = (checkpoint?.index ?? 0) - kept
    if (index <= host.log.compacted.index) return
    const placed = host.raft?.configurationAt(index)
    host.compact(index)
    if (placed?.index !== host.log.base.index)
      throw new Error(
        `${id} has the configuration of ${placed?.index} at ${index}, not ${host.log.base.index}`,
      )
    this.step(id, { type: 'compacted', index })
  }

  tick(id: number): void {
    this.step(id, { type: 'tick' })
  }

  advance(ms: number): void {
    this.now += ms
    for (const id of this.hosts.keys()) this.tick(id)
  }

  drop(position: number): void {
    const [packet] = this.packets.splice(position, 1)
    if (packet?.parcel.kind === 'snapshot')
      this.step(packet.from, { type: 'snapshotFailed', peer: packet.to })
  }

  deliver(position: number, keep = false): void {
    const packet = this.packets[position]
    if (packet === undefined) return
    // A snapshot has one outcome: it is not duplicated.
    if (!keep || packet.parcel.kind === 'snapshot') this.packets.splice(position, 1)
    const { from, to, parcel } = packet
    const { raft } = this.host(to)
    if (raft === null) {
      if (parcel.kind === 'snapshot') this.step(from, { type: 'snapshotFailed', peer: to })
      return
    }
    switch (parcel.kind) {
      case 'message':
        this.step(to, { type: 'message', from, message: parcel.message }, parcel.payloads)
        return
      case 'heartbeat': {
        const { term, commitIndex, round, sentAt } = parcel
        this.step(to, { type: 'heartbeat', from, term, commitIndex })
        // Only a durable term is confirmed, and only to the leader of that term.
        if (raft.currentTerm === term && raft.durableTerm === term && raft.leader === from) {
          this.#post(to, from, { kind: 'confirmed', term, round, sentAt })
        }
        return
      }
      case 'confirmed':
        this.step(to, {
          type: 'confirmed',
          from,
          term: parcel.term,
          round: parcel.round,
          sentAt: parcel.sentAt,
        })
        return
      case 'snapshot':
        this.#installSnapshot(from, to, parcel.snapshot)
    }
  }

  /** A calm time: heartbeats, prompt disks, a network without faults. */
  settle(ms: number): void {
    const end = this.now + ms
    while (this.now < end) {
      for (const id of this.hosts.keys()) this.heartbeat(id)
      this.exchange()
      this.advance(CALM_TICK_MS)
    }
    this.exchange()
  }

  /** Delivers and syncs until nothing is under way. */
  exchange(): void {
    for (let delivered = 0; ; delivered++) {
      for (const id of this.hosts.keys()) this.sync(id)
      if (this.packets.length === 0) return
      if (delivered > ENDLESS) broken('endless exchange of messages')
      this.deliver(0)
    }
  }

  /** A copy of a snapshot that arrived before, from whoever sent it, whatever it leads now. */
  installAgain(choice: number): void {
    const old = this.#oldSnapshots[choice % Math.max(this.#oldSnapshots.length, 1)]
    if (old !== undefined) this.#install(old.from, old.to, old.snapshot)
  }

  /** Delivers and syncs among some until nothing that `admits` is left between them; the rest stays under way. */
  among(ids: ReadonlySet<number>, admits: (packet: Packet) => boolean = () => true): void {
    const syncAll = (): void => {
      for (const id of ids) this.sync(id)
    }
    syncAll()
    for (let delivered = 0; ; delivered++) {
      const next = this.packets.findIndex(
        (packet) => ids.has(packet.from) && ids.has(packet.to) && admits(packet),
      )
      if (next === -1) return
      if (delivered > ENDLESS) broken('endless exchange of messages')
      this.deliver(next)
      syncAll()
    }
  }

  #installSnapshot(from: number, to: number, snapshot: Checkpoint): void {
    this.#oldSnapshots.push({ from, to, snapshot })
    this.#install(from, to, snapshot)
    this.step(from, { type: 'snapshotSent', peer: to, index: snapshot.index })
  }

  #install(from: number, to: number, snapshot: Checkpoint): void {
    if (this.host(to).raft === null) return
    this.sync(to)
    if (this.host(to).install(snapshot)) this.seen.installations++
    const { index, term, placed } = snapshot
    this.step(to, {
      type: 'snapshotInstalled',
      from,
      index,
      term,
      configuration: placed.configuration,
      configurationIndex: placed.index,
    })
  }

  /** A lease read is answered at once and at the holder's commit index: at every step, as it may come at any. */
  #observe(effects: Effects): void {
    for (const { message } of effects.send) if (message.type === 'timeoutNow') this.seen.transfers++
    for (const { configuration } of effects.appended) if (configuration !== undefined) this.seen.changes++
    const holders = this.leaders.filter(({ raft }) => (raft?.leaseUntil(this.now) ?? 0) > this.now)
    const [holder] = holders
    if (holder?.raft === null || holder === undefined) return
    if (holders.length > 1) broken(`two leases at ${this.now}: ${holders.map(({ id }) => id).join(' and ')}`)
    const { commitIndex, currentTerm } = holder.raft
    if (commitIndex < this.properties.committedIndex) {
      broken(`stale lease: ${holder.id} knows ${commitIndex} of ${this.properties.committedIndex}`)
    }
    this.seen.leases++
    const contested = [...this.hosts.values()].some(
      ({ raft }) => raft !== null && (raft.currentTerm > currentTerm || raft.role.endsWith('andidate')),
    )
    if (contested) this.seen.contestedLeases++
  }

  #sendSnapshot(host: Host, peer: number): void {
    // What is compacted is covered by the checkpoint on disk; that one is sent.
    this.#post(host.id, peer, { kind: 'snapshot', snapshot: host.disk.checkpoint })
  }

  #post(from: number, to: number, parcel: Parcel): void {
    if (this.hosts.has(to)) this.packets.push({ from, to, parcel })
  }

  #leave(host: Host, envelopes: readonly Envelope[]): void {
    for (const { to, message } of envelopes) {
      const entries = message.type === 'appendRequest' ? message.entries : []
      const payloads = entries.map(
        ({ index }) => entryAt(host.log, index)?.payload ?? broken(`${host.id} has no bytes of ${index}`),
      )
      this.#post(host.id, to, { kind: 'message', message, payloads })
    }
  }

  #payloadsFor(effects: Effects, input: InputBody, received: readonly string[]): Map<number, string> {
    const payloads = new Map<number, string>()
    if (input.type === 'message' && input.message.type === 'appendRequest') {
      for (const [position, { index }] of input.message.entries.entries())
        payloads.set(index, received[position] ?? '')
    }
    for (const { index, configuration } of effects.appended) {
      const payload = input.type === 'propose' ? `p${++this.#payloads}` : 'noop'
      payloads.set(index, configuration === undefined ? payload : JSON.stringify(configuration))
    }
    return payloads
  }

  #finishReads(effects: Effects): void {
    for (const { tag, index } of effects.reads) {
      if (this.reads.has(tag) || this.readsDropped.has(tag)) broken(`read ${tag} is answered twice`)
      this.reads.set(tag, index)
      const floor = this.#readFloors.get(tag) ?? 0
      if (index < floor) broken(`stale read: ${tag} at ${index}, ${floor} was committed before it arrived`)
    }
    for (const tag of effects.readsDropped) {
      if (this.reads.has(tag)) broken(`read ${tag} is dropped after its answer`)
      this.readsDropped.add(tag)
    }
  }
}
