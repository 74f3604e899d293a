// What a scrubber sees of a node: shards with real state in the store's memory twin, checkpoints, and what it does to them.
import { encodeSection, META_GROUP, type Section, slotOf } from '@quorate/protocol'
import { createSeededRandom } from '@quorate/runtime'
import { createShardState, type ReplicatedState } from '@quorate/state-machine'
import {
  createMemoryStateWorld,
  type MemoryStateWorld,
  type ReplicaHead,
  type StateStore,
} from '@quorate/storage'
import { crc32 } from 'node:zlib'
import { encodeMetaCommand } from '../../src/meta/meta-command.ts'
import { MetaState } from '../../src/meta/meta-state.ts'
import type { NodeEvent } from '../../src/node.ts'
import { type ScrubbedReplica, Scrubber, type ScrubberParts } from '../../src/scrubber.ts'
import { VirtualTime } from './virtual-time.ts'

export const DIRECTORY = 'n1'
export const KEYS = 120
const TTL_MS = 3_600_000
const VALUE_BYTES = 2_048

const never = Number.MAX_SAFE_INTEGER
const configuration = { voters: [1], outgoing: [], learners: [], learnersNext: [] }

export const keyOf = (group: number, at: number): Uint8Array =>
  new TextEncoder().encode(`g${group}-key-${at}`)
/** Founded and never written. */
export const unusedKey: Uint8Array = new TextEncoder().encode('unused')

export class FakeReplica implements ScrubbedReplica {
  readonly group: number
  generation: number
  condition: 'live' | 'stopped' | 'condemned' = 'live'
  readonly reasons: string[] = []
  readonly state: ReplicatedState

  constructor(group: number, generation: number) {
    this.group = group
    this.generation = generation
    this.state = group === META_GROUP ? MetaState.create('c'.repeat(32)) : createShardState(group)
  }

  condemn(reason: string): void {
    if (this.condition === 'condemned') return
    this.condition = 'condemned'
    this.reasons.push(reason)
  }
}

export class ScrubWorld {
  readonly time: VirtualTime = new VirtualTime()
  readonly states: MemoryStateWorld
  readonly store: StateStore
  readonly replicas: FakeReplica[] = []
  readonly events: (NodeEvent & { readonly atMs: number })[] = []
  readonly halts: Error[] = []
  readonly #heads = new Map<number, ReplicaHead>()
  #chain: Promise<unknown> = Promise.resolve()
  #sequence = 0

  private constructor(time: VirtualTime, states: MemoryStateWorld, store: StateStore) {
    this.time = time
    this.states = states
    this.store = store
  }

  static async open(groups: readonly number[]): Promise<ScrubWorld> {
    const time = new VirtualTime()
    const states = createMemoryStateWorld({ timers: time, random: createSeededRandom(11) })
    const world = new ScrubWorld(time, states, await time.settle(states.open(DIRECTORY, 'd')))
    for (const group of groups) await world.#add(group)
    return world
  }

