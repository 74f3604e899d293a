// One replica of one group: feeds the Raft core and carries out its effects, in the order that effects.ts demands.
import {
  type Answer,
  decodeConfiguration,
  encodeConfiguration,
  type EntryPayload,
  type GroupMessage,
  limits,
} from '@quorate/protocol'
import {
  type Configuration,
  type Effects,
  type EntryMeta,
  type Envelope,
  type Input,
  InvariantViolation,
  type Raft,
} from '@quorate/raft'
import type { ReplicatedState } from '@quorate/state-machine'
import { DamagedRowError, DamageError, type LogEntry, StoreFailedError } from '@quorate/storage'
import type { FlightRing } from '../flight/flight-ring.ts'
import { LogClock } from '../log-clock.ts'
import { ApplyLoop } from './apply-loop.ts'
import type { ReplicaHost } from './host.ts'
import { Proposals, type QueuedSection } from './proposals.ts'

type WithoutMoment<T> = T extends unknown ? Omit<T, 'now' | 'draw'> : never
export type ReplicaInput = WithoutMoment<Input>

/** `removed`: it is no member any more and says nothing; only its record and its rows are still to go. */
export type ReplicaState = 'live' | 'stopped' | 'condemned' | 'removed'

/** What the kind of group adds: shards answer reads and found their slots, the meta group publishes the map. */
export interface ReplicaBehaviour {
  /** Role, term or leader changed. */
  roleChanged(): void
  readsConfirmed(tag: number, index: number): void
  readsDropped(tag: number): void
  /** Entries were applied; reads that waited for them may go. */
  appliedUpTo(index: number): void
  /** A committed entry was applied. */
  applied(entry: LogEntry): void
  /** The replica no longer serves: what waits is refused. */
  ended(): void
}

export interface ReplicaParts {
  readonly group: number
  readonly incarnation: number
  readonly raft: Raft
  readonly state: ReplicatedState
  readonly generation: number
  readonly lastStamp: number
  readonly firstIndex: number
  readonly configuration: Configuration
  readonly configurationIndex: number
}

interface Unsynced {
  readonly ticket: number
  readonly number: number
  readonly after: readonly Envelope[]
}

export class Replica {
  readonly group: number
  readonly incarnation: number
  readonly raft: Raft
  readonly proposals: Proposals = new Proposals()
  readonly clock: LogClock = new LogClock()
  readonly apply: ApplyLoop
  readonly flight: FlightRing
  state: ReplicatedState
  /** Which generation of rows in the store is valid. */
  generation: number
  /** Configuration of the last configuration entry applied, for checkpoints. */
  appliedConfiguration: Configuration
  appliedConfigurationIndex: number
  condition: ReplicaState = 'live'
  reason: string | null = null
  /** A snapshot is being flipped in: nothing may change the log below it, so it neither follows appends nor campaigns. */
  installing = false
  snapshotsInstalled = 0
  /** The first index that the log still holds. */
  firstIndex: number
  behaviour: ReplicaBehaviour | null = null
  /** Called for peers that need a snapshot; set by the snapshot sender. */
  snapshotWanted: (peer: number) => void = () => {}
  /** Called when something begins to wait for a sync; set by whoever tells of syncs. */
  waitsForDisk: () => void = () => {}
  readonly #host: ReplicaHost
  readonly #inputs: ReplicaInput[] = []
  readonly #unsynced: Unsynced[] = []
  #stepping = false
  #closed = false
  #lastStamp: number
  #wasLeader = false
  #batch: readonly QueuedSection[] | null = null
  #incoming: GroupMessage | null = null

  constructor(host: ReplicaHost, parts: ReplicaParts) {
    this.#host = host
    this.group = parts.group
    this.incarnation = parts.incarnation
    this.raft = parts.raft
    this.state = parts.state
    this.generation = parts.generation
    this.#lastStamp = parts.lastStamp
    this.appliedConfiguration = parts.configuration
    this.appliedConfigurationIndex = parts.configurationIndex
    this.firstIndex = parts.firstIndex
    this.flight = host.flight.ring(parts.raft)
    this.apply = new ApplyLoop(host, {
      group: parts.group,
      state: () => this.state,
      generation: () => this.generation,
      applied: (entry, answers) => this.#applied(entry, answers),
      caughtUp: () => this.#caughtUp(),
      failed: (error) => this.failed(error),
    })
  }

  /** One that no longer serves leads nobody, whatever its core believed last. */
  get isLeader(): boolean {
    return this.condition === 'live' && this.raft.role === 'leader'
  }

