import { describe, expect, it } from 'vitest'
import { fakeTime, findLibrary } from '../src/process/preload-library.ts'
import { runBuilt } from './run-built.ts'

/** CI installs the library; elsewhere a machine without it says so by a skip. */
const noFakeTime = findLibrary(fakeTime, false) === null && process.env['CI'] !== 'true'

describe('a cluster of processes', () => {
  it('keeps every acknowledged write through five kills under load', async () => {
    const { code, output } = await runBuilt('main-kill', '--kills', '5', '--seconds', '10')
    expect(output).toContain('verdict: ok')
    expect(code).toBe(0)
  }, 120_000)

  it('keeps every acknowledged write when all nodes are killed at once (A2)', async () => {
    const { code, output } = await runBuilt('main-kill', '--all', '--kills', '2', '--seconds', '6')
    expect(output).toContain('verdict: ok')
    expect(code).toBe(0)
  }, 120_000)

  it('brings a node that missed the compacted log back by a snapshot, with the same state (C11, C16)', async () => {
    const { code, output } = await runBuilt('main-snapshot', '--rounds', '1')
    expect(output).toContain('verdict: ok')
    expect(output).toMatch(/snapshots installed [1-9]/)
    expect(code).toBe(0)
  }, 240_000)

  it('serves without a leader that stands still for 2 s and 10 s, and reads nothing stale when it goes on (D2)', async () => {
    const { code, output } = await runBuilt('main-pause', '--rounds', '1')
    expect(output).toContain('verdict: ok')
    expect(output).toMatch(/stopped for 10000 ms: [1-9]\d* operations meanwhile/)
    expect(code).toBe(0)
  }, 240_000)

  it.skipIf(noFakeTime)(
    'keeps the time of the log when the wall clock of its leader is an hour ahead',
    async () => {
      const { code, output } = await runBuilt('main-clock', '--rounds', '1')
      expect(output).toMatch(/an hour ahead, leads [1-9]/)
      expect(output).toContain('verdict: ok')
      expect(code).toBe(0)
    },
    240_000,
  )
})
