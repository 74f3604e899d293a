// The verdict for programs: one JSON document. Members are only added.
import type { History } from '../history/history.ts'
import type { HistoryVerdict, KeyVerdict } from '../verdict/verdict.ts'
import { reportEvidence, reportOperation, summarise } from './key-report.ts'

export function formatJson(history: History, { verdict, keys }: HistoryVerdict): string {
  const engines: Record<string, number> = {}
  for (const { engine } of keys) engines[engine] = (engines[engine] ?? 0) + 1
  return JSON.stringify({
    verdict,
    model: history.model.name,
    operations: history.counts,
    keys: keys.length,
    engines,
    // A key that is fine needs no words.
    notOk: keys.filter((key) => key.verdict !== 'ok').map((key) => describe(history, key)),
    refutedWitnesses: keys.flatMap(({ key, refutedWitness }) =>
      refutedWitness === null
        ? []
        : [{ key, reason: refutedWitness.reason, ...reportOperation(history, refutedWitness.row) }],
    ),
  })
}

function describe(history: History, verdict: KeyVerdict): object {
  const { key, operations, engine } = verdict
  const base = { key, verdict: verdict.verdict, operations, engine, summary: summarise(history, verdict) }
  if (verdict.verdict !== 'illegal') return base
  const { suspects, firstIllegal, confirmed } = verdict.evidence
  return {
    ...base,
    confirmed,
    minimised: reportEvidence(history, verdict),
    suspects: suspects.map((row) => history.row(row).line),
    firstIllegal: firstIllegal === null ? null : history.row(firstIllegal).line,
  }
}