  /** L: the log clock as this leader reads it now. */
  leaderTime(): number {
    return this.clock.read(this.#host.now(), this.#agreed())
  }

  /** Feeds one input; inputs that it causes here are handled before this returns. */
  step(input: ReplicaInput): void {
    if (this.condition === 'condemned' || this.#closed) return
    this.#inputs.push(input)
    this.#stepAll()
  }

  /** Steps what it missed, if anything. Whatever is stepped does that first. */
  catchUp(): void {
    if (!this.#silenced()) this.#stepAll()
  }

  #stepAll(): void {
    if (this.#stepping) return
    this.#stepping = true
    try {
      this.#hearMissed()
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift())
        this.#stepOne(next, this.#host.now())
    } finally {
      this.#stepping = false
    }
  }

  #hearMissed(): void {
    for (const { input, at } of this.#host.missed(this.group)) if (!this.#silenced()) this.#stepOne(input, at)
  }

  /** A message from a peer, already checked against this incarnation. */
  receive(message: GroupMessage): void {
    if (this.condition === 'condemned') return
    if (this.installing && !harmlessWhileInstalling.has(message.message.type)) return
    if (message.message.type === 'timeoutNow' && (this.condition === 'stopped' || !this.#host.mayLead()))
      return
    this.#incoming = message
    try {
      this.step({ type: 'message', from: message.from, message: message.message })
    } finally {
      this.#incoming = null
    }
  }

  /** The log is synced up to `ticket`. True while something waits for a later one. */
  synced(ticket: number): boolean {
    this.#synced(ticket)
    return this.#unsynced.length > 0
  }

  #synced(ticket: number): void {
    let number = 0
    const send: Envelope[] = []
    while (this.#unsynced[0] !== undefined && this.#unsynced[0].ticket <= ticket) {
      const done = this.#unsynced.shift()
      if (done === undefined) break
      number = done.number
      send.push(...done.after)
    }
    if (number === 0) return
    if (this.condition === 'condemned') return
    // The core learns first, so that what leaves now is not older than what it would say next.
    this.step({ type: 'persisted', number })
    // That step may have condemned it: then its record comes before anything else that it says.
    if (!this.#silenced()) this.#send(send)
  }

  /** Condemned or closed: it must not send what was waiting for the disk. */
  #silenced(): boolean {
    return this.condition === 'condemned' || this.#closed
  }

  /** Proposes queued sections: one entry per call, the rest at the next turn. */
  proposeQueued(): void {
    while (this.proposals.queued) {
      const batch = this.proposals.takeBatch()
      this.#batch = batch
      this.step({ type: 'propose', bytes: batch.reduce((sum, section) => sum + section.bytes.length, 0) })
      if (this.#batch === null) continue
      // Neither appended nor dropped: the replica was condemned on the way.
      this.#batch = null
      for (const section of batch) section.requester.refused('REPLICA_STOPPED')
    }
  }

  /** Apply threw: keep log and votes, never lead, serve or apply (storage.md). */
  stopApplying(error: Error): void {
    if (this.condition !== 'live') return
    this.condition = 'stopped'
    this.reason = error.message
    this.apply.stop()
    this.#host.flight.machineBroke(this, error.message)
    this.#host.event({ code: 'replica_stopped', group: this.group, reason: error.message })
    this.step({ type: 'stepDown' })
    this.#end('REPLICA_STOPPED')
  }

  /** What apply, a read or a snapshot of this state met: bad bytes condemn, a failed store halts, all else stops. */
  failed(error: Error): void {
    if (this.#closed) return
    if (error instanceof DamagedRowError || error instanceof DamageError) this.condemn(error.message)
    else if (error instanceof StoreFailedError) this.#host.halt(error)
    else this.stopApplying(error)
  }

  /** Damaged, diverged or lost what it acknowledged: the record is queued before anything else this replica could say. */
  condemn(reason: string): void {
    if (this.condition === 'condemned' || this.#closed) return
    this.condition = 'condemned'
    this.reason = reason
    this.apply.stop()
    this.#inputs.length = 0
    this.#unsynced.length = 0
    this.#host.append({ kind: 'condemned', group: this.group, incarnation: this.incarnation, reason })
    this.#host.event({ code: 'replica_condemned', group: this.group, reason })
    this.#end('REPLICA_STOPPED')
    this.#host.leadershipChanged(this.group)
  }

  /** A snapshot became the state; the log begins behind it. The caller tells the core next. */
  installed(
    state: ReplicatedState,
    generation: number,
    at: { readonly configuration: Configuration; readonly configurationIndex: number },
  ): void {
    this.state = state
    this.generation = generation
    this.appliedConfiguration = at.configuration
    this.appliedConfigurationIndex = at.configurationIndex
    this.#lastStamp = Math.max(this.#lastStamp, state.clock)
    this.snapshotsInstalled += 1
    this.#host.overlayChanged(this.group)
  }

  /** What was frozen for a checkpoint is durable. */
  released(): void {
    this.state.release()
    this.#host.overlayChanged(this.group)
  }

  /** Out of its group for good (rule 10): silent at once, whoever waits is refused; its record follows. */
  leave(): void {
    if (this.#closed) return
    this.condition = 'removed'
    this.close()
    this.#end('REPLICA_STOPPED')
  }

  /** The node ends: nothing is stepped, applied or said any more. */
  close(): void {
    this.#closed = true
    this.#inputs.length = 0
    this.#unsynced.length = 0
    this.apply.stop()
    this.#host.leadershipChanged(this.group)
  }

  #end(code: 'REPLICA_STOPPED'): void {
    this.proposals.refuseQueued(code)
    this.proposals.leadershipLost()
    this.behaviour?.ended()
  }

  #stepOne(input: ReplicaInput, now: number): void {
    const complete = { ...input, now, draw: this.#host.draw() } as Input
    let effects: Effects
    this.flight.record(complete)
    try {
      effects = this.raft.step(complete)
    } catch (error) {
      this.#host.flight.coreBroke(this, error)
      if (error instanceof InvariantViolation && condemning.has(error.code))
        return this.condemn(error.message)
      // Its state is undefined from here on: it must not be stepped again.
      this.close()
      return this.#host.halt(error instanceof Error ? error : new Error(String(error)))
    }
    this.#host.stepped(this)
    if (input.type === 'compacted' || input.type === 'snapshotInstalled') this.firstIndex = input.index + 1
    this.#carryOut(effects)
  }

  #carryOut(effects: Effects): void {
    if (effects.status !== null) this.#statusChanged()
    const written = this.#entriesOf(effects)
    if (effects.dropped !== null) this.#dropped(effects.dropped)
    this.#persist(effects, written)
    this.#send(effects.send)
    for (const peer of effects.snapshotWanted) this.snapshotWanted(peer)
    for (const tag of effects.readsDropped) this.behaviour?.readsDropped(tag)
    for (const read of effects.reads) this.behaviour?.readsConfirmed(read.tag, read.index)
    if (effects.commitIndex !== null && this.condition === 'live') this.apply.advance(effects.commitIndex)
  }

  /** Entries are queued in the log before appends that carry them leave; a vote or acknowledgement waits for the sync. */
  #persist(effects: Effects, entries: readonly LogEntry[]): void {
    const { persist, sendAfterPersist } = effects
    const replica = { group: this.group, incarnation: this.incarnation }
    if (persist !== null) {
      let ticket = 0
      if (persist.hardState !== null)
        ticket = this.#host.append({ ...replica, kind: 'hardState', hardState: persist.hardState })
      if (entries.length > 0) ticket = this.#host.append({ ...replica, kind: 'entries', entries })
      if (ticket === 0) throw new Error('a persist effect without anything to write')
      this.#unsynced.push({ ticket, number: persist.number, after: sendAfterPersist })
      this.waitsForDisk()
      return
    }
    const last = this.#unsynced.pop()
    if (last === undefined) this.#send(sendAfterPersist)
    else this.#unsynced.push({ ...last, after: [...last.after, ...sendAfterPersist] })
  }

  /** Gives the entries of a persist their bytes: from the append being handled, or made here by a leader. */
  #entriesOf(effects: Effects): LogEntry[] {
    if (effects.persist === null) return []
    const own = new Set(effects.appended.map((meta) => meta.index))
    return effects.persist.entries.map((meta) => {
      const entry = own.has(meta.index) ? this.#makeEntry(meta) : this.#receivedEntry(meta)
      this.#lastStamp = entry.stamp
      return entry
    })
  }

  #makeEntry(meta: EntryMeta): LogEntry {
    const stamp = this.clock.stamp(this.#host.now(), this.#agreed())
    const base = { index: meta.index, term: meta.term, stamp }
    if (meta.configuration !== undefined)
      return { ...base, type: 'configuration', payload: encodeConfiguration(meta.configuration) }
    const batch = this.#batch
    if (batch === null || meta.bytes === 0) return { ...base, type: 'noop', payload: new Uint8Array(0) }
    this.#batch = null
    this.proposals.appended(meta.index, meta.term, batch)
    const [only] = batch
    return {
      ...base,
      type: 'commands',
      payload:
        batch.length === 1 && only !== undefined
          ? only.bytes
          : Buffer.concat(batch.map((section) => section.bytes)),
    }
  }

  #receivedEntry(meta: EntryMeta): LogEntry {
    const message = this.#incoming
    if (message === null || message.message.type !== 'appendRequest')
      throw new Error(`entry ${meta.index} of group ${this.group} came from nowhere`)
    const payload: EntryPayload | undefined = message.payloads[meta.index - message.message.previousIndex - 1]
    if (payload === undefined)
      throw new Error(`append to group ${this.group} lacks the payload of ${meta.index}`)
    return {
      index: meta.index,
      term: meta.term,
      type: payload.type,
      stamp: payload.stamp,
      payload: payload.payload,
    }
  }

  #send(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) {
      const { to } = envelope
      let { message } = envelope
      let payloads: readonly EntryPayload[] = []
      if (message.type === 'appendRequest' && message.entries.length > 0) {
        const found = this.#payloads(message.entries)
        // Reading the log may have condemned this replica: then it says nothing more.
        if (isCondemned(this)) return
        if (found === null) {
          this.step({ type: 'unavailable', peer: to })
          continue
        }
        message = { ...message, entries: message.entries.slice(0, found.length) }
        payloads = found
      }
      const groupMessage = { group: this.group, from: this.incarnation, to, message, payloads }
      this.#host.sendTo(this.group, to, { type: 'messages', messages: [groupMessage] })
    }
  }

