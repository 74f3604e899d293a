import { describe, expect, it } from 'vitest'
import { checkCounters, totalCounters } from '../src/check/counters.ts'
import { checkPresence } from '../src/check/presence.ts'
import { checkWitness } from '../src/check/witness.ts'
import type { Operation, OperationKind, Seen } from '../src/workload/history.ts'

const nothing: Seen = { value: null, version: null }

function operation(
  f: OperationKind,
  times: readonly [number, number | null],
  rest: Partial<Operation>,
): Operation {
  const [callMs, returnMs] = times
  return {
    process: 'c1',
    type: returnMs === null ? 'info' : 'ok',
    f,
    key: 'k',
    argument: null,
    expectedVersion: null,
    applied: f !== 'get' && returnMs !== null,
    seen: null,
    callMs,
    returnMs,
    position: null,
    shard: null,
    error: null,
    ...rest,
  }
}

const at = (version: number, epoch = 1) => ({ position: { epoch, version, t: 0 } })
const set = (value: string, version: number, call: number, end: number) =>
  operation('set', [call, end], { argument: value, seen: { value, version }, ...at(version) })
const get = (
  value: string | number | null,
  entryVersion: number | null,
  version: number,
  call: number,
  end: number,
) => operation('get', [call, end], { seen: { value, version: entryVersion }, ...at(version) })
const incr = (result: number, version: number, call: number, end: number) =>
  operation('incr', [call, end], { argument: 1, seen: { value: result, version }, ...at(version) })
const del = (version: number, call: number, end: number) =>
  operation('del', [call, end], { seen: nothing, ...at(version) })
const cas = (value: string, expected: number, version: number, call: number, end: number) =>
  operation('cas', [call, end], {
    argument: value,
    expectedVersion: expected,
    seen: { value, version },
    ...at(version),
  })
const lost = (expected: number, seen: Seen, version: number, call: number, end: number) =>
  operation('cas', [call, end], {
    argument: 'never',
    expectedVersion: expected,
    applied: false,
    seen,
    ...at(version),
  })
const evict = (removed: number, version: number, end: number) =>
  operation('evict', [0, end], { process: 'system', expectedVersion: removed, ...at(version) })
const unknown = (f: OperationKind, argument: string | number | null, call: number) =>
  operation(f, [call, null], { argument })

const legal: Record<string, Operation[]> = {
  'a write and a read of it': [set('a', 1, 0, 1), get('a', 1, 1, 2, 3)],
  'a read that overlaps the write and misses it': [set('a', 5, 0, 10), get(null, null, 4, 1, 2)],
  'a conditional set, one that lost, a deletion': [
    cas('a', 0, 1, 0, 1),
    lost(0, { value: 'a', version: 1 }, 1, 2, 3),
    cas('b', 1, 2, 4, 5),
    del(3, 6, 7),
    get(null, null, 3, 8, 9),
  ],
  'an unknown set that was seen': [unknown('set', 'u', 0), get('u', 7, 9, 5, 6), get('u', 7, 9, 7, 8)],
  'an unknown set that never was seen': [set('a', 1, 0, 1), unknown('set', 'u', 2), get('a', 1, 3, 5, 6)],
  'an unknown deletion that explains a miss': [
    set('a', 1, 0, 1),
    unknown('del', null, 2),
    get(null, null, 2, 5, 6),
  ],
  'increments with unknown ones between': [
    incr(1, 1, 0, 1),
    unknown('incr', 1, 2),
    unknown('incr', 1, 2),
    incr(3, 4, 5, 6),
    unknown('incr', 1, 7),
    get(4, 9, 9, 8, 9),
  ],
  'an unknown conditional set whose own version a later one expects': [
    set('a', 1, 0, 1),
    operation('cas', [2, null], { argument: 'u', expectedVersion: 1 }),
    get('u', 2, 2, 5, 6),
    cas('c', 2, 3, 7, 8),
  ],
  'rule 23: a miss behind an eviction that was reported': [
    set('a', 1, 0, 1),
    evict(1, 2, 3),
    get(null, null, 2, 2, 4),
    cas('b', 0, 3, 5, 6),
  ],
  'an eviction of what an unknown set wrote and nobody saw': [
    set('a', 1, 0, 1),
    unknown('set', 'u', 2),
    evict(2, 3, 4),
    get(null, null, 3, 5, 6),
  ],
  'a counter that counts anew behind its eviction': [incr(1, 1, 0, 1), evict(1, 2, 3), incr(1, 3, 4, 5)],
  'a higher epoch behind a lower one': [
    set('a', 3, 0, 1),
    { ...set('b', 4, 2, 3), ...at(4, 2) },
    { ...get('b', 4, 4, 5, 6), ...at(4, 2) },
  ],
}

