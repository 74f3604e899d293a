// Atomicity: whenever the process dies, a restart finds the state of one checkpoint, whole (E7, rule 13).
import { expect, it } from 'vitest'
import type { StateStore } from '../state-store.ts'
import { contents, type CreateStateStoreWorld, head, inWorld, row } from './world.ts'

const ROUNDS = 12
const ROWS = 40

export function crashTests(create: CreateStateStoreWorld): void {
  it('E7: rows, applied index and checkpoint number are of one checkpoint, whenever the process dies', () =>
    inWorld(create, 40, async (world) => {
      let store = await world.open()
      const generation = await store.nextGeneration()
      let acknowledged = 0
      let begun = 0
      for (let round = 0; round < ROUNDS; round += 1) {
        for (let at = 0; at < 3; at += 1) {
          begun += 1
          await writeAll(store, generation, begun)
          acknowledged = begun
        }
        begun += 1
        const dying = writeAll(store, generation, begun)
        dying.catch(() => {})
        // Turns of the event loop, so that the death comes early, late and in between.
        for (let turn = 0; turn < round; turn += 1) await contents(store, 1, generation).then(() => {})
        await world.crash()
        store = await world.open()
        expect(store.damage).toBeNull()
        const heads = await store.heads()
        const found = heads[0]?.appliedIndex ?? 0
        expect(heads.map((each) => each.appliedIndex)).toEqual([found, found])
        expect([acknowledged, begun]).toContain(found)
        expect(store.checkpointNumber).toBe(found)
        expect(store.checkpointPosition).toBe(found)
        for (const group of [1, 2]) {
          expect(await contents(store, group, generation)).toEqual(expectedRows(found))
        }
        begun = found
      }
      await store.close()
    }))
}

export function interleavingTests(create: CreateStateStoreWorld): void {
  it('a process that dies while it drops a generation drops the rest next time', () =>
    inWorld(create, 41, async (world) => {
      const store = await world.open()
      const live = await store.nextGeneration()
      await store.checkpoint([{ head: head(1, live, 1), changes: [row('a', '1')] }], 1)
      const stray = await store.nextGeneration()
      await store.stage(
        1,
        stray,
        Array.from({ length: 2_500 }, (_, at) => row(`k${at}`, 'x')),
      )
      const dropping = store.dropGeneration(1, stray)
      dropping.catch(() => {})
      await contents(store, 1, live)
      await world.crash()
      const again = await world.open()
      expect(again.damage).toBeNull()
      for (const each of await again.strayGenerations())
        await again.dropGeneration(each.group, each.generation)
      expect(await again.strayGenerations()).toEqual([])
      expect(await contents(again, 1, stray)).toEqual([])
      expect(await contents(again, 1, live)).toEqual(['a=1'])
      await again.close()
    }))

  it('staging, generations and a checkpoint at the same time leave numbers without a gap', () =>
    inWorld(create, 42, async (world) => {
      const store = await world.open()
      const live = await store.nextGeneration()
      const other = await store.nextGeneration()
      await Promise.all([
        store.checkpoint([{ head: head(1, live, 1), changes: [row('a', '1')] }], 1),
        store.stage(2, other, [row('b', '2')]),
        store.nextGeneration(),
        store.stage(2, other, [row('c', '3')]),
        store.forget(5, 2),
      ])
      await world.crash()
      const again = await world.open()
      expect([again.damage, again.checkpointNumber, again.checkpointPosition]).toEqual([null, 2, 2])
      expect(await contents(again, 2, other)).toEqual(['b=2', 'c=3'])
      expect(await again.nextGeneration()).toBe(4)
      await again.close()
    }))
}

function writeAll(store: StateStore, generation: number, index: number): Promise<number> {
  const changes = Array.from({ length: ROWS }, (_, at) => row(`k${String(at).padStart(2, '0')}`, `${index}`))
  return store.checkpoint(
    [1, 2].map((group) => ({ head: head(group, generation, index), changes })),
    index,
  )
}

function expectedRows(index: number): string[] {
  return Array.from({ length: ROWS }, (_, at) => `k${String(at).padStart(2, '0')}=${index}`)
}
