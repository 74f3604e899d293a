// Admission to a bounded shard, against a real state and everything that may happen between a proposal and its application.
import { type Command, encodeSection, type Section, validateSection } from '@quorate/protocol'
import { type AppliedEntry, createShardState, type ShardState } from '@quorate/state-machine'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Evictor } from '../src/replica/evictor.ts'
import type { ReplicaHost } from '../src/replica/host.ts'
import { Proposals, type QueuedSection } from '../src/replica/proposals.ts'
import type { Replica } from '../src/replica/replica.ts'

const LIMIT = 4_000
const never = Number.MAX_SAFE_INTEGER
const session = { group: 1, version: 1 }

type Step =
  | { readonly do: 'write'; readonly commands: readonly Body[] }
  | { readonly do: 'propose' }
  | { readonly do: 'apply' }
  /** Another leader: of the log above what is applied only so many entries are kept. */
  | { readonly do: 'lead'; readonly kept: number }

type Body =
  | { readonly op: 'set'; readonly key: number; readonly length: number; readonly pins: boolean }
  | { readonly op: 'incr'; readonly key: number }
  | { readonly op: 'del'; readonly key: number }
  | { readonly op: 'touch'; readonly key: number }

const key = fc.nat(60)
const body: fc.Arbitrary<Body> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('set' as const),
      key,
      length: fc.nat(300),
      pins: fc.nat(15).map((draw) => draw === 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom('incr' as const, 'incr' as const, 'del' as const, 'touch' as const),
      key,
    }),
  },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      commands: fc.array(body, { minLength: 1, maxLength: 12 }),
    }),
  },
  { weight: 12, arbitrary: fc.constantFrom<Step>({ do: 'propose' }, { do: 'apply' }, { do: 'apply' }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lead' as const), kept: fc.nat(4) }) },
)

/** One replica that is always the leader, of ever new terms; what is proposed is committed when it is applied. */
class World {
  readonly state: ShardState = createShardState(1)
  readonly proposals = new Proposals()
  readonly evictor: Evictor
  readonly timers = new Set<() => void>()
  refused = 0
  #log: AppliedEntry[] = []
  #sequence = 0
  readonly #raft = { servesReads: true, lastIndex: 0 }
  readonly #replica: { isLeader: boolean }

  constructor() {
    const replica = {
      group: 1,
      generation: 1,
      condition: 'live',
      raft: this.#raft,
      proposals: this.proposals,
      state: this.state,
      isLeader: false,
      failed: (error: Error) => {
        throw error
      },
    }
    this.#replica = replica
    const host = {
      shardBytesMax: () => LIMIT,
      admission: () => 'open',
      turn: { at: () => {} },
      timers: {
        after: (_: number, run: () => void) => {
          this.timers.add(run)
          return { cancel: () => void this.timers.delete(run) }
        },
      },
      store: { scan: () => Promise.resolve([]) },
    }
    this.evictor = new Evictor(host as unknown as ReplicaHost, replica as unknown as Replica, () => {})
    this.#append([
      { kind: 'openSession', group: 1, notAfter: never },
      { kind: 'found', group: 1, epoch: 4, slots: new Uint8Array(2048).fill(255) },
    ])
    this.apply()
    this.lead(0)
  }

  write(bodies: readonly Body[]): void {
    const commands = bodies.map((one): Command => {
      this.#sequence += 1
      const common = { sequence: this.#sequence, notAfter: never, key: new Uint8Array([one.key, 7]) }
      const condition = { type: 'always' } as const
      if (one.op === 'incr') return { op: 'incr', ...common, by: 1 }
      if (one.op === 'del') return { op: 'del', ...common, condition }
      if (one.op === 'touch') return { op: 'touch', ...common, condition, ttl: 1_000_000 }
      const value = { type: 'bytes', bytes: new Uint8Array(one.length) } as const
      return {
        op: 'set',
        ...common,
        condition,
        value,
        ttl: 0,
        ...(one.pins ? { evict: false as const } : {}),
      }
    })
    const ackedUpTo = Math.max(0, this.#sequence - 500)
    const bytes = encodeSection({ kind: 'commands', group: 1, session, ackedUpTo, commands })
    const requester = { answers: () => {}, refused: () => {}, open: () => {} }
    const admitted = this.evictor.admit(validateSection(bytes, { origin: 'client' }), requester)
    if (admitted === null) this.refused += 1
    else this.proposals.enqueue({ bytes, requester: admitted })
  }

  propose(): void {
    const batch: readonly QueuedSection[] = this.proposals.takeBatch()
    if (batch.length === 0) return
    const payload = new Uint8Array(Buffer.concat(batch.map(({ bytes }) => bytes)))
    this.#log.push({ index: this.#log.length + 1, term: 1, type: 'commands', stamp: 1, payload })
    this.proposals.appended(this.#log.length, 1, batch)
  }

  apply(): void {
    const entry = this.#log[this.state.appliedIndex]
    if (entry === undefined) return
    const rows = this.state.prefetch(entry).map(() => undefined)
    const answers = this.state.apply(entry, rows)
    this.proposals.applied(entry.index, entry.term, answers)
    this.evictor.look()
  }

  lead(kept: number): void {
    this.#replica.isLeader = false
    this.proposals.leadershipLost()
    this.evictor.roleChanged()
    this.#log = this.#log.slice(0, this.state.appliedIndex + kept)
    this.#replica.isLeader = true
    this.#raft.lastIndex = this.#log.length
    this.evictor.roleChanged()
  }

  #append(sections: readonly Section[]): void {
    const payload = new Uint8Array(Buffer.concat(sections.map(encodeSection)))
    this.#log.push({ index: this.#log.length + 1, term: 1, type: 'commands', stamp: 1, payload })
  }
}

it('no bytes above 1.25 of the limit and no pinned ones above a tenth, whatever is admitted, applied, lost and led anew', async () => {
  let [refused, evicted] = [0, 0]
  const property = fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
    const world = new World()
    for (const one of steps) {
      if (one.do === 'write') world.write(one.commands)
      else if (one.do === 'lead') world.lead(one.kept)
      else world[one.do]()
      // Scans of the store end, and what was to be looked at again is.
      const due = [...world.timers]
      for (const run of due) {
        world.timers.delete(run)
        run()
      }
      for (let turn = 0; turn < 40; turn += 1) await Promise.resolve()
      const { bytes, pinnedBytes } = world.state.stats
      expect(bytes).toBeLessThanOrEqual(LIMIT * 1.25)
      expect(pinnedBytes).toBeLessThanOrEqual(LIMIT / 10)
    }
    refused += world.refused
    evicted += world.state.counts.evictions
  })
  await fc.assert(property, { numRuns: 150 })
  // It would hold of a shard that takes nothing, too.
  expect(refused).toBeGreaterThan(100)
  expect(evicted).toBeGreaterThan(100)
})
