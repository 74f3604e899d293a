// Swarm testing: each seed enables its own random subset of faults and sizes, so that rare combinations are reached
// (Groce et al., "Swarm testing", ISSTA 2012).
import type { NodeSettings } from '@quorate/node'
import type { SeededRandom } from './seeded-random.ts'
import { type Climate, fairClimate } from './weather.ts'

export const faultKinds = [
  'crash',
  'crash-all',
  'crash-at-boundary',
  'power-loss',
  'power-loss-all',
  'crash-then-power-loss',
  'pause',
  'partition-one',
  'partition-halves',
  'partition-bridge',
  'partition-one-way',
  'cut',
  'slow-link',
  'black-hole',
  'swizzle',
  'clock',
  'leader-clock',
  'transfer',
  'members',
  'client-crash',
  'disk-slow',
  'disk-error',
  'disk-full',
  'bit-rot',
  'wipe',
  'old-copy',
  'storm',
] as const

export type FaultKind = (typeof faultKinds)[number]

export interface RunPlan {
  readonly nodes: number
  /** Nodes that join the first ones and host no shard until a change of members gives them one. */
  readonly spares: number
  readonly shards: number
  readonly clients: number
  readonly settings: Partial<NodeSettings>
  readonly faults: readonly FaultKind[]
  readonly faultPauseMsMean: number
  readonly climate: Climate
  readonly durationMs: number
  /** What the cluster keeps, bytes; 0 = no limit. */
  readonly maxBytes: number
}

const DURATION_MS = 60_000

/** Half of the runs; the others draw 1 to the maximum, small numbers more often. */
const SHARDS_USUAL = 4
const SHARDS_MAX = 64

const SPARES_MAX = 2

/** A third of the runs is bounded: to a few entries a shard, so that nearly every write evicts. */
const BOUNDED_SHARE = 1 / 3
const SHARD_BYTES = [350, 900] as const

/** One run in ten has tiny limits: boundaries are met on every step. */
const TINY_SHARE = 0.1

export function planRun(random: SeededRandom): RunPlan {
  const enabled = faultKinds.filter(() => random.chance(0.5))
  const tiny = random.chance(TINY_SHARE)
  const nodes = random.chance(0.25) ? 5 : 3
  const spares = 1 + random.below(SPARES_MAX)
  const plan: Omit<RunPlan, 'maxBytes'> = {
    nodes,
    // With as many nodes as copies there is nothing to change; each more costs time, as pairs talk.
    spares: enabled.includes('members') && nodes === 3 ? spares : 0,
    shards: random.chance(0.5) ? SHARDS_USUAL : Math.floor(SHARDS_MAX ** random.next()),
    clients: 4 + random.below(8),
    settings: {
      segmentBytes: 65_536,
      retainBytes: tiny ? 65_536 : 131_072,
      checkpointLogBytes: tiny ? 16_384 : 65_536,
      checkpointMsMin: tiny ? 50 : 500,
      checkpointMsMax: tiny ? 500 : 3_000,
      // Sent one by one, and every slot has a row: smaller ones would only take longer than a run.
      snapshotChunkBytes: tiny ? 4_096 : 16_384,
      stateHashEvery: tiny ? 8 : 64,
    },
    faults: enabled.length > 0 ? enabled : ['crash'],
    faultPauseMsMean: random.between(800, 3_000),
    climate: random.chance(0.5) ? fairClimate : poorClimate(random),
    durationMs: DURATION_MS,
  }
  // Drawn last, so that what a seed drew before there were limits stays as it was.
  const maxBytes = random.chance(BOUNDED_SHARE) ? plan.shards * Math.floor(random.between(...SHARD_BYTES)) : 0
  return { ...plan, maxBytes }
}

/** The same run with another number of shards; each of them has as many bytes as before. */
export function withShards(plan: RunPlan, shards: number): RunPlan {
  return { ...plan, shards, maxBytes: (plan.maxBytes / plan.shards) * shards }
}

function poorClimate(random: SeededRandom): Climate {
  return {
    delayMsMean: random.between(0.2, 8),
    loss: random.chance(0.5) ? random.between(0, 0.1) : 0,
    duplication: random.chance(0.5) ? random.between(0, 0.3) : 0,
    overtakingMs: random.chance(0.5) ? random.between(0, 40) : 0,
  }
}