const illegal: Record<string, Operation[]> = {
  'a stale read: an older version is answered after the newer write returned': [
    set('a', 1, 0, 1),
    set('b', 2, 2, 3),
    get('a', 1, 1, 4, 5),
  ],
  'rule 23: an eviction that removes a newer write than was chosen': [
    set('a', 1, 0, 1),
    set('b', 2, 2, 3),
    evict(1, 3, 4),
    get(null, null, 3, 5, 6),
  ],
  'a miss that was called before the eviction and stands before it': [
    set('a', 1, 0, 1),
    get(null, null, 1, 2, 3),
    evict(1, 2, 4),
  ],
  'a value found by who asked behind the report of its eviction': [
    set('a', 1, 0, 1),
    evict(1, 3, 4),
    get('a', 1, 2, 5, 6),
  ],
  'an eviction of what nobody wrote': [evict(1, 2, 3)],
  'a stale value at a new position': [set('a', 1, 0, 1), set('b', 2, 2, 3), get('a', 1, 2, 4, 5)],
  'a lost write': [set('a', 1, 0, 1), get(null, null, 2, 2, 3)],
  'a lost write that was overwritten by a shorter log (the version is used twice)': [
    set('a', 1, 0, 1),
    set('b', 1, 2, 3),
    get('b', 1, 1, 4, 5),
  ],
  'a double increment': [incr(1, 1, 0, 1), incr(3, 3, 2, 3)],
  'a double increment seen by a read': [incr(1, 1, 0, 1), get(2, 2, 2, 2, 3)],
  'an increment that vanished': [incr(1, 1, 0, 1), incr(2, 2, 2, 3), incr(2, 3, 4, 5)],
  'reads going back': [
    set('a', 1, 0, 1),
    { ...set('b', 2, 2, 20), process: 'c2' },
    get('b', 2, 2, 4, 5),
    get('a', 1, 1, 6, 7),
  ],
  'a fail that took effect': [
    set('a', 1, 0, 1),
    operation('set', [2, 3], { type: 'fail', argument: 'f', applied: false }),
    get('f', 2, 2, 4, 5),
  ],
  'a conditional set that ignored its condition': [
    set('a', 1, 0, 1),
    set('b', 2, 2, 3),
    cas('c', 1, 3, 4, 5),
  ],
  'a conditional set that lost although its condition held': [
    set('a', 1, 0, 1),
    lost(1, { value: 'a', version: 1 }, 1, 2, 3),
  ],
  'a deletion of an entry that answers "did not exist"': [
    set('a', 1, 0, 1),
    operation('del', [2, 3], { applied: false, seen: nothing, ...at(1) }),
  ],
  'an unknown set whose effect precedes its call': [get('u', 1, 1, 0, 1), unknown('set', 'u', 5)],
  'an unknown deletion that cannot explain an earlier miss': [
    set('a', 1, 0, 1),
    get(null, null, 2, 2, 3),
    unknown('del', null, 5),
  ],
  'one unknown increment used twice': [
    incr(1, 1, 0, 1),
    unknown('incr', 1, 2),
    incr(3, 3, 3, 4),
    incr(5, 5, 5, 6),
  ],
  'a value out of nowhere': [get('ghost', 1, 1, 0, 1)],
  'a write whose position contradicts real time': [set('b', 5, 0, 1), set('a', 4, 2, 3)],
  'an answer without a position': [operation('get', [0, 1], { seen: nothing })],
}

describe('the witness checker', () => {
  for (const [name, history] of Object.entries(legal))
    it(`accepts ${name}`, () => expect(checkWitness(history)).toEqual([]))
  for (const [name, history] of Object.entries(illegal))
    it(`finds ${name}`, () => expect(checkWitness(history)).toHaveLength(1))
  it('judges each key by itself', () =>
    expect(checkWitness([set('a', 1, 0, 1), { ...get(null, null, 1, 2, 3), key: 'other' }])).toEqual([]))
})

describe('the counter checker', () => {
  const history = [incr(1, 1, 0, 1), incr(2, 2, 2, 3), unknown('incr', 1, 4)]
  const verdict = (final: number | null) => checkCounters(totalCounters(history, new Map([['k', final]])))
  it('accepts acknowledged plus those unknown that took effect', () => {
    expect(verdict(2)).toEqual([])
    expect(verdict(3)).toEqual([])
  })
  it('finds a lost increment', () => expect(verdict(1)).toHaveLength(1))
  it('finds a double increment', () => expect(verdict(4)).toHaveLength(1))
  it('finds a counter that could not be read', () => expect(verdict(null)).toHaveLength(1))
})

describe('the presence checker', () => {
  const verdict = (seen: Seen, ...history: Operation[]) => checkPresence(history, new Map([['k', seen]]))
  it('accepts the newest acknowledged write', () =>
    expect(verdict({ value: 'b', version: 2 }, set('a', 1, 0, 1), set('b', 2, 2, 3))).toEqual([]))
  it('accepts a newest deletion', () => expect(verdict(nothing, set('a', 1, 0, 1), del(2, 2, 3))).toEqual([]))
  it('finds a lost write', () => expect(verdict(nothing, set('a', 1, 0, 1))).toHaveLength(1))
  it('accepts a write that is gone by an eviction, and one that was read before it went', () => {
    expect(verdict(nothing, set('a', 1, 0, 1), evict(1, 2, 3))).toEqual([])
    expect(verdict({ value: 'a', version: 1 }, set('a', 1, 0, 1), evict(1, 2, 3))).toEqual([])
  })
  it('finds a write that is gone behind an eviction of an older one', () =>
    expect(verdict(nothing, set('a', 1, 0, 1), evict(1, 2, 3), set('b', 3, 4, 5))).toHaveLength(1))
  it('finds an older value', () =>
    expect(verdict({ value: 'a', version: 1 }, set('a', 1, 0, 1), set('b', 2, 2, 3))).toHaveLength(1))
  it('finds a deletion undone', () =>
    expect(verdict({ value: 'a', version: 1 }, set('a', 1, 0, 1), del(2, 2, 3))).toHaveLength(1))
  it('finds a key that could not be read', () =>
    expect(checkPresence([set('a', 1, 0, 1)], new Map())).toHaveLength(1))
})
