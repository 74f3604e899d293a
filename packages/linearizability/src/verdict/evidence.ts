// From "illegal" to a small history that shows it, and to the operation to blame.
import type { Decision } from '../engines/decide.ts'
import type { Subject } from '../history/subject.ts'
import { CONFIRM_STEPS } from '../limits.ts'
import { bruteForce } from './brute-force.ts'
import { Effort, shortestBeginning, shrink } from './minimise.ts'
import { type Part, Parts } from './parts.ts'
import { findSuspects } from './suspects.ts'
import type { Evidence } from './verdict.ts'

export function gatherEvidence(subject: Subject, decision: Decision, now: () => number): Evidence {
  const parts = new Parts(subject)
  const effort = new Effort(now)
  const conflict = decision.conflict?.map((part): Part => ({ ...part, cut: false }))
  const start = conflict ?? shortestBeginning(parts, parts.all(), effort)
  const minimised = shrink(parts, start, effort)
  const confirmation = bruteForce(parts.problem(minimised), CONFIRM_STEPS)
  if (confirmation === 'ok')
    throw new Error('a defect of the checker: brute force finds an order where an engine found none')
  const blame = new Effort(now)
  const suspects = findSuspects(
    subject,
    minimised.map(({ index }) => index),
    blame,
  )
  return {
    parts: minimised.map((part) => ({ row: parts.operation(part).row, loose: part.loose, cut: part.cut })),
    confirmed: confirmation === 'illegal',
    suspects: suspects.map((index) => parts.operation({ index, loose: false, cut: false }).row),
    firstIllegal: firstIllegal(parts, minimised, suspects, blame),
  }
}

/** Looked for only where nobody is to blame alone: it takes a check per doubling of the history. */
function firstIllegal(
  parts: Parts,
  minimised: readonly Part[],
  suspects: readonly number[],
  effort: Effort,
): number | null {
  if (suspects.length > 0 || effort.seconds <= 0) return null
  const last = shortestBeginning(parts, minimised, effort)
    .filter(({ cut }) => !cut)
    .map((part) => parts.operation(part))
    .toSorted((a, b) => b.return - a.return)[0]
  return last?.row ?? null
}
