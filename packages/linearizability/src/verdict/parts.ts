// Parts of a subject as subjects of their own, for making an illegal history smaller.
import { Budget } from '../engines/budget.ts'
import { type Decision, decide, decideValues } from '../engines/decide.ts'
import { type Problem, problemOf } from '../engines/problem.ts'
import { asProblem, type ValueProblem, valueProblemOf } from '../engines/value-problem.ts'
import { OPEN, type Operation, type Subject } from '../history/subject.ts'
import { UNKNOWN, type ValueEffect } from '../models/model.ts'

export interface Part {
  /** In the subject. */
  readonly index: number
  readonly loose: boolean
  readonly cut: boolean
}

const nothing: ValueEffect = { needs: UNKNOWN, rejects: UNKNOWN, leadsTo: UNKNOWN }

export class Parts {
  readonly subject: Subject

  constructor(subject: Subject) {
    this.subject = subject
  }

  all(): Part[] {
    return this.subject.operations.map((_, index) => ({ index, loose: false, cut: false }))
  }

  operation({ index }: Part): Operation {
    const operation = this.subject.operations[index]
    if (operation === undefined) throw new RangeError(`there is no operation ${index}`)
    return operation
  }

  /** Null where the model's states are more than a value. */
  effect(part: Part): ValueEffect | null {
    const effect = this.subject.machine.effectOf?.(this.operation(part))
    if (effect === undefined) return null
    return part.loose ? { ...nothing, leadsTo: effect.leadsTo } : effect
  }

  decide(parts: readonly Part[], seconds: number): Decision {
    const values = this.#valueProblem(parts)
    const budget = new Budget({ seconds })
    return values === null ? decide(this.#part(parts), budget) : decideValues(values, budget)
  }

  problem(parts: readonly Part[]): Problem {
    const values = this.#valueProblem(parts)
    return values === null ? problemOf(this.#part(parts)) : asProblem(values)
  }

  #part(parts: readonly Part[]): Subject {
    const operations = parts.map((part): Operation => {
      const operation = this.operation(part)
      return part.cut ? { ...operation, return: OPEN } : operation
    })
    return { machine: this.subject.machine, operations }
  }

  #valueProblem(parts: readonly Part[]): ValueProblem | null {
    const values = valueProblemOf(this.#part(parts))
    if (values === null) return null
    const operations = values.operations.map((operation, at) =>
      parts[at]?.loose === true ? { ...operation, ...nothing, leadsTo: operation.leadsTo } : operation,
    )
    return { ...values, operations }
  }
}
