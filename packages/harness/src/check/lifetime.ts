// How long keys with a time to live were there by real time: what expiry.ts holds against the log clock alone.
import { limits } from '@quorate/protocol'
import type { Operation } from '../workload/history.ts'
import { isBrief } from '../workload/plan.ts'
import { isPositioned, type Positioned } from './positioned.ts'
import type { Violation } from './violation.ts'

/** The log clock counts whole milliseconds. */
const EARLY_MS_MAX = limits.clockSkewMs + 1
/** An idle shard may lose the time of elections and restarts; an hour is something else. */
const LATE_MS_MAX = 60_000

/** No key is gone more than the tolerated skew before its time, nor there a minute after it. */
export function checkLifetimes(history: readonly Operation[]): Violation[] {
  const byKey = new Map<string, Operation[]>()
  for (const operation of history)
    if (isBrief(operation.key)) byKey.set(operation.key, [...(byKey.get(operation.key) ?? []), operation])
  return [...byKey.values()].flatMap(checkKey)
}

function checkKey(operations: readonly Operation[]): Violation[] {
  const known = operations.filter((one) => one.type === 'ok').filter(isPositioned)
  const dated = known.filter(({ f, seen }) => f !== 'get' && seen?.version != null)
  const unknown = operations.filter(({ type }) => type === 'info')
  return known
    .filter(({ f }) => f === 'get')
    .flatMap((read) => {
      // Whatever that did, it may have done to what this read saw.
      if (unknown.some(({ callMs }) => callMs <= (read.returnMs ?? Infinity))) return []
      const last = newestBefore(dated, read)
      return last === null ? [] : judge(read, last)
    })
}

/** The write that decided the deadline which the read found, or found passed. */
function newestBefore(dated: readonly Positioned[], read: Positioned): Positioned | null {
  let newest: Positioned | null = null
  for (const one of dated) {
    if (one.position.version > read.position.version) continue
    if (newest === null || one.position.version > newest.position.version) newest = one
  }
  return newest
}

function judge(read: Positioned, { callMs, returnMs, ttl }: Positioned): Violation[] {
  if (ttl === undefined) return []
  const isThere = read.seen?.version != null
  const earlyMs = callMs + ttl - EARLY_MS_MAX - (read.returnMs ?? Infinity)
  if (!isThere && earlyMs > 0) return [violation(`gone ${Math.ceil(earlyMs)} ms too early`, read)]
  const lateMs = read.callMs - ((returnMs ?? Infinity) + ttl)
  if (isThere && lateMs > LATE_MS_MAX)
    return [violation(`there ${Math.ceil(lateMs)} ms after its time`, read)]
  return []
}

function violation(message: string, read: Positioned): Violation {
  return { checker: 'lifetime', message, operations: [read] }
}
