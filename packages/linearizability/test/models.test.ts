// What each model accepts and refuses, as short histories whose operations follow one another.
import { describe, expect, test } from 'vitest'
import { checkHistory, type JsonValue } from '../src/index.ts'
import { historyOf, type Told } from './support/histories.ts'

type Step = readonly [
  f: string,
  value: JsonValue | undefined,
  result?: JsonValue | undefined,
  more?: Partial<Told>,
]

/** One after the other; a result of `'?'` is an unknown outcome. */
function verdictOf(model: string, steps: readonly Step[]): string {
  const story = steps.map(([f, value, result, more], at): Told => {
    const told = { f, value, call: at * 10, ...more }
    return result === '?' ? told : { ...told, result, return: at * 10 + 5 }
  })
  return checkHistory(historyOf(model, story)).verdict
}

const at = (clock: number, ttl?: number): Partial<Told> => (ttl === undefined ? { clock } : { clock, ttl })

const stories: [model: string, steps: readonly Step[], verdict: string][] = [
  [
    'counter',
    [
      ['incr', 2, 2],
      ['incr', 1, 3],
      ['get', undefined, 3],
    ],
    'ok',
  ],
  [
    'counter',
    [
      ['incr', 2, 2],
      ['get', undefined, 3],
    ],
    'illegal',
  ],
  [
    'counter',
    [
      ['get', undefined, 0],
      ['get', undefined, null],
    ],
    'ok',
  ],
  [
    'counter',
    [
      ['incr', 1, '?'],
      ['incr', 1, '?'],
      ['get', undefined, 1],
      ['get', undefined, 2],
    ],
    'ok',
  ],
  [
    'counter',
    [
      ['incr', 1, '?'],
      ['incr', 1, '?'],
      ['get', undefined, 3],
    ],
    'illegal',
  ],
  [
    'counter',
    [
      ['incr', 1, 1],
      ['del', undefined, true],
      ['incr', 5],
      ['get', undefined, 5],
    ],
    'ok',
  ],
  ['counter', [['del', undefined, true]], 'illegal'],
  [
    'append-list',
    [
      ['append', 'a', 1],
      ['append', 'b'],
      ['get', undefined, ['a', 'b']],
    ],
    'ok',
  ],
  [
    'append-list',
    [
      ['append', 'a'],
      ['append', 'b'],
      ['get', undefined, ['b', 'a']],
    ],
    'illegal',
  ],
  [
    'append-list',
    [
      ['append', 'a'],
      ['append', 'b', 1],
    ],
    'illegal',
  ],
  [
    'append-list',
    [
      ['get', undefined, null],
      ['append', 'a', '?'],
      ['append', 'b'],
      ['get', undefined, ['b', 'a']],
    ],
    'ok',
  ],
  [
    'append-list',
    [
      ['append', { x: 1, y: 2 }],
      ['get', undefined, [{ y: 2, x: 1 }]],
    ],
    'ok',
  ],
  [
    'set',
    [
      ['add', 1, true],
      ['add', 1, false],
      ['get', undefined, [1]],
      ['contains', 1, true],
    ],
    'ok',
  ],
  [
    'set',
    [
      ['add', 1],
      ['add', 2],
      ['remove', 1, true],
      ['get', undefined, [2]],
      ['contains', 1, false],
    ],
    'ok',
  ],
  [
    'set',
    [
      ['add', 1, true],
      ['add', 1, true],
    ],
    'illegal',
  ],
  [
    'set',
    [
      ['add', 2],
      ['add', 1],
      ['get', undefined, [1]],
    ],
    'illegal',
  ],
  ['set', [['remove', 1, true]], 'illegal'],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5, 10)],
      ['get', undefined, 'a', at(14)],
      ['get', undefined, null, at(15)],
    ],
    'ok',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5, 10)],
      ['get', undefined, 'a', at(15)],
    ],
    'illegal',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5, 10)],
      ['get', undefined, null, at(14)],
    ],
    'illegal',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5, 10)],
      ['evict', undefined, undefined, at(7)],
      ['get', undefined, null, at(8)],
    ],
    'ok',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5, 10)],
      ['expire', undefined, undefined, at(14)],
    ],
    'illegal',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5)],
      ['get', undefined, 'a', at(999_999)],
    ],
    'ok',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5)],
      ['get', undefined, 'a', at(4)],
    ],
    'illegal',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5, 10)],
      ['touch', undefined, true, at(14, 10)],
      ['get', undefined, 'a', at(23)],
    ],
    'ok',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5, 10)],
      ['persist', undefined, true, at(14)],
      ['get', undefined, 'a', at(99)],
    ],
    'ok',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', undefined, at(5, 10)],
      ['touch', undefined, true, at(15, 10)],
    ],
    'illegal',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', '?', { ttl: 10 }],
      ['get', undefined, 'a', at(5)],
      ['get', undefined, null, at(15)],
    ],
    'ok',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', '?', { ttl: 10 }],
      ['get', undefined, 'a', at(5)],
      ['get', undefined, 'a', at(15)],
    ],
    'illegal',
  ],
  [
    'ttl-key',
    [
      ['set', 'a', '?', { ttl: 10 }],
      ['get', undefined, 'a', at(12)],
      ['get', undefined, null, at(13)],
    ],
    'ok',
  ],
  [
    'fenced-lock',
    [
      ['acquire', undefined, 1],
      ['release', 1, true],
      ['acquire', undefined, 2],
    ],
    'ok',
  ],
  [
    'fenced-lock',
    [
      ['acquire', undefined, 1],
      ['acquire', undefined, 2],
    ],
    'illegal',
  ],
  [
    'fenced-lock',
    [
      ['acquire', undefined, 3],
      ['release', 3, true],
      ['acquire', undefined, 3],
    ],
    'illegal',
  ],
  [
    'fenced-lock',
    [
      ['acquire', undefined, 1],
      ['acquire', undefined, null],
      ['holder', undefined, 1],
    ],
    'ok',
  ],
  ['fenced-lock', [['acquire', undefined, null]], 'illegal'],
  [
    'fenced-lock',
    [
      ['acquire', undefined, 1],
      ['expire', 1],
      ['release', 1, false],
      ['acquire', undefined, 2],
    ],
    'ok',
  ],
  [
    'fenced-lock',
    [
      ['acquire', undefined, 1],
      ['release', 1, false],
    ],
    'illegal',
  ],
  [
    'fenced-lock',
    [
      ['acquire', undefined, '?'],
      ['acquire', undefined, null],
      ['holder', undefined, 4],
    ],
    'ok',
  ],
  [
    'fenced-lock',
    [
      ['acquire', undefined, 4],
      ['release', 4, true],
      ['acquire', undefined, '?'],
      ['holder', undefined, 4],
    ],
    'illegal',
  ],
]

describe.each(stories)('%s', (model, steps, verdict) => {
  test(`${JSON.stringify(steps)} is ${verdict}`, () => {
    expect(verdictOf(model, steps)).toBe(verdict)
  })
})
