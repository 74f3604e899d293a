import type { Removal } from '@quorate/state-machine'
import { expect, test } from 'vitest'
import { Evictions } from '../src/check/evictions.ts'

const removal = (
  cause: Removal['cause'],
  name: string,
  removedVersion: number,
  version: number,
): Removal => ({
  cause,
  slotEpoch: 3,
  version,
  removedVersion,
  deadline: 0,
  key: new TextEncoder().encode(name),
})

test('each eviction is one operation of the system, however many replicas report it; expiries are none', () => {
  let now = 10
  const evictions = new Evictions(() => now)
  evictions.reported(1, [removal('evicted', 'a', 5, 7), removal('expired', 'b', 6, 8)])
  now = 20
  evictions.reported(1, [removal('evicted', 'a', 5, 7)])
  evictions.reported(2, [removal('evicted', 'c', 5, 7)])
  expect(evictions.operations).toMatchObject([
    { f: 'evict', key: 'a', expectedVersion: 5, position: { epoch: 3, version: 7 }, shard: 1, returnMs: 10 },
    { f: 'evict', key: 'c', expectedVersion: 5, position: { epoch: 3, version: 7 }, shard: 2, returnMs: 20 },
  ])
  expect(evictions.violations).toEqual([])
})

test('replicas that removed different entries at one version are found', () => {
  const evictions = new Evictions(() => 0)
  evictions.reported(1, [removal('evicted', 'a', 5, 7)])
  evictions.reported(1, [removal('evicted', 'a', 6, 7)])
  expect(evictions.violations).toHaveLength(1)
})
