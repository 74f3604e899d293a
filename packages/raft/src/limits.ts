// The core's numbers: the defaults of what hosts may choose, and the constants that they may not.
import { violated } from './invariant.ts'
import type { RaftLimits } from './raft.ts'

export const defaultLimits: RaftLimits = {
  electionTimeoutMsMin: 300,
  electionTimeoutMsMax: 600,
  checkQuorumMs: 600,
  inflightAppends: 4,
  inflightBytes: 1_048_576,
  appendBytes: 1_048_576,
  uncommittedBytes: 16_777_216,
}

/** An append unanswered for two heartbeats is probably lost; asking again with an empty one costs little. */
export const PROBE_RETRY_MS = 100

/** Pause after a failed snapshot: sending one is expensive, and what failed is likely to fail again at once. */
export const SNAPSHOT_RETRY_MS = 1_000

/**
 * What an entry found on disk at start counts for until it is compacted; its size is not in `Recovered`. Sixteen of
 * them fill a default append. The host may send a prefix of an append whose payloads turn out larger.
 */
export const RECOVERED_ENTRY_BYTES = 65_536

/** What a configuration entry made here counts for: the host encodes it, the core cannot know its size. */
export const CONFIGURATION_ENTRY_BYTES = 256

/** A lease lasts this part of the shortest election timeout: clocks may run at rates up to four times apart. */
export const LEASE_PART = 4

/** A no-op has no payload. */
export const NOOP_ENTRY_BYTES = 0

/** Entries of one append: bounds what empty or tiny payloads could make of `appendBytes`. */
export const APPEND_ENTRIES_MAX = 1_024

export function completeLimits(given: Partial<RaftLimits> | undefined): RaftLimits {
  const limits = { ...defaultLimits, ...given }
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0 && Number.isFinite(value))) violated('HOST', `limit ${name} is ${value}`)
  }
  if (limits.electionTimeoutMsMax < limits.electionTimeoutMsMin) {
    violated(
      'HOST',
      `election timeout ${limits.electionTimeoutMsMin}..${limits.electionTimeoutMsMax} is no range`,
    )
  }
  return limits
}
