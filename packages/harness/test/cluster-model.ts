// A sequential model of a few keys for clients whose answers may be lost: which states are possible after what was answered.
import type { PlannedOperation } from '../src/workload/plan.ts'
import type { Outcome } from '../src/workload/worker.ts'

/** `version` null: written by somebody who never heard of it. */
type State = { readonly value: string | number; readonly version: number | null } | null

interface Possible {
  readonly state: State
  /** Operations of unknown outcome that have not happened yet: they may at any time, or never. */
  readonly open: readonly PlannedOperation[]
}

export interface Answered {
  readonly planned: PlannedOperation
  readonly outcome: Outcome
}

export class ClusterModel {
  readonly #keys = new Map<string, readonly Possible[]>()

  /** What ran at the same time, in whatever order that explains all answers; throws where none does. */
  answered(operations: readonly Answered[]): void {
    for (const key of new Set(operations.map(({ planned }) => planned.key))) {
      const group = operations.filter(({ planned }) => planned.key === key)
      const before = this.#keys.get(key) ?? [{ state: null, open: [] }]
      const after = permutations(group).flatMap((order) => follow(before, order))
      if (after.length === 0)
        throw new Error(`no order explains ${JSON.stringify(group)} after ${JSON.stringify(before)}`)
      this.#keys.set(key, distinct(after))
    }
  }
}

function follow(before: readonly Possible[], order: readonly Answered[]): readonly Possible[] {
  let possible = before
  for (const one of order) possible = distinct(possible.flatMap(happenings).flatMap((now) => step(now, one)))
  return possible
}

function step({ state, open }: Possible, { planned, outcome }: Answered): Possible[] {
  if (outcome.type === 'fail') return [{ state, open }]
  if (outcome.type === 'info') return [{ state, open: planned.f === 'get' ? open : [...open, planned] }]
  const next = execute(state, planned, outcome)
  return next === undefined ? [] : [{ state: next, open }]
}

/** Every state in which some of the open operations have happened, each found once. */
function happenings(possible: Possible): Possible[] {
  const found = new Map<string, Possible>()
  for (let fresh = [possible]; fresh.length > 0;) {
    const next: Possible[] = []
    for (const one of fresh) {
      const name = JSON.stringify(one)
      if (found.has(name)) continue
      found.set(name, one)
      for (const [at, planned] of one.open.entries())
        next.push({ state: effect(one.state, planned), open: one.open.toSpliced(at, 1) })
    }
    fresh = next
  }
  return [...found.values()]
}

/** What an operation that nobody heard of does. */
function effect(state: State, { f, argument, expectedVersion }: PlannedOperation): State {
  if (f === 'del') return null
  if (f === 'incr') return { value: Number(state?.value ?? 0) + Number(argument), version: null }
  // A version that is not known may be the one that is expected; the value then decides nothing, as it is unique.
  if (f === 'cas' && expectedVersion !== (state?.version ?? (state === null ? 0 : expectedVersion)))
    return state
  return f === 'get' ? state : { value: argument ?? '', version: null }
}

/** The state behind the operation; undefined: it would not have been answered so. */
function execute(
  state: State,
  { f, argument, expectedVersion }: PlannedOperation,
  outcome: Outcome,
): State | undefined {
  const { applied, seen } = outcome
  const version = seen?.version ?? null
  const isShown =
    seen === null ||
    (state === null
      ? seen.version === null
      : seen.value === state.value && (state.version === null || seen.version === state.version))
  // What was shown pins down a version that nobody had heard of.
  const shown = state === null ? null : { value: state.value, version: version ?? state.version }
  const value = argument ?? ''
  switch (f) {
    case 'get':
      return isShown ? shown : undefined
    case 'set':
      return applied ? { value, version } : undefined
    case 'del':
      return applied === (state !== null) ? null : undefined
    case 'incr': {
      const sum = Number(state?.value ?? 0) + Number(argument)
      return seen?.value === sum ? { value: sum, version } : undefined
    }
    case 'cas': {
      const found = state === null ? 0 : (state.version ?? expectedVersion)
      if (applied) return found === expectedVersion ? { value, version } : undefined
      return isShown && (state === null ? 0 : state.version) !== expectedVersion ? shown : undefined
    }
    case 'touch':
    case 'persist':
      return undefined
  }
}

function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item, ...rest]))
}

function distinct(possible: readonly Possible[]): Possible[] {
  return [...new Map(possible.map((one) => [JSON.stringify(one), one])).values()]
}