  /** Of the entries as many as one frame takes: the core does not know how long those are that it found on the disk. */
  #payloads(metas: readonly EntryMeta[]): LogEntry[] | null {
    const first = metas[0]
    const last = metas.at(-1)
    if (first === undefined || last === undefined) return []
    const entries = this.#readLog(first.index, last.index)
    if (entries === null || entries.length === 0) return null
    for (const [at, entry] of entries.entries()) if (entry.term !== metas[at]?.term) return null
    return entries
  }

  /** Null where the log no longer holds the first of them. Bytes that fail their checksum condemn this replica. */
  #readLog(from: number, to: number): LogEntry[] | null {
    try {
      return this.#host.entries(this.group, from, to, APPEND_PAYLOAD_BYTES)
    } catch (error) {
      if (!(error instanceof DamageError)) throw error
      this.condemn(error.message)
      return null
    }
  }

  #dropped(reason: NonNullable<Effects['dropped']>): void {
    const batch = this.#batch
    if (batch === null) return
    this.#batch = null
    const code = reason === 'uncommittedFull' || reason === 'transferring' ? 'OVERLOADED' : 'NOT_LEADER'
    for (const section of batch) section.requester.refused(code)
  }

  #statusChanged(): void {
    if (this.isLeader && !this.#wasLeader)
      this.clock.begin(Math.max(this.#lastStamp, this.state.clock), this.#host.now())
    if (!this.isLeader && this.#wasLeader) this.proposals.leadershipLost()
    this.#wasLeader = this.isLeader
    this.behaviour?.roleChanged()
    this.#host.leadershipChanged(this.group)
  }

  #applied(entry: LogEntry, answers: readonly (readonly Answer[])[]): void {
    if (entry.type === 'configuration') {
      this.appliedConfiguration = decodeConfiguration(entry.payload)
      this.appliedConfigurationIndex = entry.index
      this.#host.leadershipChanged(this.group)
    }
    this.#host.overlayChanged(this.group)
    this.proposals.applied(entry.index, entry.term, answers)
    this.behaviour?.applied(entry)
  }

  #caughtUp(): void {
    const index = this.state.appliedIndex
    this.step({ type: 'applied', index })
    this.behaviour?.appliedUpTo(index)
  }

  #agreed(): number | null {
    const { voters, outgoing } = this.raft.configuration
    return this.#host.agreedWallMs(
      this.group,
      outgoing.length === 0 ? voters : [...new Set([...voters, ...outgoing])],
    )
  }
}

/** Payload bytes of one append: what is left of a frame besides the headers of it and of 1,024 entries. */
const APPEND_PAYLOAD_BYTES = limits.frameBytes - 65_536

const isCondemned = (replica: Replica): boolean => replica.condition === 'condemned'

/** Broken invariants that speak of this replica's own log; any other one is a bug, and the node halts. */
const condemning = new Set(['LOST_ACKNOWLEDGED', 'COMMITTED_CONFLICT'])

/** These change term and vote at most; everything else could make a leader or write entries. */
const harmlessWhileInstalling = new Set(['voteRequest', 'termNotice'])
