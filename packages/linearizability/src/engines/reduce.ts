// What can be said of a value problem before any order is tried. Each step keeps the answer: the reduced problem has an order
// exactly when the given one has.
import { isOpen } from './problem.ts'
import {
  countNeeding,
  countWriters,
  lastRejection,
  type ValueOperation,
  type ValueProblem,
} from './value-problem.ts'
import { OPEN } from '../history/subject.ts'
import { UNKNOWN } from '../models/model.ts'

/** Ends what was seen, drops what nobody saw. */
export function reduce(problem: ValueProblem): ValueProblem {
  return dropUnobserved(endObserved(problem))
}

/**
 * Who saw a value that a single operation writes saw that operation's effect: it took effect before the observer returned, at
 * the latest, and so it certainly happened. The same holds for what that operation itself had to see.
 */
export function endObserved(problem: ValueProblem): ValueProblem {
  const { operations, values } = problem
  const writers = countWriters(problem)
  const writerOf = new Int32Array(values).fill(-1)
  for (const [at, { leadsTo }] of operations.entries()) if (leadsTo >= 0) writerOf[leadsTo] = at
  const ends = Int32Array.from(operations, (operation) => operation.return)
  const endedBy = new Int32Array(operations.length).fill(-1)
  const pending = Array.from(operations.keys()).filter((at) => ends[at] !== OPEN)
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const { needs = UNKNOWN } = operations[at] ?? {}
    // The value of the beginning may need no writer.
    if (needs <= 0 || writers[needs] !== 1) continue
    const writer = writerOf[needs] ?? 0
    if ((ends[writer] ?? 0) <= (ends[at] ?? 0)) continue
    ends[writer] = ends[at] ?? 0
    endedBy[writer] = operations[at]?.index ?? -1
    pending.push(writer)
  }
  return {
    values,
    operations: operations.map((operation, at) => {
      const end = ends[at] ?? OPEN
      return end === operation.return ? operation : { ...operation, return: end, endedBy: endedBy[at] ?? -1 }
    }),
  }
}

/**
 * An operation that may have happened and whose value nobody needs can be left out: between it and the next one that changes
 * the value nobody saw anything. Who *rejects* a value may have seen that it was replaced; so the operation stays where a
 * rejecting one ends after its call.
 */
function dropUnobserved(problem: ValueProblem): ValueProblem {
  const rejected = lastRejection(problem)
  const needing = countNeeding(problem)
  const byValue = new Map<number, number[]>()
  const dropped = new Set<number>()
  const pending: number[] = []
  for (const [at, operation] of problem.operations.entries()) {
    if (!isOpen(operation) || operation.leadsTo < 0 || operation.call < rejected) continue
    const writers = byValue.get(operation.leadsTo)
    if (writers === undefined) byValue.set(operation.leadsTo, [at])
    else writers.push(at)
    if (needing[operation.leadsTo] === 0) pending.push(at)
  }
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (dropped.has(at)) continue
    dropped.add(at)
    const { needs = UNKNOWN } = problem.operations[at] ?? {}
    if (needs < 0) continue
    needing[needs] = (needing[needs] ?? 0) - 1
    if (needing[needs] === 0) pending.push(...(byValue.get(needs) ?? []))
  }
  if (dropped.size === 0) return problem
  return { ...problem, operations: problem.operations.filter((_, at) => !dropped.has(at)) }
}

/** Without those that reject a value and change nothing: where the rest has no order, the whole has none. */
export function withoutRejecting(problem: ValueProblem): ValueProblem {
  const operations = problem.operations.filter(({ rejects, leadsTo }) => rejects < 0 || leadsTo >= 0)
  return operations.length === problem.operations.length ? problem : { ...problem, operations }
}

/**
 * Values that nobody needs and nobody rejects become one: who looks cannot tell them apart. Then operations that may have
 * happened and differ by such a value alone are alike, and a search tries one instead of all.
 */
export function mergeUnobserved(problem: ValueProblem): ValueProblem {
  const needing = countNeeding(problem)
  for (const { rejects } of problem.operations)
    if (rejects >= 0) needing[rejects] = (needing[rejects] ?? 0) + 1
  const merged = problem.values
  const mergedValue = (value: number) => (value > 0 && needing[value] === 0 ? merged : value)
  return {
    values: problem.values + 1,
    operations: problem.operations.map((operation): ValueOperation => ({
      ...operation,
      leadsTo: mergedValue(operation.leadsTo),
    })),
  }
}
