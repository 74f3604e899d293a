import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import {
  Histogram,
  type Measurement,
  Results,
  everyKeyOnce,
  formatNumber,
  formatTable,
  judge,
  median,
  pairedRatio,
  parseBenchOptions,
  quantile,
  randomKeys,
  summarise,
  targets,
} from '../src/index.ts'

function measured(system: Measurement['system'], run: number, perSecond: number, p50Ms = 1): Measurement {
  return {
    system,
    kind: 'write',
    outstanding: 256,
    run,
    perSecond,
    p50Ms,
    p99Ms: 2,
    maxMs: 3,
    failed: 0,
    leaders: [1, 0, 0],
    shards: 8,
    keys: 10_000,
    servers: null,
    foreignCpu: 0,
    serverCpuUs: 1,
  }
}

test('a histogram names each quantile within two percent and the maximum exactly', () => {
  const histogram = new Histogram()
  for (let us = 1; us <= 10_000; us++) histogram.record(us / 1_000)
  for (const share of [0.5, 0.99]) {
    expect(histogram.quantileMs(share)).toBeGreaterThan(share * 10 * 0.98)
    expect(histogram.quantileMs(share)).toBeLessThan(share * 10 * 1.02)
  }
  expect(histogram.maxMs).toBe(10)
  expect(histogram.count).toBe(10_000)
})

test('a histogram never says more than the maximum, takes what is out of range, and forgets when cleared', () => {
  const histogram = new Histogram()
  for (const ms of [0, 1e9]) histogram.record(ms)
  expect(histogram.quantileMs(1)).toBeLessThanOrEqual(1e9)
  histogram.clear()
  histogram.record(5)
  expect(histogram.quantileMs(0.5)).toBeLessThanOrEqual(5)
  expect(histogram.count).toBe(1)
})

test('filling names every key once', () => {
  const next = everyKeyOnce(3)
  expect([next(), next(), next(), next()]).toEqual(['key-00000000', 'key-00000001', 'key-00000002', null])
})

test('one seed draws one sequence of keys, and all keys of the range come', () => {
  const draw = (seed: number) => {
    const next = randomKeys(10, seed)
    return Array.from({ length: 500 }, () => next())
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  expect(new Set(draw(0)).size).toBe(10)
})

test('quantiles are of the nearest rank, a median of two lies between them, and nothing has none', () => {
  expect(quantile([3, 1, 2], 0.99)).toBe(3)
  expect(median([4, 1])).toBe(2.5)
  expect(median([9, 1, 2])).toBe(2)
  expect(median([])).toBeNaN()
})

test('a ratio is the median over runs that were made together, not the ratio of medians', () => {
  const quorate = [measured('quorate', 1, 100), measured('quorate', 2, 20), measured('quorate', 3, 90)]
  const etcd = [measured('etcd', 1, 10), measured('etcd', 2, 2), measured('etcd', 3, 30)]
  expect(pairedRatio(quorate, etcd, ({ perSecond }) => perSecond)).toBe(10)
  expect(pairedRatio(quorate, [], ({ perSecond }) => perSecond)).toBeNull()
})

test('a target is met, not met, or said to be not measured', () => {
  const results = new Results(undefined, {})
  const [writes] = targets
  if (writes === undefined) throw new Error('no target')
  expect(judge(writes, writes.first, results)).toBe('not measured')
  results.addLoad(measured('quorate', 1, 50))
  results.addLoad(measured('etcd', 1, 10))
  expect(judge(writes, writes.first, results)).toBe('met')
  expect(judge(writes, writes.later, results)).toBe('not met')
})

test('the gap target takes the median first and the p99 then, over all kills and shards', () => {
  const results = new Results(undefined, {})
  const gap = { system: 'quorate', kind: 'gap', shards: 8, keys: 1 } as const
  results.addScalar({ ...gap, run: 1, gapsMs: [400, 500] })
  results.addScalar({ ...gap, run: 2, gapsMs: [1_500] })
  const target = targets.find(({ what }) => what.startsWith('gap'))
  if (target === undefined) throw new Error('no target')
  expect(judge(target, target.first, results)).toBe('met')
  expect(judge(target, target.later, results)).toBe('not met')
})

test('every measurement is one line of JSON with the settings, there as soon as it is made', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-results-'))
  const file = path.join(directory, 'results.jsonl')
  const results = new Results(file, { seed: 7 })
  results.addLoad(measured('quorate', 1, 50, 0.123456789))
  results.addScalar({ system: 'quorate', kind: 'restart', run: 1, shards: 8, keys: 1, clusterSeconds: 2 })
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  rmSync(directory, { recursive: true })
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { system: 'quorate', kind: 'write', outstanding: 256, perSecond: 50, p50Ms: 0.1235, seed: 7 },
    { kind: 'restart', clusterSeconds: 2, seed: 7 },
  ])
})

test('numbers keep three digits, thousands get commas, and nothing is a dash', () => {
  expect([0.123456, 12.345, 12_345.6, null, Number.NaN].map(formatNumber)).toEqual([
    '0.123',
    '12.3',
    '12,346',
    '-',
    '-',
  ])
})

test('a table is as wide as its widest cells', () => {
  expect(formatTable(['a', 'b'], [['long', '1']])).toBe('a     b\n----  -\nlong  1')
})

test('flags that have no sense are refused by name', () => {
  for (const flags of [
    ['--lines', 'scan-1'],
    ['--systems', 'other'],
    ['--seconds', '0'],
    ['--runs', '1.5'],
  ])
    expect(() => parseBenchOptions(flags)).toThrow(flags[0])
  expect(() => parseBenchOptions(['--unknown'])).toThrow('--unknown')
})

test('a function that calls itself is counted once in what is inclusive', () => {
  const callFrame = { url: '', lineNumber: 0 }
  const nodes = [
    { id: 1, callFrame: { ...callFrame, functionName: '(root)' }, children: [2, 4] },
    {
      id: 2,
      callFrame: { functionName: 'walk', url: 'file:///packages/a/dist/b.js', lineNumber: 4 },
      children: [3],
    },
    { id: 3, callFrame: { functionName: 'walk', url: 'file:///packages/a/dist/b.js', lineNumber: 4 } },
    { id: 4, callFrame: { ...callFrame, functionName: '(idle)' } },
  ]
  const text = summarise({ nodes, samples: [2, 3, 3, 4] }, 5)
  expect(text.match(/walk a\/b\.js:5\s+100\.0 %/g)).toHaveLength(2)
  expect(text).not.toContain('(idle)')
})
