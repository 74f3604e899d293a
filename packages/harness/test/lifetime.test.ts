import { describe, expect, it } from 'vitest'
import { checkLifetimes } from '../src/check/lifetime.ts'
import type { Operation, OperationKind } from '../src/workload/history.ts'

function operation(
  f: OperationKind,
  version: number,
  times: readonly [number, number],
  rest: Partial<Operation>,
): Operation {
  const [callMs, returnMs] = times
  return {
    process: 'c1',
    type: 'ok',
    f,
    key: 'brief-0',
    argument: null,
    expectedVersion: null,
    applied: f !== 'get',
    seen: { value: 'a', version: 3 },
    position: { epoch: 1, version, t: 0 },
    shard: 1,
    error: null,
    callMs,
    returnMs,
    ...rest,
  }
}

const set = (ttl?: number): Operation =>
  operation('set', 3, [1_000, 1_100], { argument: 'a', ...(ttl === undefined ? {} : { ttl }) })
const gone = (callMs: number, version = 3): Operation =>
  operation('get', version, [callMs, callMs + 10], { seen: { value: null, version: null } })
const there = (callMs: number): Operation => operation('get', 3, [callMs, callMs + 10], {})
const messages = (...history: Operation[]): string[] => checkLifetimes(history).map(({ message }) => message)

describe('a key with a time to live', () => {
  it('may be gone when it is over, or half a second before', () => {
    expect(messages(set(2_000), gone(2_500))).toEqual([])
    expect(messages(set(2_000), gone(2_400))).toEqual(['gone 89 ms too early'])
  })

  it('may be there a little longer, but no hour', () => {
    expect(messages(set(2_000), there(63_000))).toEqual([])
    expect(messages(set(2_000), there(63_200))).toEqual(['there 60100 ms after its time'])
  })

  it('lives by the newest deadline that was set before the read', () => {
    const touch = operation('touch', 4, [1_500, 1_600], { ttl: 5_000, seen: { value: null, version: 4 } })
    expect(messages(set(2_000), touch, gone(3_000, 4))).toHaveLength(1)
    expect(messages(set(2_000), touch, gone(3_000, 3))).toEqual([])
    expect(messages(set(), gone(3_000))).toEqual([])
  })

  it('is not judged where an operation of unknown outcome may explain it', () => {
    const lost: Operation = { ...set(1), type: 'info', returnMs: null, position: null }
    expect(messages(set(2_000), lost, gone(1_500))).toEqual([])
    expect(messages(set(2_000), { ...lost, callMs: 9_000 }, gone(1_500))).toHaveLength(1)
  })
})
