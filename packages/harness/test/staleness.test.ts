import { describe, expect, it } from 'vitest'
import { checkWitness } from '../src/check/witness.ts'
import type { Operation } from '../src/workload/history.ts'

const base = {
  process: 'c1',
  type: 'ok' as const,
  key: 'k',
  argument: null,
  expectedVersion: null,
  applied: false,
  shard: 1,
  error: null,
}
const set = (value: string, version: number, callMs: number, returnMs: number, key = 'k'): Operation => ({
  ...base,
  key,
  f: 'set',
  argument: value,
  applied: true,
  seen: { value, version },
  position: { epoch: 1, version, t: version },
  callMs,
  returnMs,
})
/** Of an entry whose version is `version`, while the shard was at `at`. */
const get = (
  value: string | null,
  version: number | null,
  at: number,
  callMs: number,
  rest: Partial<Operation> = {},
): Operation => ({
  ...base,
  f: 'get',
  seen: { value, version },
  position: { epoch: 1, version: at, t: at },
  callMs,
  returnMs: callMs + 1,
  ...rest,
})
const stale = (age: number | null, maxAge?: number): Partial<Operation> => ({
  how: 'stale',
  age,
  ...(maxAge === undefined ? {} : { maxAge }),
})
const messages = (...history: Operation[]): string[] => checkWitness(history).map(({ message }) => message)

const writes = [set('a', 1, 0, 10), set('b', 2, 1_000, 1_010)]

describe.each(['k', 'brief-0'])('stale reads of %s', (key) => {
  const of = (...history: Operation[]): Operation[] => history.map((operation) => ({ ...operation, key }))

  it('may miss what ended within their age, at whatever speed clocks may run', () => {
    expect(messages(...of(...writes, get('a', 1, 1, 1_200, stale(200))))).toEqual([])
    expect(messages(...of(...writes, get('a', 1, 1, 1_200, stale(100))))).toEqual([])
  })

  it('may not miss what ended before', () => {
    const found = messages(...of(...writes, get('a', 1, 1, 1_200, stale(90))))
    expect(found).toEqual(['a stale read of age 90 ms shows less than had ended before'])
  })

  it('may not miss the state that another read had shown before', () => {
    const read = get('a', 1, 1, 3_000)
    expect(
      messages(...of(set('a', 1, 0, 10), get('a', 1, 5, 2_000), { ...read, ...stale(100) })),
    ).toHaveLength(1)
  })

  it('without an age may be as old as they are, but must have been', () => {
    expect(messages(...of(...writes, get('a', 1, 1, 9_000, stale(null))))).toEqual([])
    expect(messages(...of(...writes, get('never', 1, 1, 9_000, stale(null))))).toHaveLength(1)
    expect(messages(...of(...writes, get('a', 1, 2, 9_000, stale(null))))).toHaveLength(1)
  })

  it('keep the limit that they were given', () => {
    expect(messages(...of(...writes, get('b', 2, 2, 1_200, stale(50, 50))))).toEqual([])
    expect(messages(...of(...writes, get('b', 2, 2, 1_200, stale(51, 50))))).toHaveLength(1)
    expect(messages(...of(...writes, get('b', 2, 2, 1_200, stale(null, 50))))).toHaveLength(1)
  })

  it('free nobody else: what is read by lease is held against real time', () => {
    expect(messages(...of(...writes, get('a', 1, 1, 1_200, { how: 'lease' })))).toHaveLength(1)
    expect(messages(...of(...writes, get('b', 2, 2, 1_200, { how: 'lease' })))).toEqual([])
  })
})
