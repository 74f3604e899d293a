// Replicated state of the meta group: nodes, groups, slots, epochs. Deterministic and synchronous, like a shard's.
import { createHash } from 'node:crypto'
import {
  type Answer,
  BadFrameError,
  decodeShardMap,
  emptyShardMap,
  encodeShardMap,
  faultOfShardMap,
  limits,
  type MapGroup,
  META_GROUP,
  type ShardMap,
} from '@quorate/protocol'
import type { AppliedEntry, Frozen, ReplicatedState, RowChange, RowKey } from '@quorate/state-machine'
import { ascending, changeMembers, META_REPLICAS_MAX, type Refusal } from './change-members.ts'
import { decodeMetaCommand, type MetaCommand } from './meta-command.ts'
import { placeReplicas, placeSlots } from './placement.ts'

/** The map is one row; shards use the kinds below. */
const META_ROW_KIND = 16
const MAP_KEY = new Uint8Array([1])
const FORMAT = 2

/** The founder's meta replica, whose created record names it before there is a log to mint from. */
export const FIRST_INCARNATION = 1

interface MetaFields {
  map: ShardMap
  shards: number
  replicas: number
  open: boolean
}

/** Invariants: incarnations are minted once; `map.epoch` is the index of the entry that last changed the map. */
export class MetaState implements ReplicatedState {
  #appliedIndex: number
  #appliedTerm: number
  #clock: number
  /** Its entries need no rows. */
  readonly scan: null = null
  readonly #fields: MetaFields
  /** Of the newest command; only for who proposed it, so no part of the replicated state. */
  #refused: Refusal | null = null
  #hashed: { readonly index: number; readonly hash: string } | null = null

  private constructor(
    applied: { readonly index: number; readonly term: number; readonly clock: number },
    fields: MetaFields,
  ) {
    this.#appliedIndex = applied.index
    this.#appliedTerm = applied.term
    this.#clock = applied.clock
    this.#fields = fields
  }

  static create(clusterId: string): MetaState {
    const map = { ...emptyShardMap(clusterId), nextIncarnation: FIRST_INCARNATION + 1 }
    return new MetaState({ index: 0, term: 0, clock: 0 }, { map, shards: 0, replicas: 0, open: false })
  }

  /** From a checkpoint's or snapshot's head and its one row. Throws `BadFrameError` on other bytes. */
  static restore(
    applied: { readonly index: number; readonly term: number },
    machine: Uint8Array,
    mapRow: Uint8Array,
  ): MetaState {
    const view = new DataView(machine.buffer, machine.byteOffset, machine.byteLength)
    if (machine.length !== MACHINE_BYTES || view.getUint8(0) !== FORMAT)
      throw new BadFrameError('the meta head has another format')
    return new MetaState(
      { ...applied, clock: view.getFloat64(1, true) },
      {
        map: decodeShardMap(mapRow),
        shards: view.getUint32(9, true),
        replicas: view.getUint32(13, true),
        open: view.getUint8(17) === 1,
      },
    )
  }

  get appliedIndex(): number {
    return this.#appliedIndex
  }

  get appliedTerm(): number {
    return this.#appliedTerm
  }

  get clock(): number {
    return this.#clock
  }

  /** The meta group has no versions of its own: epochs are log indexes. */
  get lastVersion(): number {
    return this.#fields.map.epoch
  }

  /** Immutable: a change makes a new one. */
  get map(): ShardMap {
    return this.#fields.map
  }

  get formed(): boolean {
    return this.#fields.map.epoch > 0
  }

  get open(): boolean {
    return this.#fields.open
  }

  /** Why the newest command changed nothing; null if it did, or was of a kind that gives no reasons. */
  get refused(): Refusal | null {
    return this.#refused
  }

  prefetch(): readonly RowKey[] {
    return []
  }

