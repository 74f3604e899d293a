// Every acknowledged write is there at the end, or a later write of that key is, or its eviction was reported. Also says how many are missing, which a
// witness (it stops at the first contradiction) does not.
import { isWrite, type Operation, type Seen } from '../workload/history.ts'
import { isBrief } from '../workload/plan.ts'
import type { Violation } from './violation.ts'

/** `finalReads`: what linearizable reads after the end of all operations showed, by key. */
export function checkPresence(
  history: readonly Operation[],
  finalReads: ReadonlyMap<string, Seen>,
): Violation[] {
  const newest = new Map<string, Operation>()
  for (const operation of history) {
    // A key that expires may be gone: expiry.ts says when.
    if (operation.type !== 'ok' || !isWrite(operation) || isBrief(operation.key)) continue
    const other = newest.get(operation.key)
    if (other === undefined || (operation.position?.version ?? 0) > (other.position?.version ?? 0))
      newest.set(operation.key, operation)
  }
  const hasUnknown = new Set(history.filter(({ type }) => type === 'info').map(({ key }) => key))
  return [...newest].flatMap(([key, operation]) => {
    const seen = finalReads.get(key)
    if (seen === undefined) return [missing(`${key} could not be read at the end`, operation)]
    const version = operation.position?.version ?? 0
    const removes = operation.f === 'del' || operation.f === 'evict'
    if (removes && seen.version === null) return []
    if (seen.version !== null && seen.version >= version && !removes) return []
    // Evictions go on while the keys are read.
    if (operation.f === 'evict' && seen.version === operation.expectedVersion) return []
    // A write of unknown outcome may have deleted it, or have written after the deletion.
    if (hasUnknown.has(key) && (seen.version === null || seen.version > version)) return []
    return [missing(`${key} is ${String(seen.value)}#${seen.version ?? '-'} at the end`, operation)]
  })
}

function missing(message: string, operation: Operation): Violation {
  return { checker: 'presence', message, operations: [operation] }
}
