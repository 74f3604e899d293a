// A run that did too little proves nothing: below the floor it fails as empty.
import type { Violation } from './violation.ts'

export interface RunSize {
  readonly simulatedSeconds: number
  readonly completedOperations: number
  readonly effectiveFaults: number
}

export const runFloor: RunSize = { simulatedSeconds: 60, completedOperations: 300, effectiveFaults: 5 }

export function checkFloor(size: RunSize, floor: RunSize = runFloor): Violation[] {
  const names = ['simulatedSeconds', 'completedOperations', 'effectiveFaults'] as const
  return names
    .filter((name) => size[name] < floor[name])
    .map((name) => ({
      checker: 'floor',
      message: `the run is empty: ${name} ${size[name]}, at least ${floor[name]}`,
      operations: [],
    }))
}
