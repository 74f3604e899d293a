// How well the hand chooses, beside what is published. EVICTION_POLICIES=500000 prints the table of docs/eviction.md.
import process from 'node:process'
import { expect, test, vi } from 'vitest'
import { policies, type PolicyName, policyTable } from './support/policy-table.ts'

// Hundreds of thousands of commands on loaded cores.
vi.setConfig({ testTimeout: 600_000 })

const asked = process.env['EVICTION_POLICIES']

test('the hand over the tables hits about as often as SIEVE on a list, and more often than LRU where access is skewed', () => {
  const rows = policyTable(Number(asked ?? 40_000))
  const names = Object.keys(policies) as PolicyName[]
  const lines = rows.map(({ trace, hits }) => [trace, ...names.map((name) => hits[name].toFixed(1))])
  const table = [['', ...names], ...lines].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
  if (asked !== undefined) process.stdout.write(table)
  for (const { trace, hits } of rows)
    expect(hits.Quorate, `${trace}\n${table}`).toBeGreaterThan(hits.SIEVE - 2.5)
  // Behind a shift the marks of before stand for a while: there recency knows more.
  const steady = rows.filter(({ trace }) => trace.startsWith('Zipf') && !trace.includes('shifts'))
  for (const { trace, hits } of steady) expect(hits.Quorate, `${trace}\n${table}`).toBeGreaterThan(hits.LRU)
})
