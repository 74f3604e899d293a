// Appends that wait: bounded, in order within a group, and no group is driven out by others.
import fc from 'fast-check'
import { groupMessageBytesMax } from '@quorate/protocol'
import { describe, expect, it } from 'vitest'
import { AppendQueue } from '../src/peers/append-queue.ts'
import { append } from './support/link-world.ts'

const indexOf = (queue: AppendQueue): [number, number] | null => {
  const next = queue.peek()
  return next?.message.type === 'appendRequest' ? [next.group, next.message.previousIndex + 1] : null
}

describe('the queue of appends', () => {
  it('never holds more than its bytes, except one message of any size', () => {
    const step = fc.oneof(fc.record({ group: fc.nat(5), bytes: fc.nat(600) }), fc.constant('take' as const))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new AppendQueue(1_000)
        const indexes = new Map<number, number>()
        const taken = new Map<number, number>()
        let ordered = true
        for (const one of steps) {
          if (one === 'take') {
            const [group, index] = indexOf(queue) ?? [-1, Number.POSITIVE_INFINITY]
            queue.take()
            // In order within its group, some missing.
            ordered &&= index > (taken.get(group) ?? 0)
            if (group >= 0) taken.set(group, index)
          } else {
            const index = (indexes.get(one.group) ?? 0) + 1
            indexes.set(one.group, index)
            queue.put(append(one.group, one.bytes, index))
          }
          expect(queue.bytes).toBeLessThanOrEqual(1_000)
        }
        for (let left = steps.length; left > 0; left -= 1) queue.take()
        expect([ordered, queue.bytes, queue.peek()]).toEqual([true, 0, undefined])
      }),
    )
    const queue = new AppendQueue(1_000)
    queue.put(append(1, 5_000))
    expect(queue.bytes).toBe(groupMessageBytesMax(append(1, 5_000)))
  })

  it('gives each group its turn', () => {
    const queue = new AppendQueue(100_000)
    for (let index = 1; index <= 3; index += 1)
      for (const group of [7, 8]) queue.put(append(group, 10, index))
    queue.put(append(9, 10))
    const order: number[] = []
    for (let next = indexOf(queue); next !== null; next = indexOf(queue)) {
      order.push(next[0])
      queue.take()
    }
    expect(order).toEqual([7, 8, 9, 7, 8, 7, 8])
  })

  it('takes the room for a small group from the one that holds most', () => {
    const queue = new AppendQueue(10_000)
    for (let index = 1; index <= 20; index += 1) queue.put(append(1, 1_000, index))
    queue.put(append(2, 100))
    const groups = new Set<number>()
    for (let next = indexOf(queue); next !== null; next = indexOf(queue)) {
      groups.add(next[0])
      queue.take()
    }
    expect(groups).toEqual(new Set([1, 2]))
  })

  it('serves every one of many equal groups that all ask again and again, within a bounded number of turns', () => {
    const queue = new AppendQueue(4 * groupMessageBytesMax(append(1, 1_000)))
    const served = new Map<number, number>()
    for (let round = 0; round < 400; round += 1) {
      // The same ones always come first.
      for (let group = 0; group < 12; group += 1) queue.put(append(group, 1_000))
      const next = indexOf(queue)
      if (next !== null) served.set(next[0], (served.get(next[0]) ?? 0) + 1)
      queue.take()
    }
    expect(served.size).toBe(12)
    expect(Math.min(...served.values())).toBeGreaterThan(10)
  })
})
