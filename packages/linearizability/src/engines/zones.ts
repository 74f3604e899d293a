// Blocks as zones on the line of time, and the order of blocks that follows.
import type { Conflict, UniqueFinding } from './unique-values.ts'
import { type Blocks, callOf, chainBetween, endOf, joined, valuesOf } from './value-blocks.ts'
import type { ValueProblem } from './value-problem.ts'

interface Zone {
  readonly head: number
  /** The earliest end of an operation of the block, and the value it is on. */
  readonly end: number
  readonly endValue: number
  /** The latest call, and the value it is on. */
  readonly call: number
  readonly callValue: number
}

export function orderBlocks(problem: ValueProblem, blocks: Blocks): UniqueFinding {
  const zones = blocks.heads.map((head) => zoneOf(problem, blocks, head))
  zones.sort((a, b) => left(a) - left(b) || Number(isForward(a)) - Number(isForward(b)))
  const pair = findContradiction(zones)
  if (pair !== null) {
    const operations = pair.flatMap((zone) => [...partOf(blocks, zone)])
    return { kind: 'conflict', conflict: { operations } }
  }
  return { kind: 'order', order: orderOperations(problem, blocks, zones) }
}

/** An end before a call: the block was there all the time between. Otherwise some moment of its zone is enough for it. */
function isForward({ end, call }: Zone): boolean {
  return end < call
}

function left({ end, call }: Zone): number {
  return Math.min(end, call)
}

function zoneOf(problem: ValueProblem, blocks: Blocks, head: number): Zone {
  let zone: Zone = { head, end: Infinity, endValue: head, call: -Infinity, callValue: head }
  for (const value of valuesOf(blocks, head)) {
    const end = endOf(problem, blocks, value)
    const call = callOf(problem, blocks, value)
    if (end < zone.end) zone = { ...zone, end, endValue: value }
    if (call > zone.call) zone = { ...zone, call, callValue: value }
  }
  return zone
}

/** Two zones each of which must come before the other. Zones by their left ends. */
function findContradiction(zones: readonly Zone[]): readonly [Zone, Zone] | null {
  // Forward zones do not overlap, or we would have ended: the last one reaches furthest.
  let forward: Zone | null = null
  for (const zone of zones) {
    if (forward !== null && forward.end < zone.call && zone.end < forward.call) return [forward, zone]
    if (isForward(zone)) forward = zone
  }
  return null
}

/** The operations of a block that fix its zone, and the writers between them. */
function partOf(blocks: Blocks, { head, endValue, callValue }: Zone): Conflict['operations'] {
  const ends = [blocks.firstEnd[endValue] ?? -1, blocks.lastCall[callValue] ?? -1]
  for (const value of valuesOf(blocks, head)) {
    if (value !== endValue && value !== callValue) continue
    return joined(chainBetween(blocks, value, value === endValue ? callValue : endValue), ends)
  }
  return joined([], ends)
}

function orderOperations(problem: ValueProblem, blocks: Blocks, zones: readonly Zone[]): Int32Array {
  const { operations, values } = problem
  // Readers of a value by call: a list threaded through the operations.
  const firstReader = new Int32Array(values).fill(-1)
  const nextReader = new Int32Array(operations.length).fill(-1)
  for (let at = operations.length - 1; at >= 0; at -= 1) {
    const { needs = -1, leadsTo = -1 } = operations[at] ?? {}
    if (leadsTo >= 0 || needs < 0) continue
    nextReader[at] = firstReader[needs] ?? -1
    firstReader[needs] = at
  }
  const order = new Int32Array(operations.length)
  let length = 0
  for (const { head } of zones)
    for (const value of valuesOf(blocks, head)) {
      const writer = blocks.writer[value] ?? -1
      if (writer >= 0) order[length++] = writer
      for (let at = firstReader[value] ?? -1; at !== -1; at = nextReader[at] ?? -1) order[length++] = at
    }
  return order.subarray(0, length)
}
