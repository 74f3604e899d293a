// The engines behind the witness, in order: what nobody saw is dropped, unique values are judged by their zones, the rest is
// searched.
import type { Subject } from '../history/subject.ts'
import type { Budget } from './budget.ts'
import { placeRejecting } from './place-rejecting.ts'
import { type Finding, problemOf } from './problem.ts'
import { mergeUnobserved, reduce, withoutRejecting } from './reduce.ts'
import { search } from './search.ts'
import { checkUniqueValues, type Conflict } from './unique-values.ts'
import { asProblem, type ValueOperation, type ValueProblem, valueProblemOf } from './value-problem.ts'

export type Engine = 'witness' | 'unique-values' | 'search'

/** An order is one of indexes of the subject's operations, of which some that may have happened can be missing. */
export type Decision = Finding & {
  readonly engine: Engine
  /** Where the values say why there is no order: the operations that say it, by their index in the subject. */
  readonly conflict?: readonly ConflictPart[]
}

export interface ConflictPart {
  readonly index: number
  /** What it needs does not matter. */
  readonly loose: boolean
}

export function decide(subject: Subject, budget: Budget): Decision {
  const values = valueProblemOf(subject)
  if (values === null) return { ...search(problemOf(subject), budget), engine: 'search' }
  return decideValues(values, budget)
}

export function decideValues(problem: ValueProblem, budget: Budget): Decision {
  const rest = reduce(withoutRejecting(problem))
  const unique = checkUniqueValues(rest)
  if (unique.kind === 'conflict')
    return { kind: 'illegal', engine: 'unique-values', conflict: explain(problem, rest, unique.conflict) }
  if (unique.kind === 'order') {
    const order = Array.from(unique.order, (at) => rest.operations[at] as ValueOperation)
    const rejecting = problem.operations.filter(({ rejects, leadsTo }) => rejects >= 0 && leadsTo < 0)
    const all = rejecting.length === 0 ? order : placeRejecting(order, rejecting)
    if (all !== null) return { kind: 'order', order: indexes(all), engine: 'unique-values' }
  }
  return searchValues(problem, budget)
}

function searchValues(problem: ValueProblem, budget: Budget): Decision {
  const reduced = reduce(problem)
  // A list of calls and returns has no place for an end before its beginning.
  if (reduced.operations.some((operation) => operation.return < operation.call))
    return { kind: 'illegal', engine: 'search' }
  const merged = mergeUnobserved(reduced)
  const finding = search(asProblem(merged), budget)
  if (finding.kind !== 'order') return { ...finding, engine: 'search' }
  const order = Array.from(finding.order, (at) => merged.operations[at] as ValueOperation)
  return { kind: 'order', order: indexes(order), engine: 'search' }
}

function indexes(order: readonly ValueOperation[]): Int32Array {
  return Int32Array.from(order, ({ index }) => index)
}

/** The conflict, and whoever shows that an operation in it had to happen so early. */
function explain(problem: ValueProblem, rest: ValueProblem, conflict: Conflict): ConflictPart[] {
  const endedBy = new Map<number, number>()
  for (const operation of rest.operations)
    if (operation.endedBy !== undefined) endedBy.set(operation.index, operation.endedBy)
  const parts = new Map<number, ConflictPart>()
  const pending = conflict.operations.map(({ at, loose }): ConflictPart => {
    const { index = -1, needs = -1 } = rest.operations[at] ?? {}
    return { index, loose: loose && needs >= 0 }
  })
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (parts.has(part.index)) continue
    parts.set(part.index, part)
    const observer = endedBy.get(part.index)
    if (observer !== undefined) pending.push({ index: observer, loose: false })
  }
  return problem.operations.flatMap(({ index }) => parts.get(index) ?? [])
}
