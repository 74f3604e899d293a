// The branch that no value of a closed union takes.
import assert from 'node:assert/strict'

/** Ends an exhaustive `switch`: a value from outside the types is a programming mistake. */
export function unreachable(value: never): never {
  assert.fail(`a value outside its union: ${JSON.stringify(value)}`)
}
