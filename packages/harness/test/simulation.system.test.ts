import { expect, it } from 'vitest'
import { runBuilt } from './run-built.ts'

it('five seeds of a simulated cluster keep every promise, twice with equal traces', async () => {
  const { code, output } = await runBuilt('main-sim', '--seeds', '1..5', '--jobs', '2', '--twice')
  expect(output).toContain('verdict: ok')
  expect(output).toContain('5 seeds twice: equal traces')
  expect(code).toBe(0)
}, 300_000)

it('one seed prints a readable run with its verdict and trace hash', async () => {
  const { code, output } = await runBuilt('main-sim', '--seed', '6')
  expect(output).toMatch(/trace [0-9a-f]{32}\nseed 6: ok/)
  expect(code).toBe(0)
}, 120_000)
