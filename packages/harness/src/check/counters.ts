// Counters are exact: the final value is every acknowledged increment plus some of those with an unknown outcome, and
// nothing of those that certainly did not happen. Needs no positions, so it also checks the witness.
import type { Operation } from '../workload/history.ts'
import type { Violation } from './violation.ts'

export interface CounterTotal {
  readonly key: string
  readonly acknowledged: number
  readonly unknown: number
  /** Null where no final read succeeded. */
  readonly final: number | null
}

/** `finalReads` are linearizable reads made after every other operation had ended, by key. */
export function totalCounters(
  history: readonly Operation[],
  finalReads: ReadonlyMap<string, number | null>,
): CounterTotal[] {
  const totals = new Map<string, { acknowledged: number; unknown: number }>()
  for (const { f, type, key, argument, applied } of history) {
    if (f !== 'incr' || typeof argument !== 'number') continue
    const total = totals.get(key) ?? { acknowledged: 0, unknown: 0 }
    totals.set(key, total)
    if (type === 'ok' && applied) total.acknowledged += argument
    if (type === 'info') total.unknown += argument
  }
  return [...totals].map(([key, total]) => ({ key, ...total, final: finalReads.get(key) ?? null }))
}

export function checkCounters(totals: readonly CounterTotal[]): Violation[] {
  return totals
    .filter(
      ({ final, acknowledged, unknown }) =>
        final === null || final < acknowledged || final > acknowledged + unknown,
    )
    .map(({ key, final, acknowledged, unknown }) => ({
      checker: 'counters',
      message: `${key} is ${String(final)}: acknowledged ${acknowledged}, unknown ${unknown}`,
      operations: [],
    }))
}
