// Tries every order that real time allows: slow, short, and made of nothing that the engines are made of. It remembers which
// sets of operations have led to which states, nothing else.
import type { Problem } from '../engines/problem.ts'
import { OPEN } from '../history/subject.ts'

export type BruteForceVerdict = 'ok' | 'illegal' | 'unknown'

/** `unknown` after so many looks at an operation. */
export function bruteForce(problem: Problem, stepsMax: number = Infinity): BruteForceVerdict {
  const { operations, initial } = problem
  const tried = new Set<string>()
  let steps = 0

  function explains(done: bigint, state: number): boolean {
    steps += operations.length
    if (steps > stepsMax) throw new OutOfSteps()
    const left = operations.flatMap((_, index) => (((done >> BigInt(index)) & 1n) === 0n ? [index] : []))
    const firstEnd = left.reduce((least, index) => Math.min(least, operations[index]?.return ?? OPEN), OPEN)
    // Nobody is left who certainly happened.
    if (firstEnd === OPEN) return true
    const situation = `${state} ${done}`
    if (tried.has(situation)) return false
    tried.add(situation)
    return left.some((index) => {
      if ((operations[index]?.call ?? 0) > firstEnd) return false
      const next = problem.step(state, index)
      return next >= 0 && explains(done | (1n << BigInt(index)), next)
    })
  }

  try {
    return explains(0n, initial) ? 'ok' : 'illegal'
  } catch (error) {
    // Thousands of nested calls are as good a bound as any.
    if (error instanceof OutOfSteps || error instanceof RangeError) return 'unknown'
    throw error
  }
}

class OutOfSteps extends Error {}
