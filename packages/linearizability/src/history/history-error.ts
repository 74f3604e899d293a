// What is wrong with a history, and where: the one error that reading one can end with.

export class HistoryError extends Error {
  override readonly name = 'HistoryError'
  readonly code = 'BAD_HISTORY'
  /** From 1. */
  readonly line: number
  /** The member of the line's object that is wrong; null where the line is no such object. */
  readonly field: string | null

  constructor(line: number, field: string | null, problem: string) {
    super(`line ${line}${field === null ? '' : `, field "${field}"`}: ${problem}`)
    this.line = line
    this.field = field
  }
}

/** A field that a model cannot understand; whoever knows the line makes a `HistoryError` of it. */
export class FieldProblem extends Error {
  override readonly name = 'FieldProblem'
  readonly field: string

  constructor(field: string, problem: string) {
    super(problem)
    this.field = field
  }
}
