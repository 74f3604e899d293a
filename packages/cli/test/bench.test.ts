// `quorate bench` over a cache that is a map: bounds, mix, failures and what is printed.
import { QuorateError } from '@quorate/protocol'
import { beforeEach, expect, test, vi } from 'vitest'
import { openTerminal, type Terminal } from './fake-cache.ts'

let terminal: Terminal
beforeEach(() => {
  terminal = openTerminal()
})

interface Figures {
  readonly seconds: number
  readonly operations: number
  readonly operationsPerSecond: number
  readonly reads: { readonly count: number; readonly p50: number; readonly p99: number; readonly max: number }
  readonly writes: { readonly count: number }
  readonly failures: Record<string, number>
}

async function bench(...args: string[]): Promise<{ code: number; err: string; figures: Figures }> {
  const { code, out, err } = await terminal.type('bench', '-o', 'json', ...args)
  return { code, err, figures: JSON.parse(out) as Figures }
}

test('ends after so many operations, in the mix that was asked for, and closes every connection', async () => {
  const { code, err, figures } = await bench(
    '--operations',
    '500',
    '--connections',
    '3',
    '--keys',
    '10',
    '--mix',
    '1:1',
  )
  expect([code, err]).toEqual([0, ''])
  expect(figures.operations).toBe(500)
  expect(figures.reads.count + figures.writes.count).toBe(500)
  expect(figures.reads.count).toBeGreaterThan(100)
  expect(figures.writes.count).toBeGreaterThan(100)
  expect(figures.failures).toEqual({})
  expect(figures.operationsPerSecond).toBeCloseTo(figures.operations / figures.seconds, 3)
  const { p50, p99, max } = figures.reads
  expect(0 < p50 && p50 <= p99 && p99 <= max).toBe(true)
  expect(terminal.connections).toHaveLength(3)
  expect(terminal.cache.closed).toBe(3)
})

test('writes values of the size asked for, with a deadline, and nothing but its own keys', async () => {
  await bench('--operations', '20', '--keys', '4', '--mix', '0:1', '--value-bytes', '7', '--prefix', 'mine:')
  expect([...terminal.cache.entries.keys()].toSorted()).toEqual(['mine:0', 'mine:1', 'mine:2', 'mine:3'])
  for (const { value, expiresAt } of terminal.cache.entries.values())
    expect([String(value).length, expiresAt]).toEqual([7, 600_000])
})

test('ends after so many seconds', async () => {
  // A turn of the event loop each, as over a network; else nothing but the bench would ever run.
  vi.spyOn(terminal.cache, 'getEntry').mockImplementation(
    () => new Promise((resolve) => setTimeout(() => resolve(undefined), 1)),
  )
  const { code, figures } = await bench('--seconds', '1', '--mix', '1:0', '--connections', '1')
  expect(code).toBe(0)
  expect(figures.seconds).toBeGreaterThanOrEqual(1)
  expect(figures.operations).toBeGreaterThan(0)
})

test('counts failures by their code, goes on after them, and exits 1', async () => {
  let asked = 0
  vi.spyOn(terminal.cache, 'getEntry').mockImplementation(async () => {
    asked += 1
    if (asked % 10 === 0) throw new QuorateError('TIMEOUT', 'not-done', 'late')
    return undefined
  })
  const { code, figures } = await bench('--operations', '100', '--mix', '1:0', '--connections', '1')
  expect([code, figures.failures, figures.operations]).toEqual([1, { TIMEOUT: 10 }, 90])
})

test('a cluster that does not answer is told as for any command, with its exit code', async () => {
  terminal.cache.failure = new QuorateError('CANNOT_CONNECT', 'not-done', 'nobody there')
  const { code, out, err } = await terminal.type('bench')
  expect({ code, out }).toEqual({ code: 4, out: '' })
  expect(err).toContain('CANNOT_CONNECT')
  expect(terminal.cache.closed).toBe(4)
})

test('Ctrl-C ends it early, with what there is, and exits 130', async () => {
  const reads = vi
    .spyOn(terminal.cache, 'getEntry')
    .mockImplementation(() => new Promise((resolve) => setTimeout(() => resolve(undefined), 1)))
  const running = bench('--seconds', '600', '--mix', '1:0')
  await vi.waitUntil(() => reads.mock.calls.length > 10, { timeout: 30_000 })
  terminal.interruption.abort()
  const { code, figures } = await running
  expect(code).toBe(130)
  expect(figures.operations).toBeGreaterThan(0)
})

test('progress is for terminals only, and its line is taken away', async () => {
  terminal = openTerminal({ errIsTerminal: true })
  const { err } = await bench('--operations', '10')
  expect(err.startsWith('\r\u001b[Kwriting each key once, 0 operations')).toBe(true)
  expect(err.endsWith('\r\u001b[K')).toBe(true)
})

test('what cannot be is a mistake of usage', async () => {
  for (const args of [
    ['--mix', '90'],
    ['--mix', '0:0'],
    ['--mix', '-1:2'],
    ['--seconds', '0'],
    ['--seconds', '3601'],
    ['--connections', '0'],
    ['--value-bytes', '-1'],
    ['--keys', '1.5'],
  ])
    expect((await terminal.type('bench', ...args)).code, args.join(' ')).toBe(2)
  expect(terminal.connections).toEqual([])
})

test('a table for people has throughput and percentiles', async () => {
  const { out } = await terminal.type('bench', '--operations', '50')
  expect(out).toMatch(
    /^50 operations in \d+\.\d s: \d+ per second\nMS +COUNT +MEAN +P50 +P90 +P99 +P99\.9 +MAX\nREADS +\d+ /,
  )
})
