// What is to be reached (docs/performance.md), held against what was measured.
import { type Measurement, type Work, median, quantile } from '../measurement.ts'
import { type Results, type Size, pairedRatio } from './results.ts'

export interface Goal {
  readonly bound: number
  /** Null if it was not measured. */
  readonly figure: (results: Results) => number | null
}

export interface Target {
  readonly what: string
  readonly unit: 'x' | 's' | '% of a core'
  readonly better: 'higher' | 'lower'
  readonly first: Goal
  readonly later: Goal
}

const perSecond = ({ perSecond: rate }: Measurement): number => rate

function against(system: 'etcd' | 'ceiling', work: Work, read: (measurement: Measurement) => number) {
  return (results: Results): number | null =>
    pairedRatio(results.of('quorate', work), results.of(system, work), read)
}

const scaleWork: Work = { kind: 'write', outstanding: 1_024 }

function sizes(large: Size, small: Size) {
  return (results: Results): number | null =>
    pairedRatio(results.of('quorate', scaleWork, large), results.of('quorate', scaleWork, small), perSecond)
}

function gap(share: number) {
  return (results: Results): number | null =>
    orNull(quantile(results.numbers('gap', 'gapsMs'), share) / 1_000)
}

function scalar(kind: 'idle' | 'restart', name: string) {
  return (results: Results): number | null => orNull(median(results.numbers(kind, name)))
}

function orNull(figure: number): number | null {
  return Number.isNaN(figure) ? null : figure
}

function ratio(what: string, first: number, later: number, figure: Goal['figure']): Target {
  return {
    what,
    unit: 'x',
    better: 'higher',
    first: { bound: first, figure },
    later: { bound: later, figure },
  }
}

function lower(
  what: string,
  unit: Target['unit'],
  first: number,
  later: number,
  figure: Goal['figure'],
): Target {
  return { what, unit, better: 'lower', first: { bound: first, figure }, later: { bound: later, figure } }
}

const write = (outstanding: number): Work => ({ kind: 'write', outstanding })

export const targets: readonly Target[] = [
  ratio('writes, 256 outstanding, against etcd', 4, 6, against('etcd', write(256), perSecond)),
  ratio('writes, 1,024 outstanding, against etcd', 8, 13, against('etcd', write(1_024), perSecond)),
  ratio(
    'linearizable reads, 256 outstanding, against etcd',
    12,
    20,
    against('etcd', { kind: 'read', outstanding: 256 }, perSecond),
  ),
  lower(
    'one write at a time, p50 against etcd',
    'x',
    1,
    0.65,
    against('etcd', write(1), ({ p50Ms }) => p50Ms),
  ),
  ratio('writes, 256 outstanding, against the ceiling', 0.6, 0.9, against('ceiling', write(256), perSecond)),
  ratio(
    'writes, 1,024 outstanding, against the ceiling',
    0.6,
    0.9,
    against('ceiling', write(1_024), perSecond),
  ),
  {
    what: 'gap of a shard after kill -9 of its leader: first the median, then the p99',
    unit: 's',
    better: 'lower',
    first: { bound: 1, figure: gap(0.5) },
    later: { bound: 1, figure: gap(0.99) },
  },
  ratio('writes with 256 shards against 8', 0.6, 0.8, sizes({ shards: 256 }, { shards: 8, keys: 10_000 })),
  lower('CPU of a node with 1,000 idle shards', '% of a core', 3, 1, scalar('idle', 'cpuPercent')),
  ratio(
    'writes with 1,000,000 keys against 10,000',
    0.4,
    0.6,
    sizes({ keys: 1_000_000 }, { shards: 8, keys: 10_000 }),
  ),
  lower('restart with 1,000,000 keys until it serves', 's', 5, 3, scalar('restart', 'clusterSeconds')),
]

export type Verdict = 'met' | 'not met' | 'not measured'

export function judge(target: Target, goal: Goal, results: Results): Verdict {
  const figure = goal.figure(results)
  if (figure === null) return 'not measured'
  const met = target.better === 'higher' ? figure >= goal.bound : figure <= goal.bound
  return met ? 'met' : 'not met'
}
