// The faults of the memory twin, and that it is a function of its seed.
import { describe, expect, it } from 'vitest'
import {
  createMemoryStateWorld,
  DamagedRowError,
  type MemoryStateWorld,
  StoreFailedError,
} from '../../src/index.ts'
import { contents, head, row, valueOf } from '../../src/state/conformance/world.ts'
import { rowPlace } from '../../src/state/row-key.ts'
import { seededRandom, VirtualTimers } from './virtual-timers.ts'

function newWorld(seed: number): MemoryStateWorld {
  return createMemoryStateWorld({ timers: new VirtualTimers(), random: seededRandom(seed) })
}

describe('memory twin of the state store', () => {
  it('G2: a skipped batch is read while the process lives, and is a gap after the next start', async () => {
    for (const kind of ['checkpoint', 'stage', 'generation'] as const) {
      const world = newWorld(1)
      const store = await world.open('node', 'd')
      const generation = await store.nextGeneration()
      const staged = await store.nextGeneration()
      await store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1)
      world.skipNextBatch('node')
      if (kind === 'checkpoint') {
        await store.checkpoint([{ head: head(1, generation, 2), changes: [row('b', '2')] }], 2)
      } else if (kind === 'stage') await store.stage(1, staged, [row('b', '2')])
      else await store.nextGeneration()
      await store.checkpoint([{ head: head(1, generation, 3), changes: [row('c', '3')] }], 3)
      expect(store.damage).toBeNull()
      expect(await valueOf(store, 1, generation, 'b'), kind).toBe(kind === 'checkpoint' ? '2' : undefined)
      world.crash({ powerLoss: false })
      const again = await world.open('node', 'd')
      expect(again.damage, kind).toContain('is missing below')
      expect(await valueOf(again, 1, generation, 'b')).toBeUndefined()
      expect(await valueOf(again, 1, generation, 'c')).toBe('3')
    }
  })

  it('a skipped newest batch is no gap: the store is at the checkpoint before it', async () => {
    const world = newWorld(2)
    const store = await world.open('node', 'd')
    const generation = await store.nextGeneration()
    await store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1)
    world.skipNextBatch('node')
    await store.checkpoint([{ head: head(1, generation, 2), changes: [row('a', '2')] }], 2)
    await store.close()
    const again = await world.open('node', 'd')
    expect([again.damage, again.checkpointNumber]).toEqual([null, 1])
    expect(await contents(again, 1, generation)).toEqual(['a=1'])
  })

  it('G3, G4: the nth write fails, is not retried, and the store refuses everything after it', async () => {
    const world = newWorld(3)
    const store = await world.open('node', 'd')
    const generation = await store.nextGeneration()
    world.failWrite('node', 2)
    expect(await store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1)).toBe(1)
    const failing = store.checkpoint([{ head: head(1, generation, 2), changes: [row('a', '2')] }], 2)
    const queued = store.nextGeneration()
    await Promise.all([
      expect(failing).rejects.toThrow(StoreFailedError),
      expect(queued).rejects.toThrow(StoreFailedError),
    ])
    expect(store.checkpointNumber).toBe(1)
    await expect(store.checkpoint([], 3)).rejects.toThrow(StoreFailedError)
    await expect(store.getMany(1, generation, [row('a', '')])).rejects.toThrow(StoreFailedError)
    world.crash({ powerLoss: true })
    const again = await world.open('node', 'd')
    expect(again.damage).toBeNull()
    expect(['1', '2']).toContain(await valueOf(again, 1, generation, 'a'))
  })

  it('G9: what a checkpoint changes is told when it is down, and never if it fails', async () => {
    const world = newWorld(7)
    const store = await world.open('node', 'd')
    const generation = await store.nextGeneration()
    const numbers = (): number[] => [store.checkpointNumber, store.checkpointPosition]
    const checkpoint = (index: number): Promise<number> =>
      store.checkpoint([{ head: head(1, generation, index), changes: [row('a', String(index))] }], index)
    let slowest = Promise.resolve()
    const first = checkpoint(1)
    for (let turn = 0; turn < 20; turn += 1) slowest = slowest.then(() => expect(numbers()).toEqual([0, 0]))
    await slowest
    expect(await first).toBe(1)
    expect(numbers()).toEqual([1, 1])
    world.failWrite('node', 1)
    await expect(checkpoint(2)).rejects.toThrow(StoreFailedError)
    expect(numbers()).toEqual([1, 1])
  })

  it('a flipped bit is noticed while the store is open', async () => {
    const world = newWorld(4)
    const store = await world.open('node', 'd')
    const generation = await store.nextGeneration()
    await store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1)
    expect(world.flipBit('node', (key) => rowPlace(key)?.group === 9)).toBe(false)
    expect(world.flipBit('node', (key) => rowPlace(key)?.group === 1)).toBe(true)
    await expect(valueOf(store, 1, generation, 'a')).rejects.toThrow(DamagedRowError)
    expect(store.damagedGroups).toEqual([1])
  })

  it('a crash ends what was under way without an answer, and frees the lock', async () => {
    const world = newWorld(5)
    const store = await world.open('node', 'd')
    const generation = await store.nextGeneration()
    let answers = 0
    const count = (): void => {
      answers += 1
    }
    store.checkpoint([{ head: head(1, generation, 1), changes: [row('a', '1')] }], 1).then(count, count)
    store.getMany(1, generation, [row('a', '')]).then(count, count)
    store.nextGeneration().then(count, count)
    world.crash({ powerLoss: true })
    const again = await world.open('node', 'd')
    expect(again.damage).toBeNull()
    expect(await again.nextGeneration()).toBe(generation + 1)
    expect(answers).toBe(0)
  })

  it('a crash touches only the directory it names', async () => {
    const world = newWorld(6)
    const [first] = await Promise.all([world.open('one', 'd1'), world.open('two', 'd2')])
    world.crash({ powerLoss: true, directory: 'two' })
    expect(await first.nextGeneration()).toBe(1)
    await expect(world.open('one', 'd1')).rejects.toMatchObject({ code: 'IN_USE' })
    expect((await world.open('two', 'd2')).checkpointNumber).toBe(0)
  })

  it('concurrent reads end in an order that the seed decides, and not always in the order of their start', async () => {
    const orders = new Set<string>()
    for (let seed = 0; seed < 20; seed += 1) {
      const [once, again] = [await readOrder(seed), await readOrder(seed)]
      expect(again).toBe(once)
      orders.add(once)
    }
    expect(orders.size).toBeGreaterThan(5)
  })

  it('a batch under way is there after a crash with some seeds and not with others', async () => {
    const found = new Set<string | undefined>()
    for (let seed = 0; seed < 20; seed += 1) {
      const world = newWorld(seed)
      const store = await world.open('node', 'd')
      const generation = await store.nextGeneration()
      const writing = store.stage(1, generation, [row('a', '1')])
      writing.catch(() => {})
      await store.heads()
      world.crash({ powerLoss: true })
      found.add(await valueOf(await world.open('node', 'd'), 1, generation, 'a'))
    }
    expect(found).toEqual(new Set(['1', undefined]))
  })
})

async function readOrder(seed: number): Promise<string> {
  const store = await newWorld(seed).open('node', 'd')
  const order: number[] = []
  const read = async (name: number): Promise<void> => {
    await store.getMany(1, 1, [row('a', '')])
    order.push(name)
  }
  await Promise.all([1, 2, 3, 4, 5, 6].map(read))
  return order.join('')
}
