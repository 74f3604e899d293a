// Hit ratios of eviction policies over generated traces.
import { createQueue, createS3Fifo, createSieve, type Policy } from './policies.ts'
import { CAPACITY, policyTraces } from './policy-traces.ts'
import { createQuoratePolicy } from './quorate-policy.ts'

export const policies = {
  FIFO: () => createQueue(CAPACITY, false),
  LRU: () => createQueue(CAPACITY, true),
  'S3-FIFO': () => createS3Fifo(CAPACITY),
  SIEVE: () => createSieve(CAPACITY),
  Quorate: () => createQuoratePolicy(CAPACITY),
} satisfies Readonly<Record<string, () => Policy>>

export type PolicyName = keyof typeof policies

export interface PolicyRow {
  readonly trace: string
  /** Hits of all accesses, in percent. */
  readonly hits: Readonly<Record<PolicyName, number>>
}

export function policyTable(length: number): PolicyRow[] {
  return policyTraces(length).map(({ name, accesses }) => {
    const hits = Object.fromEntries(
      Object.entries(policies).map(([policy, create]) => [policy, hitPercent(create(), accesses)]),
    )
    return { trace: name, hits: hits as PolicyRow['hits'] }
  })
}

function hitPercent(policy: Policy, accesses: Int32Array): number {
  let hits = 0
  for (const key of accesses) if (policy.access(key)) hits += 1
  return (100 * hits) / accesses.length
}