  async #add(group: number): Promise<void> {
    const replica = new FakeReplica(group, await this.time.settle(this.store.nextGeneration()))
    this.replicas.push(replica)
    if (group === META_GROUP) {
      const node = { dirId: 'd'.repeat(32), name: 'n1', peerAddress: 'n1:1', clientAddress: 'n1:2' }
      apply(
        replica.state,
        encodeMetaCommand({ type: 'form', nodes: [node], shards: 2, replicas: 1, bytesMax: 0 }),
      )
    } else {
      const slots = new Uint8Array(2_048)
      for (const key of [unusedKey, ...Array.from({ length: KEYS }, (_, at) => keyOf(group, at))])
        slots[slotOf(key) >> 3] = (slots[slotOf(key) >> 3] ?? 0) | (1 << (slotOf(key) & 7))
      const open: Section = { kind: 'openSession', group, notAfter: never }
      const found: Section = { kind: 'found', group, epoch: 1, slots }
      apply(replica.state, Buffer.concat([open, found].map(encodeSection)))
      this.write(replica, KEYS, 1)
    }
    await this.time.settle(this.checkpoint())
  }

  /** Sets the first `count` keys to values of their own. */
  write(replica: FakeReplica, count: number, fill: number): void {
    const { group, state } = replica
    const session = { group, version: 1 }
    for (let at = 0; at < count; at++) {
      this.#sequence += 1
      const section: Section = {
        kind: 'commands',
        group,
        session,
        ackedUpTo: this.#sequence - 1,
        commands: [
          {
            op: 'set',
            sequence: this.#sequence,
            notAfter: never,
            key: keyOf(group, at),
            value: { type: 'bytes', bytes: new Uint8Array(VALUE_BYTES).fill(fill) },
            condition: { type: 'always' },
            // Some expire, so that there are rows of every kind.
            ttl: at % 2 === 0 ? TTL_MS : 0,
          },
        ],
      }
      apply(state, encodeSection(section))
    }
  }

  readonly exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = this.#chain.then(work)
    this.#chain = result.catch(() => {})
    return result
  }

  /** All live replicas, as the checkpointer does it. */
  checkpoint(): Promise<void> {
    return this.exclusively(async () => {
      const chosen = this.replicas
        .filter((replica) => replica.condition === 'live')
        .map((replica) => {
          const { changes, appliedIndex, appliedTerm, machine } = replica.state.freeze()
          const head: ReplicaHead = {
            group: replica.group,
            incarnation: 1,
            generation: replica.generation,
            appliedIndex,
            appliedTerm,
            configuration,
            configurationIndex: 0,
            machine,
          }
          return { replica, head, changes }
        })
      await this.store.checkpoint(chosen, this.store.checkpointPosition + 1)
      for (const { replica, head } of chosen) {
        replica.state.release()
        this.#heads.set(replica.group, head)
      }
    })
  }

  scrubber(changes: Partial<ScrubberParts> = {}): Scrubber {
    return new Scrubber({
      store: this.store,
      timers: this.time,
      scrubMs: 100_000,
      now: () => this.time.monotonicMs(),
      draw: () => 0,
      replicas: () => this.replicas,
      storedBytes: () => this.replicas.length * KEYS * VALUE_BYTES,
      durableHead: (group) => this.#heads.get(group) ?? null,
      exclusively: this.exclusively,
      event: (event) => this.events.push({ ...event, atMs: this.time.monotonicMs() }),
      halt: (error) => this.halts.push(error),
      ...changes,
    })
  }

  /** One pass from its beginning to its end. */
  async pass(changes: Partial<ScrubberParts> = {}): Promise<void> {
    const scrubber = this.scrubber(changes)
    const before = this.events.length
    scrubber.start()
    await this.time.until(() => this.events.length > before || this.halts.length > 0, 1_000_000)
    await this.time.settle(scrubber.stop())
  }

  replica(group: number): FakeReplica {
    const found = this.replicas.find((one) => one.group === group)
    if (found === undefined) throw new Error(`no replica of group ${group}`)
    return found
  }

  /** Raw rows of a group's entries (3), sessions (2), slots (1) or map (16), in order. */
  rowsOf(group: number, kind: number): { readonly key: Uint8Array; readonly sealed: Uint8Array }[] {
    return this.states
      .rows(DIRECTORY)
      .map(([key, sealed]) => ({ key, sealed }))
      .filter(({ key }) => Buffer.from(key).readUInt32BE(0) === group && key[12] === kind)
  }

  rewrite(key: Uint8Array, sealed: Uint8Array | null): void {
    this.states.tamper(DIRECTORY, key, sealed)
  }
}

/** As the store seals it: what no row checksum can find. */
export function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  const sealed = Buffer.alloc(value.length + 4)
  sealed.set(value)
  sealed.writeUInt32BE(crc32(value, crc32(key)), value.length)
  return sealed
}

function apply(state: ReplicatedState, payload: Uint8Array): void {
  const entry = {
    index: state.appliedIndex + 1,
    term: 1,
    type: 'commands',
    stamp: 1_000,
    payload: new Uint8Array(payload),
  } as const
  // Nothing is stored under a key before its first write, and what was written since is still in memory.
  state.apply(
    entry,
    state.prefetch(entry).map(() => undefined),
  )
}
