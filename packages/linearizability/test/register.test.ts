// Stories of registers: each is small enough to be judged by eye.
import { describe, expect, test } from 'vitest'
import { checkHistory } from '../src/index.ts'
import { done, historyOf, open, type Told } from './support/histories.ts'

function judge(model: string, story: readonly Told[]) {
  const { verdict, keys } = checkHistory(historyOf(model, story))
  const [key] = keys
  return { verdict, engine: key?.engine, key }
}

const set = (value: number, call: number, end: number) => done('set', value, undefined, call, end)
const get = (result: number | null, call: number, end: number) => done('get', undefined, result, call, end)

describe('unique values', () => {
  test('a read of what was there before the last write is illegal, and the read is to blame', () => {
    const { verdict, engine, key } = judge('register', [set(1, 0, 1), set(2, 2, 3), get(1, 4, 5)])
    expect([verdict, engine]).toEqual(['illegal', 'unique-values'])
    expect(key).toMatchObject({ evidence: { suspects: [2], confirmed: true } })
  })

  test('reads during a write may show the old or the new value', () => {
    expect(judge('register', [set(1, 0, 1), set(2, 2, 9), get(1, 3, 4), get(2, 5, 6)]).verdict).toBe('ok')
  })

  test('once the new value was seen, the old one is gone', () => {
    expect(judge('register', [set(1, 0, 1), set(2, 2, 9), get(2, 3, 4), get(1, 5, 6)]).verdict).toBe(
      'illegal',
    )
  })

  test('operations that only touch are concurrent', () => {
    expect(judge('register', [set(1, 0, 5), get(null, 5, 6)]).verdict).toBe('ok')
    expect(judge('register', [set(1, 0, 5), get(null, 6, 7)]).verdict).toBe('illegal')
  })

  test('a value that nobody wrote is illegal, and so is one read before it was written', () => {
    expect(judge('register', [get(7, 0, 1)]).verdict).toBe('illegal')
    expect(judge('register', [get(7, 0, 1), set(7, 2, 3)]).verdict).toBe('illegal')
  })

  test('nothing can be there again after a write, unless it was removed', () => {
    expect(judge('register', [set(1, 0, 1), get(null, 2, 3)]).verdict).toBe('illegal')
    expect(
      judge('register', [set(1, 0, 1), done('evict', undefined, undefined, 2, 3), get(null, 4, 5)]).verdict,
    ).toBe('ok')
  })
})

describe('operations of unknown outcome', () => {
  test('one may take effect long after its call, once', () => {
    expect(judge('register', [open('set', 2, 0), set(1, 1, 2), get(1, 3, 4), get(2, 5, 6)]).verdict).toBe(
      'ok',
    )
    expect(judge('register', [open('set', 2, 0), get(2, 1, 2), set(1, 3, 4), get(2, 5, 6)]).verdict).toBe(
      'illegal',
    )
  })

  test('one that somebody saw happened before that', () => {
    const story = [open('set', 2, 0), get(2, 1, 2), get(null, 3, 4)]
    expect(judge('register', story).verdict).toBe('illegal')
  })

  test('one that a lost compare-and-set alone explains is not left out', () => {
    const lost = done('cas', [1, 3], false, 4, 5)
    expect(judge('cas-register', [set(1, 0, 1), open('set', 2, 2), lost]).verdict).toBe('ok')
    expect(judge('cas-register', [set(1, 0, 1), lost]).verdict).toBe('illegal')
    expect(judge('cas-register', [set(1, 0, 1), lost, open('set', 2, 6)]).verdict).toBe('illegal')
  })

  test('one that the answer of a removal alone explains is not left out', () => {
    const found = done('del', undefined, true, 2, 3)
    expect(judge('register', [open('set', 2, 0), found]).verdict).toBe('ok')
    expect(judge('register', [found]).verdict).toBe('illegal')
  })
})

describe('compare-and-set', () => {
  const cas = (from: number | null, to: number, won: boolean, call: number, end: number) =>
    done('cas', [from, to], won, call, end)

  test('two cannot both replace one write', () => {
    expect(judge('cas-register', [cas(null, 1, true, 0, 9), cas(null, 2, true, 0, 9)]).verdict).toBe(
      'illegal',
    )
    expect(judge('cas-register', [cas(null, 1, true, 0, 9), cas(null, 2, false, 0, 9)]).verdict).toBe('ok')
  })

  test('a circle of them has no beginning', () => {
    expect(judge('cas-register', [cas(1, 2, true, 0, 9), cas(2, 1, true, 0, 9)]).verdict).toBe('illegal')
    expect(judge('cas-register', [cas(2, 2, true, 0, 9)]).verdict).toBe('illegal')
  })

  test('nothing comes between what it found and what it wrote', () => {
    const chain = [cas(null, 1, true, 0, 1), cas(1, 2, true, 10, 11)]
    expect(judge('cas-register', [...chain, set(7, 4, 5)]).verdict).toBe('illegal')
    expect(judge('cas-register', [...chain, set(7, 4, 12)]).verdict).toBe('ok')
  })

  test('a lost one that should have won is illegal', () => {
    expect(judge('cas-register', [set(1, 0, 1), cas(1, 2, false, 2, 3), get(1, 4, 5)]).verdict).toBe(
      'illegal',
    )
  })

  test('where many saw that a write was not there, no read is blamed but the writes: one was lost, or the other came late', () => {
    const story = [set(1, 0, 1), set(2, 2, 3), get(1, 4, 5), get(1, 6, 7), get(1, 8, 9)]
    expect(judge('cas-register', story).key).toMatchObject({
      verdict: 'illegal',
      evidence: { suspects: [1, 0] },
    })
  })
})

test('keys are judged apart, and the worst verdict is that of the history', () => {
  const history = historyOf('register', [
    { ...set(1, 0, 1), key: 'a' },
    { ...get(null, 2, 3), key: 'b' },
    { ...get(null, 4, 5), key: 'a' },
  ])
  const { verdict, keys } = checkHistory(history)
  expect(keys.map(({ key, verdict: own }) => [key, own])).toEqual([
    ['a', 'illegal'],
    ['b', 'ok'],
  ])
  expect(verdict).toBe('illegal')
})

test('a search that runs out of its budget says unknown, never ok', () => {
  const story = [
    ...Array.from({ length: 40 }, (_, at) => open('incr', at + 1, at)),
    done('get', undefined, 821, 50, 51),
  ]
  const { verdict, keys } = checkHistory(historyOf('counter', story), { steps: 1_000 })
  expect(verdict).toBe('unknown')
  expect(keys[0]).toMatchObject({ reason: 'out of steps' })
  let clock = 0
  expect(checkHistory(historyOf('counter', story), { seconds: 1, now: () => (clock += 600) }).verdict).toBe(
    'unknown',
  )
})
