// Clusters (a value: who wrote it, who saw it) and blocks (clusters that compare-and-sets join).
import { UNKNOWN } from '../models/model.ts'
import type { Conflict } from './unique-values.ts'
import type { ValueProblem } from './value-problem.ts'

/** By value. -1 where there is none. */
export interface Blocks {
  /** The operation that writes it; the value of the beginning has none. */
  readonly writer: Int32Array
  /** The value that a compare-and-set put in its place. */
  readonly next: Int32Array
  /** The value that a compare-and-set found and replaced by it. */
  readonly previous: Int32Array
  /** Of the cluster: the operation that ends first, and the one that is called last. */
  readonly firstEnd: Int32Array
  readonly lastCall: Int32Array
  /** The first value of every block that has operations, or is the beginning. */
  readonly heads: readonly number[]
}

/** The end of what was there at the beginning: before everything. */
const BEGINNING = -1

export function endOf(problem: ValueProblem, blocks: Blocks, value: number): number {
  if (value === 0) return BEGINNING
  return problem.operations[blocks.firstEnd[value] ?? -1]?.return ?? BEGINNING
}

export function callOf(problem: ValueProblem, blocks: Blocks, value: number): number {
  return problem.operations[blocks.lastCall[value] ?? -1]?.call ?? BEGINNING
}

export function chainBlocks(problem: ValueProblem): Blocks | { readonly conflict: Conflict } {
  const { operations, values } = problem
  const [writer, next, previous] = [column(values), column(values), column(values)]
  const [firstEnd, lastCall] = [column(values), column(values)]
  for (const [at, { needs, leadsTo }] of operations.entries()) {
    if (leadsTo === UNKNOWN) continue
    writer[leadsTo] = at
    if (needs === UNKNOWN) continue
    // Nobody else writes it, so it never found it.
    if (needs === leadsTo) return conflictOf([at])
    if ((next[needs] ?? -1) >= 0) return conflictOf([writer[next[needs] ?? -1], at], writer[needs])
    next[needs] = leadsTo
    previous[leadsTo] = needs
  }
  for (const [at, operation] of operations.entries()) {
    const { needs, leadsTo } = operation
    if (needs > 0 && (writer[needs] ?? -1) < 0) return conflictOf([at])
    const value = leadsTo === UNKNOWN ? needs : leadsTo
    if (value === UNKNOWN) continue
    if (operation.return < (operations[writer[value] ?? -1]?.call ?? -1))
      return conflictOf([at], writer[value])
    if (operation.return < (operations[firstEnd[value] ?? -1]?.return ?? Infinity)) firstEnd[value] = at
    if (operation.call > (operations[lastCall[value] ?? -1]?.call ?? -1)) lastCall[value] = at
  }
  const heads = Array.from(writer.keys()).filter(
    (value) => previous[value] === -1 && (value === 0 || (writer[value] ?? -1) >= 0),
  )
  const blocks = { writer, next, previous, firstEnd, lastCall, heads }
  const conflict = findCircle(blocks) ?? findBackwardChain(problem, blocks)
  return conflict === null ? blocks : { conflict }
}

/** The values of a block, in order. */
export function* valuesOf(blocks: Blocks, head: number): Generator<number> {
  for (let value = head; value !== -1; value = blocks.next[value] ?? -1) yield value
}

/** The writers of a block from one value to another, the first of them as if it needed nothing. */
export function chainBetween(blocks: Blocks, from: number, to: number): Conflict['operations'] {
  const chain: { at: number; loose: boolean }[] = []
  for (let value = from; value !== -1; value = blocks.next[value] ?? -1) {
    const at = blocks.writer[value] ?? -1
    if (at >= 0) chain.push({ at, loose: value === from })
    if (value === to) break
  }
  return chain
}

/** Compare-and-sets that each replace what another one of them wrote: none can be the first. */
function findCircle(blocks: Blocks): Conflict | null {
  const reached = new Uint8Array(blocks.writer.length)
  for (const head of blocks.heads) for (const value of valuesOf(blocks, head)) reached[value] = 1
  for (let start = 0; start < reached.length; start += 1) {
    if (reached[start] === 1 || (blocks.writer[start] ?? -1) < 0) continue
    const circle: number[] = []
    let value = start
    do {
      circle.push(blocks.writer[value] ?? -1)
      value = blocks.next[value] ?? -1
    } while (value !== start && value !== -1)
    return conflictOf(circle).conflict
  }
  return null
}

/** Within a block: an operation on a later value that ended before one on an earlier value began. */
function findBackwardChain(problem: ValueProblem, blocks: Blocks): Conflict | null {
  for (const head of blocks.heads) {
    let latest = head
    for (const value of valuesOf(blocks, head)) {
      if (endOf(problem, blocks, value) < callOf(problem, blocks, latest) && value !== latest) {
        const ends = [blocks.lastCall[latest] ?? -1, blocks.firstEnd[value] ?? -1]
        return { operations: joined(chainBetween(blocks, latest, value), ends) }
      }
      if (callOf(problem, blocks, value) > callOf(problem, blocks, latest)) latest = value
    }
  }
  return null
}

/** The chain and more operations, each once. */
export function joined(chain: Conflict['operations'], more: readonly number[]): Conflict['operations'] {
  const known = new Set(chain.map(({ at }) => at))
  const others = [...new Set(more)].filter((at) => at >= 0 && !known.has(at))
  return [...chain, ...others.map((at) => ({ at, loose: false }))]
}

function conflictOf(
  operations: readonly (number | undefined)[],
  writer: number | undefined = -1,
): { readonly conflict: Conflict } {
  const known = operations.filter((at): at is number => at !== undefined && at >= 0)
  return { conflict: { operations: joined(writer >= 0 ? [{ at: writer, loose: true }] : [], known) } }
}

function column(values: number): Int32Array {
  return new Int32Array(values).fill(-1)
}
