// What a state store does when nothing goes wrong.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { StateChange } from '../state-store.ts'
import { contents, type CreateStateStoreWorld, deleted, head, inWorld, row, text, valueOf } from './world.ts'

const changeList = fc.array(
  fc.record({
    group: fc.integer({ min: 0, max: 2 }),
    key: fc.uint8Array({ minLength: 1, maxLength: 3 }),
    kind: fc.integer({ min: 1, max: 2 }),
    slot: fc.constantFrom(0, 255, 256, 16_383),
    value: fc.option(fc.uint8Array({ maxLength: 40 })),
  }),
  { maxLength: 40 },
)

export function semanticTests(create: CreateStateStoreWorld): void {
  it('a new store has no checkpoint, no head, no stray rows and no damage', () =>
    inWorld(create, 1, async (world) => {
      const store = await world.open()
      expect([store.checkpointNumber, store.checkpointPosition, store.damage]).toEqual([0, 0, null])
      expect(await store.heads()).toEqual([])
      expect(await store.strayGenerations()).toEqual([])
      expect(store.damagedGroups).toEqual([])
      await store.close()
    }))

  it('rows, heads, number and position of a checkpoint are read back, also after a restart', () =>
    inWorld(create, 2, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      const replicas = [0, 4_294_967_294].map((group) => ({
        head: head(group, generation, 9),
        changes: [row('a', `of ${group}`)],
      }))
      expect(await store.checkpoint(replicas, 2 ** 40 + 5)).toBe(1)
      await store.close()
      const again = await world.open()
      for (const each of [again]) {
        expect([each.checkpointNumber, each.checkpointPosition]).toEqual([1, 2 ** 40 + 5])
        expect(await each.heads()).toEqual(replicas.map((replica) => replica.head))
        expect(await valueOf(each, 0, generation, 'a')).toBe('of 0')
        expect(await valueOf(each, 4_294_967_294, generation, 'a')).toBe('of 4294967294')
      }
      await again.close()
    }))

  it('values come in the order of the keys, a missing or deleted row is undefined, an empty value is a value', () =>
    inWorld(create, 3, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      await store.checkpoint(
        [{ head: head(1, generation, 1), changes: [row('a', '1'), row('b', '2'), row('c', '')] }],
        1,
      )
      await store.checkpoint([{ head: head(1, generation, 2), changes: [deleted('a')] }], 2)
      const values = await store.getMany(1, generation, [
        row('c', ''),
        row('x', ''),
        row('b', ''),
        row('a', ''),
      ])
      expect(values).toEqual([text(''), undefined, text('2'), undefined])
      expect(await store.getMany(1, generation, [])).toEqual([])
      await store.close()
    }))
}

export function scanTests(create: CreateStateStoreWorld): void {
  it('a scan brings the first rows of its kind and slot from a key on, in order, and nothing of their neighbours', () =>
    inWorld(create, 6, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      const wanted = Array.from({ length: 700 }, (_, at) =>
        row(`k${String(at).padStart(4, '0')}`, `${at}`, 4, 0),
      )
      const others = [row('k0', 'x', 3, 16_383), row('k1', 'x', 4, 1), row('k1', 'x', 5, 0)]
      await store.checkpoint(
        [
          { head: head(1, generation, 1), changes: [...wanted, ...others].toReversed() },
          { head: head(2, generation, 1), changes: others },
        ],
        1,
      )
      const scan = (key: string, limit: number) =>
        store.scan(1, generation, { kind: 4, slot: 0, key: text(key), limit })
      expect(await scan('', 1_000)).toEqual(wanted)
      expect(await scan('k0003', 2)).toEqual(wanted.slice(3, 5))
      expect(await scan('k0003\0', 600)).toEqual(wanted.slice(4, 604))
      expect(await scan('k0698a', 5)).toEqual(wanted.slice(699))
      expect(await scan('l', 5)).toEqual([])
      expect(await store.scan(2, generation, { kind: 4, slot: 0, key: text(''), limit: 5 })).toEqual([])
      await store.checkpoint([{ head: head(1, generation, 2), changes: [deleted('k0000', 4, 0)] }], 2)
      expect(await scan('', 1)).toEqual(wanted.slice(1, 2))
      await store.close()
    }))
}

