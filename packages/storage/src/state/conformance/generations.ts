// Generations: how a snapshot is installed beside the state in use and becomes visible at once (C7, C14).
import { expect, it } from 'vitest'
import { contents, type CreateStateStoreWorld, head, inWorld, row, valueOf } from './world.ts'

export function generationTests(create: CreateStateStoreWorld): void {
  it('C7: a half-installed generation is invisible after a crash, is listed as stray and can be dropped', () =>
    inWorld(create, 20, async (world) => {
      const store = await world.open()
      const old = await store.nextGeneration()
      await store.checkpoint([{ head: head(1, old, 5), changes: [row('a', 'old')] }], 5)
      const half = await store.nextGeneration()
      await store.stage(1, half, [row('a', 'half'), row('b', 'half')])
      await world.crash()
      const again = await world.open()
      expect((await again.heads()).map((each) => each.generation)).toEqual([old])
      expect(await contents(again, 1, old)).toEqual(['a=old'])
      expect(await again.strayGenerations()).toEqual([{ group: 1, generation: half }])
      await again.dropGeneration(1, half)
      expect(await again.strayGenerations()).toEqual([])
      expect(await contents(again, 1, half)).toEqual([])
      expect(await contents(again, 1, old)).toEqual(['a=old'])
      await again.close()
    }))

  it('C14: an install that failed and was begun again leaves no row of the first try', () =>
    inWorld(create, 21, async (world) => {
      let store = await world.open()
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const generation = await store.nextGeneration()
        await store.stage(1, generation, [row(`only ${attempt}`, 'x'), row('both', `${attempt}`)])
        if (attempt === 2) {
          await store.checkpoint([{ head: head(1, generation, 50), changes: [] }], 9)
        } else {
          await world.crash()
          store = await world.open()
        }
      }
      const [installed] = await store.heads()
      expect(installed?.appliedIndex).toBe(50)
      expect(await contents(store, 1, installed?.generation ?? 0)).toEqual(['both=2', 'only 2=x'])
      for (const { group, generation } of await store.strayGenerations())
        await store.dropGeneration(group, generation)
      expect(await contents(store, 1, installed?.generation ?? 0)).toEqual(['both=2', 'only 2=x'])
      await store.close()
    }))
}

export function strayTests(create: CreateStateStoreWorld): void {
  it('a flip makes the new generation visible with its applied index and leaves the old one stray', () =>
    inWorld(create, 22, async (world) => {
      const store = await world.open()
      const old = await store.nextGeneration()
      await store.checkpoint([{ head: head(1, old, 5), changes: [row('a', 'old'), row('gone', 'old')] }], 5)
      const next = await store.nextGeneration()
      await store.stage(1, next, [row('a', 'new')])
      await store.checkpoint([{ head: head(1, next, 90), changes: [] }], 6)
      await world.crash()
      const again = await world.open()
      const [installed] = await again.heads()
      expect([installed?.generation, installed?.appliedIndex]).toEqual([next, 90])
      expect(await valueOf(again, 1, next, 'gone')).toBeUndefined()
      expect(await again.strayGenerations()).toEqual([{ group: 1, generation: old }])
      await again.close()
    }))

  it('strays of several groups are found one by one among larger live generations', () =>
    inWorld(create, 23, async (world) => {
      const store = await world.open()
      const live = await store.nextGeneration()
      const many = Array.from({ length: 300 }, (_, at) => row(`k${at}`, 'x'))
      await store.checkpoint(
        [1, 2, 3].map((group) => ({ head: head(group, live, 1), changes: many })),
        1,
      )
      const expected: { group: number; generation: number }[] = []
      for (const group of [0, 2, 9]) {
        const generation = await store.nextGeneration()
        await store.stage(group, generation, many)
        expected.push({ group, generation })
      }
      expect(await store.strayGenerations()).toEqual(expected)
      for (const each of expected) await store.dropGeneration(each.group, each.generation)
      expect(await store.strayGenerations()).toEqual([])
      expect(await contents(store, 2, live)).toHaveLength(300)
      await store.close()
    }))
}

