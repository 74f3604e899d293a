// Checks a history: key by key, because a history is linearizable exactly when it is so on every key (Herlihy and Wing 1990,
// theorem 1).
import { Budget, type BudgetOptions } from '../engines/budget.ts'
import { type Decision, decide } from '../engines/decide.ts'
import { followWitness } from '../engines/witness.ts'
import type { History } from '../history/history.ts'
import { type Subject, subjectOf } from '../history/subject.ts'
import { gatherEvidence } from './evidence.ts'
import type { HistoryVerdict, KeyVerdict, WitnessNote } from './verdict.ts'
import { verifyOrder } from './verify-order.ts'

export interface CheckOptions extends BudgetOptions {
  /** False: the positions that a history carries are not looked at. Default true. */
  readonly witness?: boolean
}

/** The budget is for each key. Every verdict has been checked twice, the second time without the engines. */
export function checkHistory(history: History, options: CheckOptions = {}): HistoryVerdict {
  const keys = history.rowsByKey().map((rows) => checkKey(history, rows, options))
  const has = (verdict: KeyVerdict['verdict']) => keys.some((key) => key.verdict === verdict)
  return { verdict: has('illegal') ? 'illegal' : has('unknown') ? 'unknown' : 'ok', keys }
}

function checkKey(history: History, rows: Int32Array, options: CheckOptions): KeyVerdict {
  const subject = subjectOf(history, rows)
  const refuted: { note: WitnessNote | null } = { note: null }
  const decision =
    (options.witness === false ? null : tryWitness(history, subject, refuted)) ??
    decideFully(subject, options)
  const key = {
    key: history.row(rows[0] ?? 0).key,
    operations: rows.length,
    engine: decision.engine,
    refutedWitness: refuted.note,
  }
  if (decision.kind === 'unknown') return { ...key, verdict: 'unknown', reason: decision.reason }
  if (decision.kind === 'illegal') {
    const now = options.now ?? (() => performance.now())
    return { ...key, verdict: 'illegal', evidence: gatherEvidence(subject, decision, now) }
  }
  const order = decision.order.map((index) => subject.operations[index]?.row ?? -1)
  const problem = verifyOrder(history, rows, order)
  if (problem !== null)
    throw new Error(`a defect of the checker: ${decision.engine} found an order in which ${problem}`)
  return { ...key, verdict: 'ok', order }
}

function tryWitness(
  history: History,
  subject: Subject,
  refuted: { note: WitnessNote | null },
): Decision | null {
  const finding = followWitness(history, subject)
  if (finding.kind === 'order') return { ...finding, engine: 'witness' }
  if (finding.kind === 'refuted')
    refuted.note = { row: subject.operations[finding.index]?.row ?? -1, reason: finding.reason }
  return null
}

function decideFully(subject: Subject, options: CheckOptions): Decision {
  return decide(subject, new Budget(options))
}
