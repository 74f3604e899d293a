import { describe, expect, it } from 'vitest'
import { ReadRounds } from '../src/peers/read-rounds.ts'
import { type QueuedRead, ReadQueue } from '../src/replica/read-queue.ts'

function read(): QueuedRead & { readonly heard: string[] } {
  const heard: string[] = []
  return {
    keys: [],
    heard,
    answers: () => heard.push('answers'),
    refused: (code) => heard.push(`refused ${code}`),
  }
}

describe('the read queue', () => {
  it('D1, D3: gives a read out only when it is confirmed and its index is applied', () => {
    const queue = new ReadQueue()
    queue.arrive(read())
    const begun = queue.begin(7)
    expect(begun).toEqual({ tag: 1, count: 1 })
    expect(queue.ready(100)).toHaveLength(0)
    expect(queue.confirmed(1, 50)).toEqual({ round: 7, count: 1 })
    expect(queue.ready(49)).toHaveLength(0)
    expect(queue.ready(50)).toHaveLength(1)
    expect(queue.ready(50)).toHaveLength(0)
    expect(queue.count).toBe(0)
  })

  it('a second confirmation of a tag and one of an unknown tag change nothing', () => {
    const queue = new ReadQueue()
    queue.arrive(read())
    queue.begin(1)
    expect(queue.confirmed(1, 5)).not.toBeNull()
    expect(queue.confirmed(1, 4)).toBeNull()
    expect(queue.confirmed(9, 4)).toBeNull()
    expect(queue.ready(4)).toHaveLength(0)
    expect(queue.ready(5)).toHaveLength(1)
  })

  it('refuses everything once when the replica ends, and gives back the rounds', () => {
    const queue = new ReadQueue()
    const [waiting, arrived] = [read(), read()]
    queue.arrive(waiting)
    queue.begin(3)
    queue.arrive(arrived)
    expect(queue.refuseAll('REPLICA_STOPPED')).toEqual([{ round: 3, count: 1 }])
    expect(queue.refuseAll('REPLICA_STOPPED')).toEqual([])
    expect(waiting.heard).toEqual(['refused REPLICA_STOPPED'])
    expect(arrived.heard).toEqual(['refused REPLICA_STOPPED'])
  })
})

describe('read rounds', () => {
  it('D2: a round number is never used twice, and a read waits for one that has not begun', () => {
    const rounds = new ReadRounds()
    const seen = new Set<number>()
    for (let count = 0; count < 100; count += 1) {
      const next = rounds.next
      const round = rounds.begin()
      expect(round).toBe(next)
      expect(rounds.next).toBeGreaterThan(round)
      expect(seen.has(round)).toBe(false)
      seen.add(round)
    }
  })

  it('begins a round for waiting reads only when none with waiting reads is in flight', () => {
    const rounds = new ReadRounds()
    rounds.wait(rounds.next, 2)
    expect(rounds.due).toBe(true)
    const first = rounds.begin()
    rounds.wait(rounds.next, 1)
    expect(rounds.due).toBe(false)
    rounds.ended(first, 1)
    expect(rounds.due).toBe(false)
    rounds.ended(first, 1)
    expect(rounds.due).toBe(true)
  })
})