export function snapshotTests(create: CreateStateStoreWorld): void {
  it('a snapshot brings rows in key order, in pages of about the bytes asked for and never an empty one before the end', () =>
    inWorld(create, 4, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      const changes = Array.from({ length: 600 }, (_, at) =>
        row(`k${String(at).padStart(4, '0')}`, 'v'.repeat(95)),
      )
      await store.checkpoint([{ head: head(1, generation, 1), changes: changes.toReversed() }], 1)
      const snapshot = store.openSnapshot(1, generation)
      expect(await snapshot.next(1)).toEqual(changes.slice(0, 1))
      const page = await snapshot.next(1_000)
      expect(page).toEqual(changes.slice(1, 11))
      let seen = 11
      for (let rows = await snapshot.next(7_000); rows.length > 0; rows = await snapshot.next(7_000))
        seen += rows.length
      expect(seen).toBe(600)
      expect(await snapshot.next(7_000)).toEqual([])
      await snapshot.close()
      await store.close()
    }))

  it('a snapshot shows the moment it was opened while checkpoints go on', () =>
    inWorld(create, 5, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      const write = (index: number): Promise<number> =>
        store.checkpoint(
          [
            {
              head: head(1, generation, index),
              changes: Array.from({ length: 50 }, (_, at) => row(`k${at}`, `${index}`)),
            },
          ],
          index,
        )
      await write(1)
      const before = await contents(store, 1, generation)
      const snapshot = store.openSnapshot(1, generation)
      const writing = (async () => {
        for (let index = 2; index < 6; index += 1) await write(index)
        await store.checkpoint(
          [{ head: head(1, generation, 6), changes: [deleted('k0'), row('new', '6')] }],
          6,
        )
      })()
      const seen: string[] = []
      for (let page = await snapshot.next(20); page.length > 0; page = await snapshot.next(20)) {
        for (const each of page)
          seen.push(`${Buffer.from(each.key).toString()}=${Buffer.from(each.value).toString()}`)
      }
      await writing
      expect(seen).toEqual(before)
      expect(await valueOf(store, 1, generation, 'k0')).toBeUndefined()
      await snapshot.close()
      await store.close()
    }))
}

function* brokenChanges(): Generator<StateChange> {
  yield row('a', '2')
  throw new Error('the overlay is broken')
}

export function abandonTests(create: CreateStateStoreWorld): void {
  it('a checkpoint whose changes throw writes nothing, and the store goes on', () =>
    inWorld(create, 6, async (world) => {
      const store = await world.open()
      const generation = await store.nextGeneration()
      await store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1)
      const failing = store.checkpoint([{ head: head(1, generation, 2), changes: brokenChanges() }], 2)
      await expect(failing).rejects.toThrow('the overlay is broken')
      expect(await contents(store, 1, generation)).toEqual(['a=1'])
      expect(await store.checkpoint([{ head: head(1, generation, 3), changes: [row('a', '3')] }], 3)).toBe(2)
      await store.close()
      const again = await world.open()
      expect([again.damage, (await again.heads())[0]?.appliedIndex]).toEqual([null, 3])
      await again.close()
    }))
}

export function randomTests(create: CreateStateStoreWorld): void {
  it('any sequence of checkpoints leaves exactly the rows of the last writes, group by group', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(changeList, { minLength: 1, maxLength: 5 }), fc.nat(), (steps, seed) =>
        inWorld(create, seed, async (world) => {
          let store = await world.open()
          const generation = await store.nextGeneration()
          const model = new Map<string, string>()
          for (const [at, step] of steps.entries()) {
            const replicas = [0, 1, 2].map((group) => ({
              head: head(group, generation, at + 1),
              changes: step.filter((each) => each.group === group) satisfies StateChange[],
            }))
            await store.checkpoint(replicas, at)
            for (const { group, kind, slot, key, value } of step) {
              const name = [group, kind, slot, Buffer.from(key).toString('hex')].join(':')
              if (value === null) model.delete(name)
              else model.set(name, Buffer.from(value).toString('hex'))
            }
            if (at % 2 === 1) {
              await store.close()
              store = await world.open()
            }
          }
          const found = new Map<string, string>()
          for (const group of [0, 1, 2]) {
            const snapshot = store.openSnapshot(group, generation)
            for (let rows = await snapshot.next(50); rows.length > 0; rows = await snapshot.next(50)) {
              for (const { kind, slot, key, value } of rows) {
                found.set(
                  [group, kind, slot, Buffer.from(key).toString('hex')].join(':'),
                  Buffer.from(value).toString('hex'),
                )
              }
            }
            await snapshot.close()
          }
          await store.close()
          expect(found).toEqual(model)
        }),
      ),
      { numRuns: 12 },
    )
  })
}
