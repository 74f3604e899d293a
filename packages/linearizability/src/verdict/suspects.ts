// Which operation is to blame: one without which the whole history is legal.
import { Budget } from '../engines/budget.ts'
import { decide } from '../engines/decide.ts'
import { isOpen } from '../engines/problem.ts'
import { SUSPECTS_TRIED_MAX } from '../limits.ts'
import { OPEN, type Operation, type Subject } from '../history/subject.ts'
import { UNKNOWN } from '../models/model.ts'
import type { Effort } from './minimise.ts'

/** Indexes. First those without effect are tried; where none of them is it, writes whose acknowledgement may have been wrong. */
export function findSuspects(subject: Subject, candidates: readonly number[], effort: Effort): number[] {
  const certain = candidates.filter((index) => {
    const operation = subject.operations[index]
    return operation !== undefined && !isOpen(operation)
  })
  const latestFirst = certain.toSorted((a, b) => returnOf(subject, b) - returnOf(subject, a))
  for (const changes of [false, true]) {
    const suspects = latestFirst
      .filter((index) => subject.operations[index]?.changes === changes)
      .slice(0, SUSPECTS_TRIED_MAX)
      .filter((index) => effort.seconds > 0 && isLegalWithout(subject, index, effort.seconds))
    if (suspects.length > 0) return suspects
  }
  return []
}

function returnOf(subject: Subject, index: number): number {
  return subject.operations[index]?.return ?? OPEN
}

function isLegalWithout(subject: Subject, index: number, seconds: number): boolean {
  const operations = subject.operations.flatMap((operation, at): Operation[] => {
    if (at !== index) return [operation]
    return operation.changes ? [{ ...operation, result: UNKNOWN, clock: UNKNOWN, return: OPEN }] : []
  })
  return decide({ ...subject, operations }, new Budget({ seconds })).kind === 'order'
}
