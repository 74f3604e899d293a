/** An invariant of this package was broken: a programming mistake, never data. It stops this replica. */
export class BrokenInvariantError extends Error {
  override readonly name = 'BrokenInvariantError'
}

/** Stays on in production: a wrong replica is worse than a stopped one. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BrokenInvariantError(message)
}

/** Ends a switch over a closed union: the compiler says when a member is missing. */
export function unreachable(value: never): never {
  throw new BrokenInvariantError(`not a member of its union: ${JSON.stringify(value)}`)
}
