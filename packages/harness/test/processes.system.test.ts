import { describe, expect, it } from 'vitest'
import { runBuilt } from './run-built.ts'

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
})