export function generationNumberTests(create: CreateStateStoreWorld): void {
  it('a generation number is never handed out twice, whatever ends the process', () =>
    inWorld(create, 24, async (world) => {
      const seen: number[] = []
      for (let boot = 0; boot < 6; boot += 1) {
        const store = await world.open()
        seen.push(
          ...(await Promise.all([store.nextGeneration(), store.nextGeneration(), store.nextGeneration()])),
        )
        if (boot % 2 === 0) await world.crash()
        else await store.close()
      }
      expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
    }))

  it('a forgotten replica has no head after a restart, counts as a checkpoint, and its rows are stray', () =>
    inWorld(create, 25, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      await store.checkpoint(
        [1, 2].map((group) => ({ head: head(group, generation, 1), changes: [row('a', '1')] })),
        1,
      )
      await store.forget(1, 8)
      await world.crash()
      const again = await world.open()
      expect((await again.heads()).map((each) => each.group)).toEqual([2])
      expect([again.checkpointNumber, again.checkpointPosition, again.damage]).toEqual([2, 8, null])
      expect(await again.strayGenerations()).toEqual([{ group: 1, generation }])
      await again.close()
    }))
}

export function ruleTests(create: CreateStateStoreWorld): void {
  it('a generation that is being dropped can be neither named nor filled nor dropped twice', () =>
    inWorld(create, 27, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      await store.stage(1, generation, [row('a', '1')])
      const dropped = store.dropGeneration(1, generation)
      await expect(store.checkpoint([{ head: head(1, generation, 1), changes: [] }], 1)).rejects.toThrow(
        'is being dropped',
      )
      await expect(store.stage(1, generation, [row('b', '2')])).rejects.toThrow('is being dropped')
      await expect(store.dropGeneration(1, generation)).rejects.toThrow('is being dropped')
      await dropped
      expect(await store.heads()).toEqual([])
      expect(await contents(store, 1, generation)).toEqual([])
      await store.close()
    }))

  it('a snapshot that is closed while its page waits for other reads ends, and the store goes on', () =>
    inWorld(create, 28, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      await store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1)
      const reads = Array.from({ length: 6 }, () => valueOf(store, 1, generation, 'a'))
      const snapshot = store.openSnapshot(1, generation)
      const page = snapshot.next(64)
      await snapshot.close()
      expect((await page).length).toBeLessThan(2)
      expect(await Promise.all(reads)).toEqual(Array.from({ length: 6 }, () => '1'))
      expect(await valueOf(store, 1, generation, 'a')).toBe('1')
      await store.close()
    }))

  it('what breaks the rules of generations is refused as a programming mistake, and nothing is written', () =>
    inWorld(create, 26, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      await store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1)
      await expect(store.stage(1, generation, [row('a', '2')])).rejects.toThrow('is in use')
      await expect(store.dropGeneration(1, generation)).rejects.toThrow('is in use')
      await expect(store.stage(1, generation + 1, [row('a', '2')])).rejects.toThrow('was not handed out')
      await expect(store.checkpoint([{ head: head(2, generation + 1, 1), changes: [] }], 1)).rejects.toThrow(
        'was not handed out',
      )
      await expect(
        store.checkpoint([{ head: head(1, generation, 2), changes: [row('a', '2', 251)] }], 1),
      ).rejects.toThrow('kind 251')
      const first = store.checkpoint([{ head: head(1, generation, 3), changes: [] }], 2)
      await expect(store.checkpoint([{ head: head(1, generation, 4), changes: [] }], 2)).rejects.toThrow(
        'one checkpoint at a time',
      )
      await first
      expect(await contents(store, 1, generation)).toEqual(['a=1'])
      await store.close()
    }))
}