  apply(entry: AppliedEntry): readonly (readonly Answer[])[] {
    if (entry.index !== this.#appliedIndex + 1)
      throw new Error(`meta entry ${entry.index} after ${this.#appliedIndex}`)
    this.#appliedIndex = entry.index
    this.#appliedTerm = entry.term
    this.#clock = Math.max(this.#clock, entry.stamp)
    this.#refused = null
    if (entry.type !== 'commands') return []
    let command: MetaCommand
    try {
      command = decodeMetaCommand(entry.payload)
    } catch (error) {
      if (error instanceof BadFrameError) return [[]]
      throw error
    }
    this.#execute(command, entry.index)
    return [[]]
  }

  freeze(): Frozen {
    const { map, shards, replicas, open } = this.#fields
    const machine = new Uint8Array(MACHINE_BYTES)
    const view = new DataView(machine.buffer)
    view.setUint8(0, FORMAT)
    view.setFloat64(1, this.#clock, true)
    view.setUint32(9, shards, true)
    view.setUint32(13, replicas, true)
    view.setUint8(17, open ? 1 : 0)
    // Always written: meta applies rarely, and a checkpoint without the row could not be restored.
    const changes: RowChange[] = [{ kind: META_ROW_KIND, slot: 0, key: MAP_KEY, value: encodeShardMap(map) }]
    return {
      appliedIndex: this.#appliedIndex,
      appliedTerm: this.#appliedTerm,
      machine,
      changes,
      changeCount: changes.length,
    }
  }

  release(): void {}

  /** Asked for more often than meta applies: each state's is made once. */
  stateHash(): string {
    if (this.#hashed?.index === this.#appliedIndex) return this.#hashed.hash
    const { map, shards, replicas, open } = this.#fields
    const sum = createHash('sha256').update(encodeShardMap(map))
    const hash = sum.update([this.#clock, shards, replicas, open].join(' ')).digest('hex').slice(0, 32)
    this.#hashed = { index: this.#appliedIndex, hash }
    return hash
  }

  #execute(command: MetaCommand, index: number): void {
    switch (command.type) {
      case 'form':
        return this.#form(command, index)
      case 'open':
        return this.#openShards(index)
      case 'addNode':
        return this.#addNode(command, index)
      case 'assign':
      case 'cancel':
      case 'removeNode':
      case 'claim':
      case 'settle':
        return this.#changeMembers(command, index)
    }
  }

  #changeMembers(command: Parameters<typeof changeMembers>[1], index: number): void {
    if (!this.#fields.open && command.type !== 'claim' && command.type !== 'settle') {
      this.#refused = 'NOT_OPEN'
      return
    }
    const verdict = changeMembers(this.#fields.map, command, index)
    if ('refused' in verdict) this.#refused = verdict.refused
    else this.#change(index, verdict.map)
  }

  #form(command: Extract<MetaCommand, { type: 'form' }>, index: number): void {
    if (this.formed || command.nodes.length === 0) return
    const replicas = command.nodes
      .slice(0, META_REPLICAS_MAX)
      .map((node, at) => ({ incarnation: at === 0 ? FIRST_INCARNATION : this.#mint(), node: node.dirId }))
    this.#fields.shards = command.shards
    this.#fields.replicas = command.replicas
    // It begins as a group of one; the others come in as in any other change.
    const target = ascending(replicas.map(({ incarnation }) => incarnation))
    const change = target.length === 1 ? null : { id: index, target, cancelled: false, term: 0 }
    const meta: MapGroup = { group: META_GROUP, replicas, founders: [], change, foundedAt: 0 }
    this.#change(index, { nodes: command.nodes, groups: [meta], bytesMax: command.bytesMax })
  }

  #openShards(index: number): void {
    if (!this.formed || this.#fields.open) return
    this.#fields.open = true
    const { nodes, groups } = this.#fields.map
    const shards = Array.from({ length: this.#fields.shards }, (_, at) => at + 1)
    const placed = placeReplicas(shards, nodes.length, this.#fields.replicas)
    const created: MapGroup[] = shards.map((group, at) => {
      const replicas = (placed[at] ?? []).map((node) => ({
        incarnation: this.#mint(),
        node: nodes[node]?.dirId ?? '',
      }))
      const founders = ascending(replicas.map(({ incarnation }) => incarnation))
      return { group, foundedAt: index, replicas, founders, change: null }
    })
    this.#change(index, { groups: [...groups, ...created], slots: placeSlots(shards) })
  }

  #addNode(command: Extract<MetaCommand, { type: 'addNode' }>, index: number): void {
    if (!this.formed || this.#fields.map.nodes.length >= limits.mapNodes) return
    const { node } = command
    if (this.#fields.map.removed.includes(node.dirId)) return
    // A wiped node comes back under its old name with a new directory: the name is the living one's.
    const others = this.#fields.map.nodes
      .filter((other) => other.dirId !== node.dirId)
      .map((other) => (other.name === node.name ? { ...other, name: `was-${other.dirId}` } : other))
    // What could not be told to anybody must not become the map: a name taken twice, or more than fits a frame.
    const map = { ...this.#fields.map, nodes: [...others, node], epoch: index }
    if (faultOfShardMap(map) === null) this.#fields.map = map
  }

  #mint(): number {
    const { map } = this.#fields
    this.#fields.map = { ...map, nextIncarnation: map.nextIncarnation + 1 }
    return map.nextIncarnation
  }

  #change(epoch: number, change: Partial<ShardMap>): void {
    this.#fields.map = { ...this.#fields.map, ...change, epoch }
  }
}

const MACHINE_BYTES = 18
