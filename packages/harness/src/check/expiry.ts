/**
 * Keys that expire, by witness. An entry that a write left at version v with deadline d is there for what is evaluated at
 * t < d and gone at t >= d. An answer's position tells its t, a write's own t + ttl is its deadline, and among answers at one
 * version those that found the entry come before those that found it gone: real time must agree, so that nothing that has
 * expired comes back. Operations of unknown outcome may explain what the known ones do not; sweeps need no record, since they
 * remove only what every answer behind them must find gone anyway. Evictions do (evictions.ts).
 */
import type { Operation } from '../workload/history.ts'
import { checkRealTime, isPositioned, type Positioned } from './positioned.ts'
import { checkStaleness } from './staleness.ts'
import type { Violation } from './violation.ts'

/** What the writes so far left; `deadline` null = never, `value` undefined = not known. */
interface State {
  readonly version: number
  readonly value: Operation['argument'] | undefined
  readonly deadline: number | null
}

/** Of one key. */
export function checkExpiry(operations: readonly Operation[]): Violation[] {
  const ordered: Positioned[] = []
  for (const operation of operations) {
    if (operation.type !== 'ok') continue
    if (!isPositioned(operation)) return [violation('an answer carries no position', operation)]
    ordered.push(operation)
  }
  ordered.sort(byPosition(writersOf(ordered)))
  const unknown = operations.filter(({ type }) => type === 'info')
  return [...checkRealTime(ordered), ...checkStaleness(ordered), ...checkStates(ordered, unknown)]
}

function byPosition(writers: ReadonlySet<Positioned>): (left: Positioned, right: Positioned) => number {
  return (left, right) =>
    left.position.epoch - right.position.epoch ||
    left.position.version - right.position.version ||
    rank(left, writers) - rank(right, writers) ||
    left.callMs - right.callMs
}

/** At one version: its write, what found its entry, what found it gone. */
function rank(operation: Positioned, writers: ReadonlySet<Positioned>): number {
  if (writers.has(operation)) return 0
  return operation.seen === null || operation.seen.version === null ? 2 : 1
}

/**
 * What took its own version. A touch or persist that found nothing to change is answered with the version of the entry, which
 * may be the newest of all: it took that version only if nobody else did, and if nobody knew the version before it was called.
 */
function writersOf(operations: readonly Positioned[]): Set<Positioned> {
  const byVersion = new Map<string, Positioned[]>()
  for (const operation of operations) {
    const { epoch, version } = operation.position
    const name = `${epoch}.${version}`
    byVersion.set(name, [...(byVersion.get(name) ?? []), operation])
  }
  const writers = new Set<Positioned>()
  for (const group of byVersion.values()) {
    const sets = group.filter(({ f }) => f === 'set' || f === 'evict')
    const known = Math.min(...group.map(({ returnMs }) => returnMs ?? Infinity))
    const [redated] = group
      .filter(({ f, seen, position }) => isRedate(f) && seen?.version === position.version)
      .filter(({ callMs }) => callMs <= known)
      .toSorted((left, right) => left.position.t - right.position.t || left.callMs - right.callMs)
    for (const writer of sets.length > 0 || redated === undefined ? sets : [redated]) writers.add(writer)
  }
  return writers
}

const isRedate = (f: Operation['f']): boolean => f === 'touch' || f === 'persist'

function checkStates(ordered: readonly Positioned[], unknown: readonly Operation[]): Violation[] {
  let state: State | null = null
  let last: Positioned | null = null
  for (const operation of ordered) {
    const mayBeUnknown = unknown.some(({ callMs }) => callMs <= (operation.returnMs ?? Infinity))
    const next = follow(operation, state, mayBeUnknown)
    if (typeof next === 'string') return [violation(next, ...(last === null ? [] : [last]), operation)]
    state = next
    last = operation
  }
  return []
}

/** The state behind the operation, or what is wrong with its answer. */
function follow(operation: Positioned, state: State | null, mayBeUnknown: boolean): State | null | string {
  const { f, seen, ttl, position, argument } = operation
  const { t } = position
  const isThere = state !== null && (state.deadline === null || state.deadline > t)
  if (f === 'set') {
    if (state !== null && state.version >= position.version) return 'a write is not above the one before it'
    return { version: position.version, value: argument, deadline: ttl === undefined ? null : t + ttl }
  }
  if (f === 'evict') {
    const isVersion = state !== null && state.version === operation.expectedVersion
    return isVersion || mayBeUnknown ? null : 'an eviction of a version that was not there'
  }
  if (seen === null || seen.version === null) {
    if (!isThere) return state
    return mayBeUnknown ? null : `gone at ${t}, before its deadline ${String(state.deadline)}`
  }
  if (f === 'get') return followGet(operation, seen.version, state, mayBeUnknown)
  if (!isThere && !mayBeUnknown) return 'found what had expired, or never was'
  const deadline = f === 'persist' ? null : t + (ttl ?? 0)
  // Nothing to change takes no version: then the deadline was this one already.
  if (state?.version === seen.version && state.deadline !== deadline)
    return 'changed a deadline without a version'
  if (state !== null && state.version > seen.version) return 'changed an entry that another had replaced'
  return { version: seen.version, value: mayBeUnknown ? undefined : state?.value, deadline }
}

function followGet(
  { seen, position, expiresAt }: Positioned,
  version: number,
  state: State | null,
  mayBeUnknown: boolean,
): State | string {
  const deadline = expiresAt ?? null
  if (deadline !== null && deadline <= position.t) return `shown at ${position.t}, expired at ${deadline}`
  const shown = { version, value: seen?.value, deadline }
  if (state === null || version > state.version)
    return mayBeUnknown ? shown : 'shows an entry that nobody wrote'
  if (version < state.version) return 'shows an entry that had been replaced'
  if (state.deadline !== deadline)
    return `shows the deadline ${String(deadline)}, not ${String(state.deadline)}`
  if (state.value !== undefined && state.value !== seen?.value) return 'shows another value'
  return shown
}

function violation(message: string, ...operations: Operation[]): Violation {
  return { checker: 'expiry', message, operations }
}
