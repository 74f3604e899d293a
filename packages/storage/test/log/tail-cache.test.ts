import { expect, test } from 'vitest'
import { createRun, type Run } from '../../src/log/run.ts'
import { TailCache } from '../../src/log/tail-cache.ts'
import { entry } from './rig.ts'

function written(index: number): Run {
  const run = createRun([entry(index, 1, 80)], null)
  run.place = { segment: 1, offset: index * 4096, bytes: 200 }
  return run
}

test('a run that left its log is forgotten at once, however long older ones stay', () => {
  const cache = new TailCache(1024)
  cache.add(written(1))
  for (let index = 2; index <= 500; index += 1) {
    const run = written(index)
    cache.add(run)
    cache.drop(run)
    cache.drop(run)
  }
  expect([cache.runs, cache.bytes]).toEqual([1, 200])
})

test('beyond its limit the oldest written runs go, and none from the first unwritten one on', () => {
  const cache = new TailCache(1000)
  const runs = [1, 2, 3, 4].map((index) => written(index))
  for (const run of runs) cache.add(run)
  const waiting = createRun([entry(5, 1, 80)], null)
  cache.add(waiting)
  cache.add(written(6))
  expect(runs.map(({ entries }) => entries === null)).toEqual([true, false, false, false])
  cache.add(createRun([entry(7, 1, 2000)], null))
  expect(runs.every(({ entries }) => entries === null)).toBe(true)
  expect(waiting.entries).toHaveLength(1)
  expect(cache.runs).toBe(3)
})
