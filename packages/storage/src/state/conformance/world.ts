// What a conformance test needs of an implementation: a disk that outlives the store, and ways to hurt it.
import type { RawRow } from '../row-engine.ts'
import { KEY_PREFIX_BYTES, rowPlace, SYSTEM_GROUP } from '../row-key.ts'
import type { ReplicaHead, StateChange, StateRow, StateStore } from '../state-store.ts'

/** One directory and what may happen to it. */
export interface StateStoreWorld {
  open(dirId?: string): Promise<StateStore>
  /** The process that holds the open store dies now: nothing is closed, a batch under way is down or not. */
  crash(): Promise<void>
  /** Keys and sealed values as they are stored; while no store is open. */
  rows(): Promise<readonly RawRow[]>
  /** Writes a stored row past all checks, null removes it; while no store is open. */
  tamper(key: Uint8Array, sealed: Uint8Array | null): Promise<void>
  dispose(): Promise<void>
}

/** `seed` decides everything that is left to chance. */
export type CreateStateStoreWorld = (seed: number) => Promise<StateStoreWorld>

export async function inWorld(
  create: CreateStateStoreWorld,
  seed: number,
  test: (world: StateStoreWorld) => Promise<void>,
): Promise<void> {
  const world = await create(seed)
  try {
    await test(world)
  } finally {
    await world.dispose()
  }
}

export function text(value: string): Uint8Array {
  return new Uint8Array(Buffer.from(value))
}

export function row(key: string, value: string, kind = 1, slot = 7): StateRow {
  return { kind, slot, key: text(key), value: text(value) }
}

export function deleted(key: string, kind = 1, slot = 7): StateChange {
  return { kind, slot, key: text(key), value: null }
}

export function head(group: number, generation: number, appliedIndex: number): ReplicaHead {
  return {
    group,
    incarnation: 11,
    generation,
    appliedIndex,
    appliedTerm: 3,
    configuration: { voters: [11, 12, 13], outgoing: [11, 14], learners: [15], learnersNext: [14] },
    configurationIndex: 2,
    machine: text(`machine of ${group} at ${appliedIndex}`),
  }
}

/** All rows of a generation as `key=value`, in the store's order. */
export async function contents(store: StateStore, group: number, generation: number): Promise<string[]> {
  const snapshot = store.openSnapshot(group, generation)
  const found: string[] = []
  try {
    for (let page = await snapshot.next(64); page.length > 0; page = await snapshot.next(64)) {
      for (const each of page)
        found.push(`${Buffer.from(each.key).toString()}=${Buffer.from(each.value).toString()}`)
    }
  } finally {
    await snapshot.close()
  }
  return found
}

/** One value as text; undefined where there is no row. */
export async function valueOf(
  store: StateStore,
  group: number,
  generation: number,
  key: string,
): Promise<string | undefined> {
  const [value] = await store.getMany(group, generation, [row(key, '')])
  return value === undefined ? undefined : Buffer.from(value).toString()
}

/** The stored row of a user key. */
export async function storedRow(world: StateStoreWorld, group: number, key: string): Promise<RawRow> {
  return findRow(
    world,
    (raw) => rowPlace(raw)?.group === group && Buffer.from(raw).subarray(KEY_PREFIX_BYTES).toString() === key,
  )
}

/** The store's own row of a kind whose slot is `slot`. */
export async function storedSystemRow(world: StateStoreWorld, kind: number, slot: number): Promise<RawRow> {
  return findRow(world, (raw) => {
    const place = rowPlace(raw)
    return place?.group === SYSTEM_GROUP && place.kind === kind && place.slot === slot
  })
}

export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes)
  copy[at] = (copy[at] ?? 0) ^ 0x10
  return copy
}

async function findRow(world: StateStoreWorld, matches: (key: Uint8Array) => boolean): Promise<RawRow> {
  const found = (await world.rows()).find(([key]) => matches(key))
  if (found === undefined) throw new Error('the row that the test wants to hurt is not there')
  return found
}
