// The checker of keys that expire finds what must not happen, and nothing else.
import { describe, expect, it } from 'vitest'
import { checkExpiry } from '../src/check/expiry.ts'
import type { Operation, OperationKind } from '../src/workload/history.ts'

type Span = readonly [callMs: number, returnMs: number | null]

function operation(f: OperationKind, [callMs, returnMs]: Span, rest: Partial<Operation>): Operation {
  return {
    process: 'c1',
    type: returnMs === null ? 'info' : 'ok',
    f,
    key: 'brief-0',
    argument: null,
    expectedVersion: null,
    applied: f !== 'get',
    seen: null,
    callMs,
    returnMs,
    position: null,
    shard: null,
    error: null,
    ...rest,
  }
}

const at = (version: number, t: number) => ({ position: { epoch: 1, version, t } })
const set = (value: string, version: number, t: number, ttl: number | null, span: Span) =>
  operation('set', span, {
    argument: value,
    seen: { value, version },
    ...at(version, t),
    ...(ttl === null ? {} : { ttl }),
  })
const get = (
  value: string,
  entry: number,
  expiresAt: number,
  position: readonly [number, number],
  span: Span,
) => operation('get', span, { seen: { value, version: entry }, expiresAt, ...at(...position) })
const gone = (position: readonly [number, number], span: Span, f: OperationKind = 'get') =>
  operation(f, span, { applied: false, seen: { value: null, version: null }, ...at(...position) })
const touch = (version: number, position: readonly [number, number], ttl: number, span: Span) =>
  operation('touch', span, { seen: { value: null, version }, ttl, ...at(...position) })
const persist = (version: number, position: readonly [number, number], span: Span) =>
  operation('persist', span, { seen: { value: null, version }, ...at(...position) })
const forever = (value: string, entry: number, position: readonly [number, number], span: Span) =>
  operation('get', span, { seen: { value, version: entry }, ...at(...position) })
const evict = (removed: number, version: number, returnMs: number) =>
  operation('evict', [0, returnMs], { process: 'system', expectedVersion: removed, ...at(version, 0) })
const unknownTouch = operation('touch', [0, null], { ttl: 1 })

const first = set('a', 5, 100, 50, [0, 1])
const second = set('b', 7, 120, null, [6, 7])

const sound: Record<string, Operation[]> = {
  'a persist that found nothing to change, behind a read at the newest version': [
    second,
    forever('b', 7, [7, 130], [8, 9]),
    persist(7, [7, 140], [10, 11]),
    forever('b', 7, [7, 150], [12, 13]),
  ],
  'a persist that found nothing to change, behind a read of what a set of unknown outcome wrote': [
    operation('set', [0, null], { argument: 'b' }),
    forever('b', 7, [7, 130], [8, 9]),
    persist(7, [7, 140], [10, 11]),
  ],
  'a persist that took its version, and a read called before it and evaluated behind it': [
    first,
    forever('a', 6, [6, 110], [2, 6]),
    persist(6, [6, 105], [3, 5]),
  ],
  'a key seen until its deadline and gone from then on': [
    first,
    get('a', 5, 150, [5, 149], [2, 3]),
    gone([5, 150], [4, 5]),
    gone([9, 170], [6, 7]),
  ],
  'reads at one version whose t crosses the order of their calls': [
    first,
    gone([5, 150], [2, 9]),
    get('a', 5, 150, [5, 149], [4, 5]),
  ],
  'touch, persist and overwriting': [
    first,
    touch(6, [6, 110], 80, [2, 3]),
    get('a', 6, 190, [6, 160], [4, 5]),
    persist(7, [7, 180], [6, 7]),
    persist(7, [9, 200], [8, 9]),
    forever('a', 7, [9, 900], [10, 11]),
    set('b', 10, 901, 5, [12, 13]),
    gone([10, 906], [14, 15], 'touch'),
  ],
  'a touch of unknown outcome that ended it early': [first, unknownTouch, gone([6, 110], [2, 3])],
  'a touch of unknown outcome that kept it': [first, unknownTouch, get('a', 6, 400, [6, 300], [2, 3])],
  'rule 23: a value gone before its deadline by an eviction that was reported': [
    first,
    evict(5, 6, 3),
    gone([6, 110], [2, 4]),
    set('b', 7, 120, 50, [6, 7]),
  ],
  'an eviction of what a set of unknown outcome wrote': [
    operation('set', [0, null], { argument: 'b' }),
    evict(7, 8, 3),
    gone([8, 130], [2, 4]),
  ],
  'nothing at all': [gone([1, 1], [0, 1])],
}

const unsound: Record<string, Operation[]> = {
  'a value shown at its deadline': [first, get('a', 5, 150, [5, 150], [2, 3])],
  'H8: a value that comes back, in real time': [
    first,
    gone([5, 150], [2, 3]),
    get('a', 5, 150, [5, 149], [4, 5]),
  ],
  'H8: a value that comes back, with a later deadline': [
    first,
    gone([5, 150], [2, 3]),
    get('a', 5, 190, [5, 160], [4, 5]),
  ],
  'H7: a value gone before its deadline': [first, gone([5, 149], [2, 3])],
  'a value gone that has no deadline': [second, gone([9, 9_000], [8, 9])],
  'another deadline than that of its write': [first, get('a', 5, 151, [5, 120], [2, 3])],
  'another value than that of its write': [first, get('z', 5, 150, [5, 120], [2, 3])],
  'a deadline that changed without a version': [first, persist(5, [5, 120], [2, 3])],
  'a touch of what had expired': [first, touch(6, [6, 150], 80, [2, 3])],
  'an entry that had been replaced': [first, second, get('a', 5, 150, [8, 130], [8, 9])],
  'an entry that nobody wrote': [get('a', 5, 150, [5, 120], [2, 3])],
  'rule 23: a value gone, and an eviction of another version': [
    first,
    evict(4, 6, 3),
    gone([6, 110], [2, 4]),
  ],
  'an eviction that removes a newer write': [first, second, evict(5, 8, 9)],
  'a value that is shown behind its eviction': [first, evict(5, 6, 3), get('a', 5, 150, [7, 120], [4, 5])],
  'two writes at one version': [first, set('b', 5, 120, null, [2, 3])],
  'an answer without a position': [{ ...first, position: null }],
  'a value gone, and only a later unknown operation to explain it': [
    first,
    { ...unknownTouch, callMs: 50 },
    gone([5, 149], [2, 3]),
  ],
}

describe('the checker of expiry', () => {
  it.each(Object.entries(sound))('takes %s', (_, history) => {
    expect(checkExpiry(history)).toEqual([])
  })

  it.each(Object.entries(unsound))('finds %s', (_, history) => {
    expect(checkExpiry(history)).not.toEqual([])
  })
})
