// Nothing that was changed behind the store's back is served (rule 16, G2).
import { expect, it } from 'vitest'
import { SYSTEM_KIND } from '../row-key.ts'
import { sealValue } from '../row-seal.ts'
import { headKey } from '../open-rows.ts'
import { DamagedRowError, StoreFailedError } from '../state-store.ts'
import {
  contents,
  type CreateStateStoreWorld,
  flipped,
  head,
  inWorld,
  row,
  storedRow,
  storedSystemRow,
  type StateStoreWorld,
  text,
  valueOf,
} from './world.ts'

export function damageTests(create: CreateStateStoreWorld): void {
  it('G2: a flipped byte anywhere in a row rejects every read of it with its group, and no other group is hit', () =>
    inWorld(create, 60, async (world) => {
      const generation = await twoGroups(world, 3)
      const [key, sealed] = await storedRow(world, 1, 'a')
      for (let at = 0; at < sealed.length; at += 1) {
        await world.tamper(key, flipped(sealed, at))
        const store = await world.open()
        const read = valueOf(store, 1, generation, 'a')
        await expect(read).rejects.toThrow(DamagedRowError)
        await expect(read).rejects.toMatchObject({ group: 1 })
        await expect(contents(store, 1, generation)).rejects.toMatchObject({
          name: 'DamagedRowError',
          group: 1,
        })
        expect(store.damagedGroups).toEqual([1])
        expect(store.damage).toBeNull()
        expect(await contents(store, 2, generation)).toEqual(['a=3'])
        await store.close()
      }
    }))

  it('a row that stands under another key is not believed', () =>
    inWorld(create, 61, async (world) => {
      const generation = await twoGroups(world, 1)
      const [, sealed] = await storedRow(world, 1, 'a')
      const [other] = await storedRow(world, 2, 'a')
      await world.tamper(other, sealed)
      const store = await world.open()
      await expect(valueOf(store, 2, generation, 'a')).rejects.toMatchObject({ group: 2 })
      await store.close()
    }))
}

export function headDamageTests(create: CreateStateStoreWorld): void {
  it('a flipped byte in a head takes out its replica and leaves the others', () =>
    inWorld(create, 62, async (world) => {
      const generation = await twoGroups(world, 2)
      const key = headKey(1)
      const sealed = (await world.rows()).find(([each]) => Buffer.compare(each, key) === 0)?.[1] ?? text('')
      for (const at of [20, 60, sealed.length - 1]) {
        await world.tamper(key, flipped(sealed, at))
        const store = await world.open()
        expect((await store.heads()).map((each) => each.group)).toEqual([2])
        expect(store.damagedGroups).toEqual([1])
        // Which generation is in use cannot be known: none may be dropped.
        expect(await store.strayGenerations()).toEqual([])
        await expect(store.dropGeneration(1, generation)).rejects.toThrow('cannot be read')
        await store.checkpoint([{ head: head(2, generation, 3), changes: [] }], 9)
        await store.close()
      }
    }))

  it('a lost head is damage', () =>
    inWorld(create, 63, async (world) => {
      await twoGroups(world, 2)
      await world.tamper(headKey(1), null)
      const store = await world.open()
      expect(store.damage).toContain('1 heads')
      await store.close()
    }))
}

export function gapTests(create: CreateStateStoreWorld): void {
  it('G2: a gap in the numbers of checkpoints or batches is damage, and a damaged store refuses every write', () =>
    inWorld(create, 64, async (world) => {
      const generation = await twoGroups(world, 5)
      for (const [kind, number] of [
        [SYSTEM_KIND.checkpoint, 1],
        [SYSTEM_KIND.checkpoint, 3],
        [SYSTEM_KIND.checkpoint, 5],
        [SYSTEM_KIND.write, 1],
        [SYSTEM_KIND.write, 4],
      ] as const) {
        const [key, sealed] = await storedSystemRow(world, kind, number)
        for (const hurt of [null, flipped(sealed, 3)]) {
          await world.tamper(key, hurt)
          const store = await world.open()
          expect(store.damage, `kind ${kind}, number ${number}`).not.toBeNull()
          expect(await contents(store, 1, generation)).toEqual(['a=5'])
          const write = store.checkpoint([{ head: head(1, generation, 6), changes: [] }], 9)
          await expect(write).rejects.toThrow(StoreFailedError)
          await expect(store.nextGeneration()).rejects.toThrow(StoreFailedError)
          await store.close()
        }
        await world.tamper(key, sealed)
      }
      const store = await world.open()
      expect(store.damage).toBeNull()
      await store.close()
    }))

  it('a bad row in a generation that no head names is damage of the whole store, and is not swept away', () =>
    inWorld(create, 65, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      await store.stage(1, generation, [row('a', '1')])
      await store.close()
      const [key, sealed] = await storedRow(world, 1, 'a')
      await world.tamper(key, flipped(sealed, 0))
      const again = await world.open()
      expect(again.damage).toContain('no head names')
      await expect(again.strayGenerations()).rejects.toThrow(DamagedRowError)
      await again.close()
    }))
}

export function refusalTests(create: CreateStateStoreWorld): void {
  it('a store is refused to another directory, to a second opener, to an older program and where its identity is gone', () =>
    inWorld(create, 80, async (world) => {
      const store = await world.open('mine')
      await expect(world.open('mine')).rejects.toMatchObject({ code: 'IN_USE' })
      await store.close()
      await expect(world.open('other')).rejects.toMatchObject({ code: 'WRONG_IDS' })
      const [key, sealed] = await storedSystemRow(world, SYSTEM_KIND.identity, 0)
      await world.tamper(key, sealValue(key, new Uint8Array([0, 0, 0, 2])))
      await expect(world.open('mine')).rejects.toMatchObject({ code: 'NEWER_FORMAT' })
      for (const hurt of [null, flipped(sealed, 1)]) {
        await world.tamper(key, hurt)
        await expect(world.open('mine')).rejects.toMatchObject({ code: 'DAMAGED' })
      }
      await world.tamper(key, sealed)
      const again = await world.open('mine')
      expect(again.dirId).toBe('mine')
      await again.close()
    }))

  it('a closed store answers nothing', () =>
    inWorld(create, 81, async (world) => {
      const store = await world.open()
      await store.close()
      await store.close()
      await expect(store.heads()).rejects.toThrow(StoreFailedError)
      await expect(store.getMany(1, 1, [row('a', '')])).rejects.toThrow(StoreFailedError)
      await expect(store.nextGeneration()).rejects.toThrow(StoreFailedError)
      expect(() => store.openSnapshot(1, 1)).toThrow(StoreFailedError)
    }))
}

/** Groups 1 and 2 with row `a`, after `checkpoints` checkpoints, closed. */
async function twoGroups(world: StateStoreWorld, checkpoints: number): Promise<number> {
  const store = await world.open()
  const generation = await store.nextGeneration()
  for (let index = 1; index <= checkpoints; index += 1) {
    const replicas = [1, 2].map((group) => ({
      head: head(group, generation, index),
      changes: [row('a', `${index}`)],
    }))
    await store.checkpoint(replicas, index)
  }
  await store.close()
  return generation
}
